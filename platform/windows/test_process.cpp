#include <windows.h>

#include <cstdio>
#include <cstdlib>

#include "platform/platform.hpp"
#include "platform/test_peer.hpp"
#include "platform/windows/command_line.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/sleeper.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::platform::test {
namespace {

class WindowsPeer final : public Peer {
 public:
  explicit WindowsPeer(UniqueHandle process) : process_(std::move(process)) {}
  ~WindowsPeer() override { kill(); }

  std::optional<int> wait(Instant deadline) override {
    const HANDLE process = process_.get();
    DWORD code = 0;
    if (wait_any(&process, 1, deadline) != 0 || GetExitCodeProcess(process, &code) == 0) {
      return std::nullopt;
    }
    return static_cast<int>(code);
  }

  void kill() override { TerminateProcess(process_.get(), 137); }

 private:
  UniqueHandle process_;
};

class WindowsModule final : public Module {
 public:
  explicit WindowsModule(HMODULE handle) : handle_(handle) {}
  ~WindowsModule() override { FreeLibrary(handle_); }
  [[nodiscard]] void* symbol(const char* name) const override {
    return reinterpret_cast<void*>(GetProcAddress(handle_, name));
  }

 private:
  HMODULE handle_;
};

}  // namespace

std::unique_ptr<Module> load_module(const std::string& name) {
  const std::string program = program_path();
  const std::string file = program.substr(0, program.rfind('\\') + 1) + "lib" + name + ".dll";
  HMODULE handle = LoadLibraryW(to_wide(file).c_str());
  return handle == nullptr ? nullptr : std::make_unique<WindowsModule>(handle);
}

bool module_is_loaded(const std::string& name) {
  return GetModuleHandleW(to_wide("lib" + name + ".dll").c_str()) != nullptr;
}

std::unique_ptr<Peer> start_peer(const std::string& role,
                                 const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"--role", role};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::wstring line = make_command_line(program_path(), words);
  STARTUPINFOW startup{};
  startup.cb = sizeof(startup);
  PROCESS_INFORMATION made{};
  if (CreateProcessW(nullptr, line.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr, &startup,
                     &made) == 0) {
    std::fprintf(stderr, "CreateProcess: error %lu\n", GetLastError());
    std::abort();
  }
  CloseHandle(made.hThread);
  return std::make_unique<WindowsPeer>(UniqueHandle(made.hProcess));
}

std::string temporary_folder() {
  wchar_t path[MAX_PATH + 1];
  const DWORD length = GetTempPathW(MAX_PATH + 1, path);
  return to_utf8({path, length});
}

std::string describe_surroundings() {
  STARTUPINFOW startup{};
  GetStartupInfoW(&startup);
  return std::string(GetConsoleWindow() == nullptr ? "no console" : "a console") +
         (GetPriorityClass(GetCurrentProcess()) == NORMAL_PRIORITY_CLASS ? "" : ", odd priority") +
         (GetEnvironmentVariableW(L"ASIODRV_TEST_HOST_ONLY", nullptr, 0) == 0
              ? ""
              : ", the host's environment");
}

std::string expected_surroundings() {
  SetEnvironmentVariableW(L"ASIODRV_TEST_HOST_ONLY", L"1");  // for the agents started after this
  return "no console";
}

bool wait_for_end(std::uint32_t process, Instant deadline) {
  const UniqueHandle handle(OpenProcess(SYNCHRONIZE, FALSE, process));
  const HANDLE raw = handle.get();
  return !handle || wait_any(&raw, 1, deadline) == 0;  // none: it has ended already
}

}  // namespace asiodrv::platform::test
