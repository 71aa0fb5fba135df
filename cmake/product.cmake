# Whose driver is built. The identity (core/base/product.hpp) is one small source made from a profile
# in vendors/. The libraries do not know it: programs and the DLL link it last. So another identity,
# a "brand", costs one compilation and new links, in the same build tree, from the same objects.
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
if(WIN32)
  enable_language(RC)
endif()

set(ASIODRV_PROFILE ${CMAKE_SOURCE_DIR}/vendors/asio-driver.toml)
# What `make vendor` builds as the brand "vendor"; empty: there is none.
set(ASIODRV_VENDOR "" CACHE FILEPATH "A profile; its programs are the target brand_vendor")
# Brands of the installer's tests: a second vendor, and the next version of the product itself.
math(EXPR _next "${PROJECT_VERSION_PATCH} + 1")
set(ASIODRV_NEXT_VERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}.${_next})

# asiodrv_generated(OUTPUT PROFILE VERSION [argument...])
function(asiodrv_generated output profile version)
  set(_release ${CMAKE_SOURCE_DIR}/tools/release)
  add_custom_command(OUTPUT ${output}
    COMMAND ${Python3_EXECUTABLE} -B ${_release}/generate.py ${profile} ${version} ${output} ${ARGN}
    DEPENDS ${profile} ${_release}/generate.py ${_release}/vendor_profile.py
    VERBATIM)
endfunction()

# asiodrv_brand(NAME PROFILE VERSION): objects asiodrv_brand_NAME, and brand_NAME, which builds
# every program that asiodrv_shipped declares, into brands/NAME of the build tree.
function(asiodrv_brand name profile version)
  set(folder ${CMAKE_BINARY_DIR}/brands/${name})
  file(MAKE_DIRECTORY ${folder})
  asiodrv_generated(${folder}/product.cpp ${profile} ${version})
  add_library(asiodrv_brand_${name} OBJECT EXCLUDE_FROM_ALL ${folder}/product.cpp)
  target_link_libraries(asiodrv_brand_${name} PRIVATE asiodrv_flags)
  add_custom_target(brand_${name})
  set_property(GLOBAL APPEND PROPERTY ASIODRV_BRANDS ${name})
  set_property(GLOBAL PROPERTY ASIODRV_BRAND_PROFILE_${name} ${profile})
  set_property(GLOBAL PROPERTY ASIODRV_BRAND_VERSION_${name} ${version})
endfunction()

# asiodrv_shipped(TARGET FILE DESCRIPTION [MODULE] SOURCES file... LIBRARIES library...)
# A program, or with MODULE the DLL, that users get: for Windows with a version resource, and once
# more for each brand as TARGET.BRAND. Sets <TARGET>_TARGETS to all of them.
function(asiodrv_shipped target file description)
  cmake_parse_arguments(arg "MODULE" "" "SOURCES;LIBRARIES" ${ARGN})
  _asiodrv_one(${target} ${file} "${description}" ${ASIODRV_PROFILE} ${PROJECT_VERSION} "")
  set(targets ${target})
  get_property(brands GLOBAL PROPERTY ASIODRV_BRANDS)
  foreach(brand IN LISTS brands)
    get_property(profile GLOBAL PROPERTY ASIODRV_BRAND_PROFILE_${brand})
    get_property(version GLOBAL PROPERTY ASIODRV_BRAND_VERSION_${brand})
    _asiodrv_one(${target}.${brand} ${file} "${description}" ${profile} ${version} ${brand})
    add_dependencies(brand_${brand} ${target}.${brand})
    list(APPEND targets ${target}.${brand})
  endforeach()
  set(${target}_TARGETS ${targets} PARENT_SCOPE)
endfunction()

macro(_asiodrv_one name file description profile version brand)
  if(arg_MODULE)
    add_library(${name} MODULE ${arg_SOURCES})
  else()
    add_executable(${name} ${arg_SOURCES})
  endif()
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
  if(WIN32)
    set(resource ${CMAKE_CURRENT_BINARY_DIR}/${name}.rc)
    asiodrv_generated(${resource} ${profile} ${version} ${file} "${description}")
    target_sources(${name} PRIVATE ${resource})
  endif()
  if(NOT "${brand}" STREQUAL "")
    # An object comes before the archives, and the archive's own identity is then not asked for.
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:asiodrv_brand_${brand}>)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON OUTPUT_NAME ${target}
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/brands/${brand}
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/brands/${brand})
  endif()
endmacro()

if(WIN32)
  asiodrv_brand(example ${CMAKE_SOURCE_DIR}/vendors/example.toml ${PROJECT_VERSION})
  asiodrv_brand(next ${ASIODRV_PROFILE} ${ASIODRV_NEXT_VERSION})
  if(ASIODRV_VENDOR)
    asiodrv_brand(vendor ${ASIODRV_VENDOR} ${PROJECT_VERSION})
  endif()
endif()
