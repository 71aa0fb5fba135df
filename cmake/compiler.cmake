# Flags that every target of ours gets.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(asiodrv_flags INTERFACE)
target_compile_options(asiodrv_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
target_include_directories(asiodrv_flags INTERFACE ${CMAKE_SOURCE_DIR})

if(ASIODRV_RT_TRAP)
  target_compile_definitions(asiodrv_flags INTERFACE ASIODRV_RT_TRAP)
endif()

if(ASIODRV_SANITIZE)
  add_compile_options(-fsanitize=${ASIODRV_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ASIODRV_SANITIZE})
  if(ASIODRV_SANITIZE MATCHES thread)
    # Fences are used only around atomics, so what the sanitizer cannot model raises no alarm.
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
  if(ASIODRV_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

if(WIN32)
  target_compile_definitions(asiodrv_flags INTERFACE
    UNICODE _UNICODE WIN32_LEAN_AND_MEAN NOMINMAX _WIN32_WINNT=0x0A00 __USE_MINGW_ANSI_STDIO=1)
  # GCC places wide vectors on a stack that Win64 aligns to 16 only (GCC bug 54412).
  add_compile_options(-Wa,-muse-unaligned-vector-move)
  if(CMAKE_SIZEOF_VOID_P EQUAL 4)
    add_compile_options(-mstackrealign -msse2 -mfpmath=sse)  # callers promise 4-byte stacks only
    add_link_options(-Wl,--enable-stdcall-fixup)
  endif()
  add_link_options(-static -Wl,--no-insert-timestamp -Wl,--dynamicbase,--nxcompat)
  if(CMAKE_SIZEOF_VOID_P EQUAL 8)
    add_link_options(-Wl,--high-entropy-va)
  endif()
endif()
