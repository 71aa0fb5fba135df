// The COM server: what asio-driver.dll exports (asio-driver.def). There is no DllMain: nothing
// happens when the DLL is loaded or unloaded.
#include <unknwn.h>
#include <windows.h>

#include <atomic>
#include <cstring>
#include <new>
#include <string>

#include "asio/dll/composition.hpp"
#include "asio/dll/registration.hpp"
#include "asio/driver_shell.hpp"
#include "asio/float_guard.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::asio {
namespace {

/// Factories that COM holds, and locks on the server.
constinit std::atomic<long> holders{0};

bool same(REFGUID guid, const Guid& ours) noexcept {
  static_assert(sizeof guid == sizeof ours);
  return std::memcmp(&guid, &ours, sizeof ours) == 0;
}

/// Empty when it is not set. A host may change its environment: ask the system, not the runtime.
std::string variable(const wchar_t* name) {
  std::wstring value(256, L'\0');
  for (;;) {
    const DWORD size = static_cast<DWORD>(value.size());
    const DWORD used = GetEnvironmentVariableW(name, value.data(), size);
    value.resize(used);
    if (used < size) return platform::to_utf8(value);
  }
}

/// Has no state, so one object serves everybody.
class Factory final : public IClassFactory {
 public:
  HRESULT STDMETHODCALLTYPE QueryInterface(REFIID iid, void** object) override {
    if (object == nullptr) return E_POINTER;
    *object = nullptr;
    if (!same(iid, kUnknownId) && !IsEqualIID(iid, IID_IClassFactory)) return E_NOINTERFACE;
    AddRef();
    *object = static_cast<IClassFactory*>(this);
    return S_OK;
  }
  ULONG STDMETHODCALLTYPE AddRef() override { return static_cast<ULONG>(++holders); }
  ULONG STDMETHODCALLTYPE Release() override { return static_cast<ULONG>(--holders); }

  HRESULT STDMETHODCALLTYPE CreateInstance(IUnknown* outer, REFIID iid, void** object) override {
    const FloatGuard floats;
    if (object == nullptr) return E_POINTER;
    *object = nullptr;
    if (outer != nullptr) return CLASS_E_NOAGGREGATION;
    try {
      AsioDriver* const driver = compose_driver(
          {.instance = variable(L"ASIODRV_INSTANCE"), .config = variable(L"ASIODRV_CONFIG")});
      const HRESULT answer = driver->QueryInterface(reinterpret_cast<const Guid*>(&iid), object);
      driver->Release();
      return answer;
    } catch (const std::bad_alloc&) {
      return E_OUTOFMEMORY;
    } catch (...) {  // a host's process is not ours to end
      return E_UNEXPECTED;
    }
  }
  HRESULT STDMETHODCALLTYPE LockServer(BOOL lock) override {
    holders += lock != FALSE ? 1 : -1;
    return S_OK;
  }
};

constinit Factory factory;

template <class Work>
HRESULT guarded(Work work) noexcept {
  const FloatGuard floats;
  try {
    return work();
  } catch (...) {  // out of memory is the only cause
    return E_OUTOFMEMORY;
  }
}

}  // namespace
}  // namespace asiodrv::asio

extern "C" {

HRESULT STDAPICALLTYPE DllGetClassObject(REFCLSID clsid, REFIID iid, void** object) {
  if (object == nullptr) return E_POINTER;
  *object = nullptr;
  if (!asiodrv::asio::same(clsid, asiodrv::asio::kDriverId)) return CLASS_E_CLASSNOTAVAILABLE;
  return asiodrv::asio::factory.QueryInterface(iid, object);
}

HRESULT STDAPICALLTYPE DllCanUnloadNow() {
  const asiodrv::asio::FloatGuard floats;
  return asiodrv::asio::holders == 0 && !asiodrv::asio::in_use() ? S_OK : S_FALSE;
}

HRESULT STDAPICALLTYPE DllRegisterServer() {
  return asiodrv::asio::guarded([] { return asiodrv::asio::register_driver(); });
}

HRESULT STDAPICALLTYPE DllUnregisterServer() {
  return asiodrv::asio::guarded([] { return asiodrv::asio::unregister_driver(); });
}

}  // extern "C"
