# Third-party libraries, all header-only and all from the distribution. Their headers are staged
# into the build tree by name: a cross compiler must never see the whole of /usr/include.
set(_staged ${CMAKE_BINARY_DIR}/staged-include)
file(MAKE_DIRECTORY ${_staged})
foreach(_header fmt spdlog CLI toml++ nlohmann tl xsimd)
  if(NOT EXISTS /usr/include/${_header})
    message(FATAL_ERROR "The header folder /usr/include/${_header} is missing: run tools/install-dependencies.sh")
  endif()
  file(CREATE_LINK /usr/include/${_header} ${_staged}/${_header} SYMBOLIC)
endforeach()

add_library(asiodrv_headers INTERFACE)
target_include_directories(asiodrv_headers SYSTEM INTERFACE ${_staged})
target_compile_definitions(asiodrv_headers INTERFACE
  FMT_HEADER_ONLY SPDLOG_FMT_EXTERNAL JSON_USE_IMPLICIT_CONVERSIONS=0)

find_package(Threads REQUIRED)

if(ASIODRV_TESTS AND NOT ASIODRV_ONLY_DLL)
  if(NOT EXISTS /usr/src/googletest/CMakeLists.txt)
    message(FATAL_ERROR "The GoogleTest sources are missing: run tools/install-dependencies.sh")
  endif()
  set(INSTALL_GTEST OFF)
  set(gtest_disable_pthreads OFF)
  add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL SYSTEM)
  include(GoogleTest)
endif()
