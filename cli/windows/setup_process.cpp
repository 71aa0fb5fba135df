#include "cli/setup_process.hpp"

#include <windows.h>

#include "platform/windows/handle.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::cli {
namespace {

constexpr DWORD kElevationRequired = 740;  // the headers lack it

}  // namespace

Result<int> run_setup_process(const std::string& program, const std::string& arguments,
                              std::chrono::milliseconds limit) {
  const std::wstring path = platform::to_wide(program);
  const std::wstring folder = path.substr(0, path.find_last_of(L"\\/"));
  std::wstring line = L"\"" + path + L"\" " + platform::to_wide(arguments);
  STARTUPINFOW startup{};
  startup.cb = sizeof startup;
  PROCESS_INFORMATION made{};
  if (CreateProcessW(path.c_str(), line.data(), nullptr, nullptr, FALSE, 0, nullptr, folder.c_str(),
                     &startup, &made) == 0) {
    const DWORD error = GetLastError();
    if (error == kElevationRequired) {
      return fail(ErrorCode::access_denied, "The setup program needs administrator rights.");
    }
    return platform::system_failure("The setup program " + program + " could not be started",
                                    error);
  }
  const platform::UniqueHandle thread(made.hThread);
  const platform::UniqueHandle process(made.hProcess);
  if (WaitForSingleObject(process.get(), static_cast<DWORD>(limit.count())) != WAIT_OBJECT_0) {
    return fail(ErrorCode::timed_out, "The setup program has not ended yet; it goes on.");
  }
  DWORD code = 1;
  GetExitCodeProcess(process.get(), &code);
  return static_cast<int>(code);
}

}  // namespace asiodrv::cli
