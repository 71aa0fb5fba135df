#include "host/system.hpp"

#include <fmt/format.h>
#include <io.h>
#include <objbase.h>
#include <shellapi.h>
#include <windows.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "host/windows/handles.hpp"

namespace asiodrv::host {
namespace {

constexpr const wchar_t* kWindowClass = L"asio-host";

nanoseconds from_filetime(const FILETIME& kernel, const FILETIME& user) {
  const auto ticks = [](const FILETIME& time) {
    return static_cast<std::int64_t>((std::uint64_t{time.dwHighDateTime} << 32) |
                                     time.dwLowDateTime);
  };
  return nanoseconds{(ticks(kernel) + ticks(user)) * 100};  // FILETIME counts 100 ns
}

}  // namespace

std::wstring to_wide(std::string_view utf8) {
  const int length = static_cast<int>(utf8.size());
  const int needed = MultiByteToWideChar(CP_UTF8, 0, utf8.data(), length, nullptr, 0);
  std::wstring wide(static_cast<std::size_t>(needed), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, utf8.data(), length, wide.data(), needed);
  return wide;
}

std::string to_utf8(std::wstring_view wide) {
  const int length = static_cast<int>(wide.size());
  const int needed =
      WideCharToMultiByte(CP_UTF8, 0, wide.data(), length, nullptr, 0, nullptr, nullptr);
  std::string utf8(static_cast<std::size_t>(needed), '\0');
  WideCharToMultiByte(CP_UTF8, 0, wide.data(), length, utf8.data(), needed, nullptr, nullptr);
  return utf8;
}

ControlThread::ControlThread() {
  SetConsoleOutputCP(CP_UTF8);
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);  // a crash ends, it does not ask
  CoInitializeEx(nullptr, COINIT_APARTMENTTHREADED);
  WNDCLASSW window_class{};
  window_class.lpfnWndProc = DefWindowProcW;
  window_class.hInstance = GetModuleHandleW(nullptr);
  window_class.lpszClassName = kWindowClass;
  RegisterClassW(&window_class);
  window_ = CreateWindowExW(0, kWindowClass, kWindowClass, WS_OVERLAPPED, 0, 0, 0, 0, HWND_MESSAGE,
                            nullptr, window_class.hInstance, nullptr);
}

ControlThread::~ControlThread() {
  if (window_ != nullptr) DestroyWindow(static_cast<HWND>(window_));
  CoUninitialize();
}

void ControlThread::wait(nanoseconds duration) {
  const ULONGLONG begin = GetTickCount64();
  const auto limit =
      static_cast<ULONGLONG>(std::max<std::int64_t>(duration.count() / 1'000'000, 1));
  while (true) {
    const ULONGLONG passed = GetTickCount64() - begin;
    if (passed >= limit) return;
    MsgWaitForMultipleObjectsEx(0, nullptr, static_cast<DWORD>(limit - passed), QS_ALLINPUT,
                                MWMO_INPUTAVAILABLE);
    MSG message;
    while (PeekMessageW(&message, nullptr, 0, 0, PM_REMOVE) != 0) {
      TranslateMessage(&message);
      DispatchMessageW(&message);
    }
  }
}

void keep_output_from_drivers() { SetStdHandle(STD_OUTPUT_HANDLE, nullptr); }

nanoseconds process_cpu_time() {
  FILETIME created{}, ended{}, kernel{}, user{};
  GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user);
  return from_filetime(kernel, user);
}

nanoseconds thread_cpu_time() {
  FILETIME created{}, ended{}, kernel{}, user{};
  GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user);
  return from_filetime(kernel, user);
}

bool stderr_is_terminal() { return _isatty(_fileno(stderr)) != 0; }

std::vector<std::string> utf8_arguments(int, char**) {
  int count = 0;
  wchar_t** values = CommandLineToArgvW(GetCommandLineW(), &count);
  std::vector<std::string> arguments;
  for (int i = 1; i < count; ++i) arguments.push_back(to_utf8(values[i]));
  LocalFree(values);
  return arguments;
}

Result<> kill_process(std::uint32_t process_id) {
  const Handle process(OpenProcess(PROCESS_TERMINATE, FALSE, process_id));
  if (process.get() == nullptr || TerminateProcess(process.get(), 1) == 0) {
    const DWORD reason = GetLastError();
    return fail(reason == ERROR_ACCESS_DENIED ? ErrorCode::access_denied : ErrorCode::not_found,
                fmt::format("Process {} cannot be ended (Windows error {}).", process_id, reason));
  }
  return {};
}

int run_shell(const std::string& command) { return _wsystem(to_wide(command).c_str()); }

}  // namespace asiodrv::host
