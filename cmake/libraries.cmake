# Third-party libraries, all header-only and all from the distribution. Their headers are staged
# into the build tree by name: a cross compiler must never see the whole of /usr/include.
set(_staged ${CMAKE_BINARY_DIR}/staged-include)
file(MAKE_DIRECTORY ${_staged})
foreach(_header fmt spdlog CLI toml++ nlohmann tl xsimd)
  if(NOT EXISTS /usr/include/${_header})
    message(FATAL_ERROR "The header folder /usr/include/${_header} is missing: run tools/install-dependencies.sh build")
  endif()
  file(CREATE_LINK /usr/include/${_header} ${_staged}/${_header} SYMBOLIC)
endforeach()

add_library(asiodrv_headers INTERFACE)
target_include_directories(asiodrv_headers SYSTEM INTERFACE ${_staged})
target_compile_definitions(asiodrv_headers INTERFACE
  SPDLOG_FMT_EXTERNAL JSON_USE_IMPLICIT_CONVERSIONS=0)

# fmt's code once per tree instead of once per file: it was a quarter of a file's compile time. The
# distribution's binary serves one of our compilers only; its headers hold all of the code.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/fmt/fmt.cpp CONTENT [[
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {
template FMT_API auto dragonbox::to_decimal(float) noexcept -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal(double) noexcept -> dragonbox::decimal_fp<double>;
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
template FMT_API void buffer<char>::append(const char*, const char*);
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<wchar_t>;
template FMT_API auto decimal_point_impl(locale_ref) -> wchar_t;
template FMT_API void buffer<wchar_t>::append(const wchar_t*, const wchar_t*);
}
FMT_END_NAMESPACE
]])
add_library(asiodrv_fmt STATIC ${CMAKE_BINARY_DIR}/fmt/fmt.cpp)
target_include_directories(asiodrv_fmt SYSTEM PRIVATE ${_staged})
target_link_libraries(asiodrv_headers INTERFACE asiodrv_fmt)

find_package(Threads REQUIRED)

if(ASIODRV_TESTS AND NOT ASIODRV_ONLY_DLL)
  if(NOT EXISTS /usr/src/googletest/CMakeLists.txt)
    message(FATAL_ERROR "The GoogleTest sources are missing: run tools/install-dependencies.sh build")
  endif()
  set(INSTALL_GTEST OFF)
  set(gtest_disable_pthreads OFF)
  add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL SYSTEM)
  include(GoogleTest)
endif()
