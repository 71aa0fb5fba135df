// One driver in one process: started suspended, put into a job that ends with us, and let go. See
// section "Other drivers" of docs/doctor.md.
#include "doctor/probe.hpp"

#include <windows.h>
// The line between keeps the order: the next one needs the types of the first.
#include <fmt/format.h>
#include <objbase.h>

#include <array>

#include "platform/platform.hpp"
#include "platform/windows/command_line.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/text.hpp"
#include "service/version.hpp"

namespace asiodrv::doctor {
namespace {

using platform::UniqueHandle;

constexpr DWORD kMostProcesses = 8;  // a driver may start a helper, not a flood of them
constexpr std::size_t kMostOutput = 4096;

/// Everything in it ends with the last handle to it, that is with this program at the latest.
UniqueHandle make_job() {
  UniqueHandle job(CreateJobObjectW(nullptr, nullptr));
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE |
                                            JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION |
                                            JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
  limits.BasicLimitInformation.ActiveProcessLimit = kMostProcesses;
  if (!job || SetInformationJobObject(job.get(), JobObjectExtendedLimitInformation, &limits,
                                      sizeof limits) == 0) {
    return {};
  }
  return job;
}

/// The list that keeps every handle but one from being inherited; null where there is none.
class InheritedHandle {
 public:
  explicit InheritedHandle(HANDLE handle) : handle_(handle) {
    SIZE_T bytes = 0;
    InitializeProcThreadAttributeList(nullptr, 1, 0, &bytes);
    memory_.resize(bytes);
    auto* const list = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
    if (InitializeProcThreadAttributeList(list, 1, 0, &bytes) == 0) return;
    if (UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &handle_,
                                  sizeof handle_, nullptr, nullptr) == 0) {
      const DWORD why = GetLastError();
      DeleteProcThreadAttributeList(list);  // an empty one would keep nothing back
      SetLastError(why);
      return;
    }
    list_ = list;
  }
  ~InheritedHandle() {
    if (list_ != nullptr) DeleteProcThreadAttributeList(list_);
  }
  InheritedHandle(const InheritedHandle&) = delete;
  InheritedHandle& operator=(const InheritedHandle&) = delete;
  [[nodiscard]] LPPROC_THREAD_ATTRIBUTE_LIST get() const noexcept { return list_; }

 private:
  HANDLE handle_;
  std::string memory_;
  LPPROC_THREAD_ATTRIBUTE_LIST list_ = nullptr;
};

/// Suspended; null when Windows refuses.
UniqueHandle start_suspended(const std::string& program, const std::vector<std::string>& arguments,
                             HANDLE output, UniqueHandle& thread) {
  const InheritedHandle inherited(output);
  if (inherited.get() == nullptr) return {};  // else it would inherit whatever can be inherited
  STARTUPINFOEXW startup{};
  startup.StartupInfo.cb = sizeof startup;
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES | STARTF_USESHOWWINDOW;
  startup.StartupInfo.wShowWindow = SW_HIDE;
  startup.StartupInfo.hStdOutput = output;
  startup.lpAttributeList = inherited.get();
  std::wstring line = platform::make_command_line(program, arguments);
  PROCESS_INFORMATION made{};
  if (CreateProcessW(platform::to_wide(program).c_str(), line.data(), nullptr, nullptr, TRUE,
                     CREATE_SUSPENDED | CREATE_NO_WINDOW | EXTENDED_STARTUPINFO_PRESENT, nullptr,
                     nullptr, &startup.StartupInfo, &made) == 0) {
    return {};
  }
  thread = UniqueHandle(made.hThread);
  return UniqueHandle(made.hProcess);
}

/// Adds what is in the pipe now, and keeps the end; the writer may still live and is not waited
/// for.
void read_available(HANDLE pipe, std::string& text) {
  DWORD available = 0;
  // A flood has an end here: the time limit is the caller's.
  for (int i = 0; i < 1000; ++i) {
    std::array<char, 512> part{};
    DWORD got = 0;
    if (PeekNamedPipe(pipe, nullptr, 0, nullptr, &available, nullptr) == 0 || available == 0 ||
        ReadFile(pipe, part.data(), static_cast<DWORD>(part.size()), &got, nullptr) == 0) {
      return;
    }
    text.append(part.data(), got);
    if (text.size() > kMostOutput) text.erase(0, text.size() - kMostOutput);
  }
}

/// True when the process ends within `limit`. Takes what it writes all the while: a pipe that
/// nobody empties would hold a talkative driver up.
bool wait_for_end(HANDLE process, HANDLE pipe, nanoseconds limit, std::string& output) {
  constexpr DWORD kLookMs = 50;
  const ULONGLONG until =
      GetTickCount64() +
      static_cast<ULONGLONG>(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count());
  for (;;) {
    const bool ended = WaitForSingleObject(process, kLookMs) == WAIT_OBJECT_0;
    read_available(pipe, output);
    if (ended || GetTickCount64() >= until) return ended;
  }
}

// --- in the child --------------------------------------------------------------------------------

void say(HANDLE output, const std::string& line) {
  DWORD written = 0;
  const std::string text = fmt::format("\n{}\n", line);  // a driver may have begun a line
  WriteFile(output, text.data(), static_cast<DWORD>(text.size()), &written, nullptr);
}

/// Messages that the driver has posted to itself.
void pump() {
  MSG message;
  for (int i = 0; i < 1000 && PeekMessageW(&message, nullptr, 0, 0, PM_REMOVE) != 0; ++i) {
    TranslateMessage(&message);
    DispatchMessageW(&message);
  }
}

}  // namespace

