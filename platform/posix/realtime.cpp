#include "platform/realtime.hpp"

#include <dlfcn.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cstddef>

namespace asiodrv::platform {
namespace {

const void* module_base(const void* inside) noexcept {
  Dl_info found{};
  return dladdr(inside, &found) != 0 ? found.dli_fbase : nullptr;
}

const void* own_code() noexcept { return reinterpret_cast<const void*>(&code_in_program); }

}  // namespace

bool code_in_program() noexcept {
  // The program headers that the kernel announces belong to the program, never to a library.
  const auto* program = reinterpret_cast<const void*>(getauxval(AT_PHDR));
  return module_base(own_code()) == module_base(program);
}

void pin_module() noexcept {
  if (code_in_program()) return;
  Dl_info found{};
  if (dladdr(own_code(), &found) == 0 || found.dli_fname == nullptr) return;
  // Finds the module that is already loaded and marks it; the handle is given up on purpose.
  (void)dlopen(found.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

__attribute__((noinline)) void prefault_stack() noexcept {
  volatile std::byte pages[kPrefaultedStack];
  for (std::size_t at = 0; at < sizeof(pages); at += 4096) pages[at] = std::byte{0};
}

}  // namespace asiodrv::platform
