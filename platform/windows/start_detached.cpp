// Starts the agent from inside a foreign host. The host's surroundings must not leak into it: its
// handles, its folder, its environment, its console, its job.
#include <windows.h>

#include "platform/platform.hpp"
#include "platform/windows/command_line.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/library.hpp"
#include "platform/windows/security.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::platform {
namespace {

/// One fixed-size answer about a token, or `otherwise`.
template <class T>
T token_value(HANDLE token, TOKEN_INFORMATION_CLASS what, T otherwise) noexcept {
  T value{};
  DWORD bytes = 0;
  return GetTokenInformation(token, what, &value, sizeof(value), &bytes) != 0 ? value : otherwise;
}

/// The integrity level's number (0x1000 low, 0x2000 medium, 0x3000 high, 0x4000 system).
DWORD integrity_of(HANDLE token) noexcept {
  alignas(TOKEN_MANDATORY_LABEL) std::byte answer[128];
  DWORD bytes = 0;
  if (GetTokenInformation(token, TokenIntegrityLevel, answer, sizeof(answer), &bytes) == 0) {
    return SECURITY_MANDATORY_MEDIUM_RID;
  }
  PSID label = reinterpret_cast<const TOKEN_MANDATORY_LABEL*>(answer)->Label.Sid;
  return *GetSidSubAuthority(label, *GetSidSubAuthorityCount(label) - 1U);
}

/// Refuses hosts whose agent would be of no use to the user's other programs: one that an elevated
/// host starts would be closed to ordinary ones. The sentences fit a host's 123 characters.
Result<> check_host(HANDLE token) {
  if (token_value<DWORD>(token, TokenIsAppContainer, 0) != 0 ||
      integrity_of(token) < SECURITY_MANDATORY_MEDIUM_RID) {
    return fail(ErrorCode::access_denied,
                "This program runs in a sandbox and may not start the audio service. Start "
                "asio-driver once from the desktop.");
  }
  if (integrity_of(token) >= SECURITY_MANDATORY_SYSTEM_RID) {
    return fail(ErrorCode::access_denied,
                "This program runs as a system service and may not start the audio service. "
                "Start asio-driver in the user's session.");
  }
  // An account without a split token (the built-in administrator, or no account control at all)
  // runs everything elevated: there the agent is on the same level as every other host.
  const auto split = token_value(token, TokenElevationType, TokenElevationTypeDefault);
  if (split == TokenElevationTypeFull && account_control_is_on()) {
    return fail(ErrorCode::access_denied,
                "This program runs as administrator and may not start the audio service. Start any "
                "audio program without such rights first.");
  }
  return {};
}

/// The user's environment as at sign-in, not the host's. Null where the system cannot make one:
/// the agent then inherits the host's.
class FreshEnvironment {
 public:
  explicit FreshEnvironment(HANDLE token) noexcept {
    auto* create = system_function<BOOL WINAPI(void**, HANDLE, BOOL)>(L"userenv.dll",
                                                                      "CreateEnvironmentBlock");
    if (create == nullptr || create(&block_, token, FALSE) == 0) block_ = nullptr;
  }
  ~FreshEnvironment() {
    auto* destroy = system_function<BOOL WINAPI(void*)>(L"userenv.dll", "DestroyEnvironmentBlock");
    if (block_ != nullptr && destroy != nullptr) destroy(block_);
  }
  FreshEnvironment(const FreshEnvironment&) = delete;
  FreshEnvironment& operator=(const FreshEnvironment&) = delete;

  [[nodiscard]] void* block() const noexcept { return block_; }

 private:
  void* block_ = nullptr;
};

struct Start {
  std::wstring program;
  std::wstring folder;
  std::wstring command_line;
  void* environment;
};

/// The error of CreateProcess, 0 when the program runs.
DWORD create_process(const Start& start, DWORD job_flag) {
  constexpr DWORD kFlags = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP | CREATE_DEFAULT_ERROR_MODE |
                           CREATE_UNICODE_ENVIRONMENT |
                           NORMAL_PRIORITY_CLASS;  // idle and below-normal would be inherited
  std::wstring line = start.command_line;          // the call may write into it
  STARTUPINFOW startup{};
  startup.cb = sizeof(startup);
  startup.dwFlags = STARTF_USESHOWWINDOW | STARTF_FORCEOFFFEEDBACK;
  startup.wShowWindow = SW_HIDE;
  PROCESS_INFORMATION made{};
  if (CreateProcessW(start.program.c_str(), line.data(), nullptr, nullptr, FALSE, kFlags | job_flag,
                     start.environment, start.folder.c_str(), &startup, &made) == 0) {
    const DWORD error = GetLastError();
    return error != 0 ? error : ERROR_GEN_FAILURE;
  }
  CloseHandle(made.hThread);
  CloseHandle(made.hProcess);
  return 0;
}

bool is_absolute(const std::string& path) noexcept {
  const bool drive = path.size() > 3 && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
  return drive || (path.size() > 2 && path[0] == '\\' && path[1] == '\\');
}

void append_quoted(std::wstring& line, const std::wstring& word) {
  line += L'"';
  std::size_t slashes = 0;
  for (const wchar_t c : word) {
    if (c == L'\\') {
      ++slashes;
      continue;
    }
    // Backslashes count double only before a quote.
    line.append(c == L'"' ? slashes * 2 + 1 : slashes, L'\\');
    slashes = 0;
    line += c;
  }
  line.append(slashes * 2, L'\\');
  line += L'"';
}

}  // namespace

std::wstring make_command_line(const std::string& program,
                               const std::vector<std::string>& arguments) {
  std::wstring line = L"\"" + to_wide(program) + L"\"";
  for (const std::string& argument : arguments) {
    line += L' ';
    append_quoted(line, to_wide(argument));
  }
  return line;
}

Result<> start_detached(const std::string& program, const std::vector<std::string>& arguments) {
  if (!is_absolute(program)) {
    return fail(ErrorCode::invalid_argument, "The program's path must be absolute: " + program);
  }
  HANDLE raw = nullptr;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &raw) == 0) {
    return system_failure("The process's token could not be read", GetLastError());
  }
  const UniqueHandle token(raw);
  if (auto allowed = check_host(token.get()); !allowed) return allowed;

  const FreshEnvironment environment(token.get());
  const Start start{to_wide(program), to_wide(program.substr(0, program.find_last_of("\\/"))),
                    make_command_line(program, arguments), environment.block()};
  DWORD error = create_process(start, CREATE_BREAKAWAY_FROM_JOB);
  // The host's job forbids leaving it: better an agent that ends with the host than none.
  if (error == ERROR_ACCESS_DENIED) error = create_process(start, 0);
  if (error != 0) {  // without the folders: a host's message field would end before the cause
    return system_failure(program.substr(program.find_last_of("\\/") + 1) + " could not be started",
                          error);
  }
  return {};
}

}  // namespace asiodrv::platform