/// The binary interface of ASIO drivers, as far as this needs it: COM's three methods, then init.
/// Not in an unnamed namespace: the compiler would conclude that nobody implements it.
struct ProbedDriver : IUnknown {
  virtual std::int32_t init(void* window) = 0;
};

Known<ProbeResult> probe_driver(const std::string& driver_class, unsigned bits, bool initialise,
                                nanoseconds limit) {
  if (!is_class_id(driver_class)) {
    return Known<ProbeResult>::unknown("what is registered as its class is none");
  }
  const auto program =
      probe_program(platform::program_path(), service::kVersion, driver_class, bits, initialise);
  if (!program) return Known<ProbeResult>::unknown(program.error().message);
  SECURITY_ATTRIBUTES inheritable{sizeof inheritable, nullptr, TRUE};
  HANDLE raw_read = nullptr;
  HANDLE raw_write = nullptr;
  if (CreatePipe(&raw_read, &raw_write, &inheritable, 64 * 1024) == 0) {
    return Known<ProbeResult>::unknown("Windows gives no pipe");
  }
  const UniqueHandle read(raw_read);
  UniqueHandle write(raw_write);
  SetHandleInformation(read.get(), HANDLE_FLAG_INHERIT, 0);
  const UniqueHandle job = make_job();
  UniqueHandle thread;
  const UniqueHandle process =
      start_suspended(program->path, program->arguments, write.get(), thread);
  if (!process) {
    return Known<ProbeResult>::unknown("Windows starts no process, error " +
                                       std::to_string(GetLastError()));
  }
  write.reset();
  if (!job || AssignProcessToJobObject(job.get(), process.get()) == 0) {
    // Without the job it could outlive us: better no answer.
    TerminateProcess(process.get(), 1);
    return Known<ProbeResult>::unknown("Windows puts no process into a job");
  }
  ResumeThread(thread.get());
  std::string output;
  const bool finished = wait_for_end(process.get(), read.get(), limit, output);
  if (!finished) TerminateJobObject(job.get(), 1);
  DWORD code = 1;
  GetExitCodeProcess(process.get(), &code);
  return judge_probe(finished, code, output, limit);
}

int run_probe_child(const std::string& driver_class, bool initialise) {
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
  const HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
  SetStdHandle(STD_OUTPUT_HANDLE, nullptr);  // not for the driver
  CLSID clsid{};
  if (CoInitializeEx(nullptr, COINIT_APARTMENTTHREADED) != S_OK ||
      CLSIDFromString(platform::to_wide(driver_class).c_str(), &clsid) != S_OK) {
    say(output, "refused its class is no CLSID");
    return 0;
  }
  void* object = nullptr;
  const HRESULT made =
      CoCreateInstance(clsid, nullptr, CLSCTX_INPROC_SERVER, clsid, &object);  // IID = CLSID
  if (FAILED(made) || object == nullptr) {
    say(output, fmt::format("refused Windows' code is 0x{:08X}", static_cast<std::uint32_t>(made)));
    return 0;
  }
  auto* const driver = static_cast<ProbedDriver*>(object);
  if (initialise) {
    const HWND window = CreateWindowExW(0, L"STATIC", L"asio-driver doctor", WS_OVERLAPPED, 0, 0, 1,
                                        1, nullptr, nullptr, GetModuleHandleW(nullptr), nullptr);
    const bool works = driver->init(window) != 0;
    pump();
    driver->Release();
    pump();
    say(output, works ? "fine" : "fine it has nothing to play on");
    return 0;
  }
  driver->Release();
  say(output, "fine");
  return 0;
}

}  // namespace asiodrv::doctor
