# Cross build of the 64-bit driver DLL. The win32 thread model: no winpthreads inside foreign hosts.
include(${CMAKE_CURRENT_LIST_DIR}/windows-x64.cmake)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-win32)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-win32)
