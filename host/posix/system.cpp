#include "host/system.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "platform/platform.hpp"

namespace asiodrv::host {
namespace {

constexpr const char* kDriverFile = "libasio-driver.so";
constexpr const char* kDriverEntryPoint = "asio_driver_create";

nanoseconds cpu_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
}

}  // namespace

ControlThread::ControlThread() = default;
ControlThread::~ControlThread() = default;

void ControlThread::wait(nanoseconds duration) { std::this_thread::sleep_for(duration); }

std::vector<DriverEntry> installed_drivers() {
  const std::filesystem::path path =
      std::filesystem::path(platform::program_path()).parent_path() / kDriverFile;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  return {{"asio-driver", "", "asio-driver", path.string(), true}};
}

Result<asio::AsioDriver*> create_instance(const DriverEntry& entry) {
  void* module = dlopen(entry.path.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays until the process ends
  if (module == nullptr) {
    return fail(ErrorCode::not_found,
                fmt::format("The driver '{}' cannot be loaded: {}.", entry.name, dlerror()));
  }
  void* symbol = dlsym(module, kDriverEntryPoint);
  if (symbol == nullptr) {
    return fail(ErrorCode::unsupported, fmt::format("'{}' is not an ASIO driver: it exports no {}.",
                                                    entry.path, kDriverEntryPoint));
  }
  auto* const create = reinterpret_cast<asio::AsioDriver* (*)()>(symbol);
  asio::AsioDriver* driver = create();
  if (driver == nullptr) {
    return fail(ErrorCode::internal,
                fmt::format("The driver '{}' made no instance of itself.", entry.name));
  }
  return driver;
}

void keep_output_from_drivers() {}  // there is one for all

nanoseconds process_cpu_time() { return cpu_clock(CLOCK_PROCESS_CPUTIME_ID); }
nanoseconds thread_cpu_time() { return cpu_clock(CLOCK_THREAD_CPUTIME_ID); }

bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

std::vector<std::string> utf8_arguments(int count, char** values) {
  return {values + std::min(count, 1), values + count};
}

Result<> kill_process(std::uint32_t process_id) {
  if (process_id <= 1 || kill(static_cast<pid_t>(process_id), SIGKILL) != 0) {
    return fail(errno == EPERM ? ErrorCode::access_denied : ErrorCode::not_found,
                fmt::format("Process {} cannot be killed.", process_id));
  }
  return {};
}

int run_shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace asiodrv::host
