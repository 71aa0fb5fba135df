// A host that loads the driver DLL, asks it for its class and unloads it, many times over.
//
//   dll_reload FILE.dll COUNT [--leak]
//
// Prints "still_loaded N handles BEFORE AFTER tls BEFORE AFTER": how many times the DLL stayed, the
// lowest free handle, and the lowest free TLS index. --leak loses a handle and an index each time,
// to show that this would be seen. Exit code 1: the DLL or its class cannot be had.
#include <objbase.h>
#include <windows.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr GUID kDriver = {
    0x5E0C7B0A, 0x93D4, 0x4C1F, {0x8B, 0x62, 0x1F, 0xA4, 0x7D, 0x2E, 0x9C, 0x35}};
constexpr GUID kUnknown = {0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};

bool use_once(const wchar_t* file) {
  HMODULE module = LoadLibraryW(file);
  if (module == nullptr) return false;
  using GetClassObject = HRESULT STDAPICALLTYPE(REFCLSID, REFIID, void**);
  auto* get = reinterpret_cast<GetClassObject*>(
      reinterpret_cast<void*>(GetProcAddress(module, "DllGetClassObject")));
  void* found = nullptr;
  const bool had = get != nullptr && get(kDriver, kUnknown, &found) == S_OK;
  if (had) static_cast<IUnknown*>(found)->Release();
  FreeLibrary(module);
  return had;
}

/// The lowest free handle, counted in handles: Wine does not say how many there are.
DWORD free_handle_index() {
  const HANDLE handle = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  const auto index = static_cast<DWORD>(reinterpret_cast<std::uintptr_t>(handle) / 4);
  CloseHandle(handle);
  return index;
}

DWORD free_tls_index() {
  const DWORD index = TlsAlloc();
  TlsFree(index);
  return index;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string narrow = argv[1];
  const std::wstring file(narrow.begin(), narrow.end());  // ASCII
  const bool leak = argc > 3 && std::string_view(argv[3]) == "--leak";
  if (!use_once(file.c_str())) return 1;  // what the system keeps after a first time is its own
  const DWORD handles_before = free_handle_index(), tls_before = free_tls_index();
  int still_loaded = 0;
  for (long turn = std::strtol(argv[2], nullptr, 10); turn > 0; --turn) {
    if (!use_once(file.c_str())) return 1;
    if (leak && CreateEventW(nullptr, FALSE, FALSE, nullptr) != nullptr) TlsAlloc();
    if (GetModuleHandleW(file.c_str()) != nullptr) ++still_loaded;
  }
  std::printf("still_loaded %d handles %lu %lu tls %lu %lu\n", still_loaded, handles_before,
              free_handle_index(), tls_before, free_tls_index());
  return 0;
}
