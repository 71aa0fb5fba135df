# Modules and the arrows between them. A module is one folder and one static library; the table
# below is the only place that says which module may depend on which. The include lint
# (tools/lint/check_includes.py) reads the same table.
#
#   module: allowed direct dependencies
set(ASIODRV_EDGES
  "core_base:"
  "core_ports:core_base"
  "core_audio:core_base"
  "core_wire:core_base"
  "core_resampler:core_base core_audio"
  "core_clock:core_base"
  "core_engine:core_base core_ports core_audio core_resampler core_clock"
  "platform:core_base core_ports core_audio"
  "devices_simulated:core_base core_ports core_audio core_clock"
  "devices_wasapi:core_base core_ports core_audio core_clock"
  "devices_wasapi_fake:core_base core_ports core_audio devices_wasapi"
  "devices_combined:core_base core_ports core_audio core_resampler core_clock"
  "ipc_client:core_base core_ports core_wire"
  "ipc_server:core_base core_ports core_wire"
  "asio:core_base core_ports core_audio core_wire ipc_client"
  "service_manager:core_base core_ports platform"
  "service:core_base core_ports core_audio core_wire core_engine platform devices_simulated devices_wasapi devices_combined ipc_client ipc_server service_manager"
  "doctor:core_base core_ports core_wire ipc_client platform devices_wasapi service trust"
  "trust:core_base platform"
  "cli:core_base core_ports core_wire doctor ipc_client platform service service_manager trust"
  "host:core_base core_ports core_audio platform asio"
  "simulation:core_base core_ports core_audio core_wire core_engine platform devices_simulated devices_wasapi devices_wasapi_fake devices_combined ipc_client ipc_server asio service"
)

# asiodrv_module(NAME SOURCES file... [DEPENDS module...])
function(asiodrv_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  set(allowed "-")
  foreach(edge IN LISTS ASIODRV_EDGES)
    if(edge MATCHES "^${name}:(.*)$")
      string(REPLACE " " ";" allowed "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  if(allowed STREQUAL "-")
    message(FATAL_ERROR "Module ${name} is not in the table of cmake/modules.cmake")
  endif()
  foreach(dependency IN LISTS arg_DEPENDS)
    if(NOT dependency IN_LIST allowed)
      message(FATAL_ERROR "Module ${name} must not depend on ${dependency} (cmake/modules.cmake)")
    endif()
  endforeach()
  add_library(asiodrv_${name} STATIC ${arg_SOURCES})
  list(TRANSFORM arg_DEPENDS PREPEND asiodrv_)
  target_link_libraries(asiodrv_${name} PUBLIC asiodrv_flags asiodrv_headers ${arg_DEPENDS})
endfunction()

# asiodrv_test(NAME SOURCES file... DEPENDS module... [LABELS label...] [TIMEOUT seconds] [ONE_THREAD])
# A GoogleTest program; every test of it is a ctest of its own, or every suite where
# ASIODRV_TEST_BY_SUITE says so, and none can hang: TIMEOUT is for one test, a suite has five times
# as long. ONE_THREAD: it starts no thread, so the thread sanitizer, which is slow, could find
# nothing in it.
function(asiodrv_test name)
  cmake_parse_arguments(arg "ONE_THREAD" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(arg_ONE_THREAD AND ASIODRV_SANITIZE MATCHES thread)
    return()
  endif()
  if(NOT ASIODRV_TESTS OR ASIODRV_ONLY_DLL)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES})
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name} PRIVATE -Wno-restrict)  # wrong about std::string: GCC bug 105651
  endif()
  list(TRANSFORM arg_DEPENDS PREPEND asiodrv_)
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} asiodrv_test_support GTest::gtest_main)
  if(ASIODRV_TEST_BY_SUITE)
    math(EXPR arg_TIMEOUT "5 * ${arg_TIMEOUT}")
  endif()
  set(properties TIMEOUT ${arg_TIMEOUT})
  if(arg_LABELS)
    list(APPEND properties LABELS "${arg_LABELS}")
  endif()
  if(ASIODRV_SANITIZE MATCHES thread)
    # A thread that a host never lets go is given up by design, and would be reported as leaked.
    list(APPEND properties ENVIRONMENT TSAN_OPTIONS=report_thread_leaks=0)
  endif()
  if(ASIODRV_TEST_BY_SUITE)
    set(file ${CMAKE_CURRENT_BINARY_DIR}/${name}-suites.cmake)
    file(GENERATE OUTPUT ${file} CONTENT
"set(program \"$<TARGET_FILE:${name}>\")
set(launcher \"${CMAKE_CROSSCOMPILING_EMULATOR}\")
set(prefix \"${ASIODRV_TEST_PREFIX}${name}.\")
set(properties \"${properties}\")
include(\"${CMAKE_SOURCE_DIR}/cmake/discover_suites.cmake\")
")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${file})
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120
    TEST_PREFIX "${ASIODRV_TEST_PREFIX}${name}."
    PROPERTIES ${properties})
endfunction()
