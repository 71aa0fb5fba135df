#include "platform/realtime.hpp"

#include <windows.h>

#include <cstddef>

namespace asiodrv::platform {
namespace {

HMODULE own_module(DWORD flags) noexcept {
  HMODULE module = nullptr;
  GetModuleHandleExW(flags | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     reinterpret_cast<const wchar_t*>(reinterpret_cast<void*>(&code_in_program)),
                     &module);
  return module;
}

}  // namespace

bool code_in_program() noexcept {
  return own_module(GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT) == GetModuleHandleW(nullptr);
}

void pin_module() noexcept {
  if (!code_in_program()) (void)own_module(GET_MODULE_HANDLE_EX_FLAG_PIN);
}

__attribute__((noinline)) void prefault_stack() noexcept {
  volatile std::byte pages[kPrefaultedStack];
  // From the top down: the guard page must be met in order (the compiler's probe does the same).
  for (std::size_t at = sizeof(pages); at > 0; at -= 4096) pages[at - 1] = std::byte{0};
}

}  // namespace asiodrv::platform
