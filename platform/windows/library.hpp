// Functions that are not imported statically. A DLL's static imports are looked up by name, the
// host's folder first, unless they are among the system's known DLLs: only kernel32, user32,
// advapi32 and ole32 are imported, everything else comes from System32 by this way.
#pragma once

#include <windows.h>

namespace asiodrv::platform {

/// The function `name` of the library `library` in System32, or null. The library stays loaded.
/// Control threads only: loading takes the loader lock.
template <class Function>
[[nodiscard]] Function* system_function(const wchar_t* library, const char* name) noexcept {
  HMODULE module = LoadLibraryExW(library, nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (module == nullptr) return nullptr;
  return reinterpret_cast<Function*>(reinterpret_cast<void*>(GetProcAddress(module, name)));
}

}  // namespace asiodrv::platform
