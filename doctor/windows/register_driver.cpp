// Registration by the system's own tool, which writes what the driver asks for, in its own view.
#include <windows.h>

#include <array>
#include <string>

#include "doctor/installed_files.hpp"
#include "doctor/repair.hpp"
#include "platform/windows/command_line.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::doctor {
namespace {

constexpr DWORD kLimitMs = 20'000;
constexpr DWORD kNotLoaded = 3;  // of regsvr32: the file cannot be loaded

/// System32, or where the same lies for 32-bit programs.
std::string system_folder(unsigned bits) {
  std::array<wchar_t, MAX_PATH> path{};
  const auto size = static_cast<UINT>(path.size());
  const UINT length = bits == 64 ? GetSystemDirectoryW(path.data(), size)
                                 : GetSystemWow64DirectoryW(path.data(), size);
  return length == 0 || length >= size ? std::string() : platform::to_utf8({path.data(), length});
}

}  // namespace

Result<> register_driver(const std::string& program_path, unsigned bits) {
  const std::string driver = installed_driver(program_path, bits);
  if (driver.empty()) {
    return fail(ErrorCode::not_found, "The folder " + folder_of(program_path) +
                                          " has no driver for " + std::to_string(bits) +
                                          "-bit programs. Install asio-driver again.");
  }
  const std::string system = system_folder(bits);
  if (system.empty()) {
    return fail(ErrorCode::unsupported,
                "This Windows runs no " + std::to_string(bits) + "-bit programs.");
  }
  const std::string tool = system + "\\regsvr32.exe";
  std::wstring line = platform::make_command_line(tool, {"/s", driver});
  STARTUPINFOW startup{};
  startup.cb = sizeof startup;
  PROCESS_INFORMATION made{};
  if (CreateProcessW(platform::to_wide(tool).c_str(), line.data(), nullptr, nullptr, FALSE,
                     CREATE_NO_WINDOW, nullptr, nullptr, &startup, &made) == 0) {
    return platform::system_failure(tool + " cannot be started", GetLastError());
  }
  const platform::UniqueHandle process(made.hProcess);
  const platform::UniqueHandle thread(made.hThread);
  if (WaitForSingleObject(process.get(), kLimitMs) != WAIT_OBJECT_0) {
    TerminateProcess(process.get(), 1);
    return fail(ErrorCode::timed_out,
                "Registering the driver took too long and was ended. Install "
                "asio-driver again.");
  }
  DWORD code = 1;
  GetExitCodeProcess(process.get(), &code);
  if (code == 0) return {};
  if (code == kNotLoaded) {
    return fail(ErrorCode::internal, "Windows cannot load " + driver +
                                         ". Install asio-driver again, and let the virus scanner "
                                         "leave its folder alone.");
  }
  return fail(ErrorCode::access_denied, "Windows has not registered the driver (code " +
                                            std::to_string(code) + "). Run this as administrator.");
}

}  // namespace asiodrv::doctor
