#include <fmt/format.h>
#include <windows.h>

#include <algorithm>

#include "host/system.hpp"
#include "host/windows/handles.hpp"

namespace asiodrv::host {
namespace {

/// Appends `argument` so that the usual parser of a command line gives it back.
void append_quoted(std::wstring& line, const std::wstring& argument) {
  line += L" \"";
  std::size_t backslashes = 0;
  for (const wchar_t c : argument) {
    if (c == L'\\') {
      ++backslashes;
      continue;
    }
    line.append(c == L'"' ? backslashes * 2 + 1 : backslashes, L'\\');
    backslashes = 0;
    line += c;
  }
  line.append(backslashes * 2, L'\\');
  line += L'"';
}

class WindowsChild final : public ChildProcess {
 public:
  ~WindowsChild() override { kill(); }

  [[nodiscard]] Result<> start(const std::string& program,
                               const std::vector<std::string>& arguments) {
    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
    Handle write_end;
    if (CreatePipe(pipe_.receive(), write_end.receive(), &inherited, 0) == 0) {
      return fail(ErrorCode::internal, "No pipe for the output of another program.");
    }
    SetHandleInformation(pipe_.get(), HANDLE_FLAG_INHERIT, 0);
    STARTUPINFOW startup{};
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdOutput = write_end.get();
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    std::wstring line = L"\"" + to_wide(program) + L"\"";
    for (const std::string& argument : arguments) append_quoted(line, to_wide(argument));
    PROCESS_INFORMATION process{};
    if (CreateProcessW(to_wide(program).c_str(), line.data(), nullptr, nullptr, TRUE, 0, nullptr,
                       nullptr, &startup, &process) == 0) {
      return fail(ErrorCode::not_found, fmt::format("'{}' cannot be started (Windows error {}).",
                                                    program, GetLastError()));
    }
    CloseHandle(process.hThread);
    *process_.receive() = process.hProcess;
    return {};
  }

  bool wait(nanoseconds limit) override {
    const ULONGLONG begin = GetTickCount64();
    const auto limit_ms = static_cast<ULONGLONG>(limit.count() / 1'000'000);
    while (true) {
      const bool ended = WaitForSingleObject(process_.get(), 10) == WAIT_OBJECT_0;
      while (read_output()) {
      }
      if (ended) return true;
      if (GetTickCount64() - begin >= limit_ms) return false;
    }
  }

  void kill() override {
    if (process_.get() != nullptr) TerminateProcess(process_.get(), 1);
  }
  [[nodiscard]] int exit_code() const override { return static_cast<int>(code()); }
  [[nodiscard]] std::string crash() const override {
    // Windows reports an unhandled exception as the exit code; all of them begin with 0xC.
    return (code() >> 28) == 0xC ? fmt::format("exception 0x{:08X}", code()) : std::string();
  }
  [[nodiscard]] const std::string& output() const override { return output_; }

 private:
  [[nodiscard]] DWORD code() const {
    DWORD value = 1;
    GetExitCodeProcess(process_.get(), &value);
    return value;
  }

  bool read_output() {
    DWORD available = 0;
    if (PeekNamedPipe(pipe_.get(), nullptr, 0, nullptr, &available, nullptr) == 0 ||
        available == 0) {
      return false;
    }
    char buffer[4096];
    DWORD got = 0;
    if (ReadFile(pipe_.get(), buffer, std::min<DWORD>(available, sizeof buffer), &got, nullptr) ==
        0) {
      return false;
    }
    output_.append(buffer, got);
    return got > 0;
  }

  Handle process_;
  Handle pipe_;
  std::string output_;
};

}  // namespace

Result<std::unique_ptr<ChildProcess>> start_child(const std::string& program,
                                                  const std::vector<std::string>& arguments) {
  auto child = std::make_unique<WindowsChild>();
  if (Result<> started = child->start(program, arguments); !started) {
    return tl::unexpected<Error>(started.error());
  }
  return child;
}

}  // namespace asiodrv::host
