// Drivers as others write them, for "asio-driver doctor --probe": one module, and the class that is
// asked for says what it does wrong.
//   {D0C70001-...}  crashes when it is initialised    {D0C70004-...}  refuses to be made
//   {D0C70002-...}  hangs when it is initialised      {D0C70005-...}  crashes while it is let go
//   {D0C70003-...}  works                             {D0C70006-...}  ends its process, politely
//   {D0C70007-...}  works, and writes more into the output than a pipe holds
// Whoever loads it leaves a file where ASIODRV_CANARY_MARK says.
#include <windows.h>
// The line between keeps the order: the next one needs the types of the first.
#include <unknwn.h>

#include <cstdint>
#include <cstdio>

namespace {

enum class Manner : std::uint32_t {
  crashes = 0xD0C70001,
  hangs,
  works,
  refuses,
  crashes_at_the_end,
  leaves,
  talks
};

[[noreturn]] void crash() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
  __builtin_trap();
}

void leave_mark() {
  wchar_t path[1024] = {};
  const DWORD length = GetEnvironmentVariableW(L"ASIODRV_CANARY_MARK", path, 1024);
  if (length == 0 || length >= 1024) return;
  const HANDLE file =
      CreateFileW(path, GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
}

void talk() {
  for (int line = 0; line < 5'000; ++line) std::puts("canary: one more thing");
  std::fputs("canary: and", stdout);
  std::fflush(stdout);
}

/// What a host may call of a driver before it opens it.
struct Driver : IUnknown {
  virtual std::int32_t init(void* window) = 0;
};

class CanaryDriver final : public Driver {
 public:
  explicit CanaryDriver(Manner manner) : manner_(manner) {}
  HRESULT STDMETHODCALLTYPE QueryInterface(REFIID, void** object) override {
    *object = this;
    AddRef();
    return S_OK;
  }
  ULONG STDMETHODCALLTYPE AddRef() override { return ++references_; }
  ULONG STDMETHODCALLTYPE Release() override {
    if (manner_ == Manner::crashes_at_the_end && references_ == 1) crash();
    return --references_;  // there is one for ever
  }
  std::int32_t init(void* window) override {
    if (manner_ == Manner::crashes) crash();
    if (manner_ == Manner::hangs) WaitForSingleObject(GetCurrentProcess(), INFINITE);
    if (manner_ == Manner::leaves) ExitProcess(0);
    if (manner_ == Manner::talks) talk();
    return window != nullptr ? 1 : 0;  // real ones open their windows over it
  }

 private:
  const Manner manner_;
  ULONG references_ = 1;
};

class Factory final : public IClassFactory {
 public:
  HRESULT STDMETHODCALLTYPE QueryInterface(REFIID, void** object) override {
    *object = this;
    return S_OK;
  }
  ULONG STDMETHODCALLTYPE AddRef() override { return 2; }
  ULONG STDMETHODCALLTYPE Release() override { return 1; }
  HRESULT STDMETHODCALLTYPE CreateInstance(IUnknown*, REFIID, void** object) override {
    *object = nullptr;
    if (manner == Manner::refuses) return E_FAIL;
    *object = new CanaryDriver(manner);
    return S_OK;
  }
  HRESULT STDMETHODCALLTYPE LockServer(BOOL) override { return S_OK; }

  Manner manner = Manner::works;
};

}  // namespace

extern "C" {

HRESULT STDAPICALLTYPE DllGetClassObject(REFCLSID clsid, REFIID, void** object) {
  leave_mark();
  static Factory factory;
  factory.manner = static_cast<Manner>(clsid.Data1);
  *object = &factory;
  return S_OK;
}

HRESULT STDAPICALLTYPE DllCanUnloadNow() { return S_FALSE; }

}  // extern "C"
