#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/posix/unique_fd.hpp"
#include "platform/test_peer.hpp"

namespace asiodrv::platform::test {
namespace {

bool ended(int descriptor, Instant deadline) {
  pollfd watched{descriptor, POLLIN, 0};
  const auto ms = time_left(deadline).count() / 1'000'000 + 1;
  return poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(ms, 60'000))) == 1;
}

UniqueFd process_descriptor(pid_t process) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
}

class PosixPeer final : public Peer {
 public:
  explicit PosixPeer(pid_t process) : process_(process), end_(process_descriptor(process)) {}
  ~PosixPeer() override {
    if (reaped_) return;
    kill();
    waitpid(process_, nullptr, 0);
  }

  std::optional<int> wait(Instant deadline) override {
    int status = 0;
    if (reaped_ || !ended(end_.get(), deadline)) return std::nullopt;
    reaped_ = waitpid(process_, &status, 0) == process_;
    if (!reaped_ || !WIFEXITED(status)) return std::nullopt;
    return WEXITSTATUS(status);
  }

  void kill() override { ::kill(process_, SIGKILL); }

 private:
  pid_t process_;
  UniqueFd end_;
  bool reaped_ = false;
};

class PosixModule final : public Module {
 public:
  explicit PosixModule(void* handle) : handle_(handle) {}
  ~PosixModule() override { dlclose(handle_); }
  [[nodiscard]] void* symbol(const char* name) const override { return dlsym(handle_, name); }

 private:
  void* handle_;
};

std::string module_file(const std::string& name) {
  const std::string program = program_path();
  return program.substr(0, program.rfind('/') + 1) + "lib" + name + ".so";
}

}  // namespace

std::unique_ptr<Module> load_module(const std::string& name) {
  void* handle = dlopen(module_file(name).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return nullptr;
  }
  return std::make_unique<PosixModule>(handle);
}

bool module_is_loaded(const std::string& name) {
  void* handle = dlopen(module_file(name).c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return false;
  dlclose(handle);
  return true;
}

std::unique_ptr<Peer> start_peer(const std::string& role,
                                 const std::vector<std::string>& arguments) {
  std::vector<std::string> words{program_path(), "--role", role};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> raw;
  for (std::string& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  pid_t process = 0;
  if (posix_spawn(&process, raw[0], nullptr, nullptr, raw.data(), environ) != 0) {
    std::perror("posix_spawn");
    std::abort();
  }
  return std::make_unique<PosixPeer>(process);
}

std::string temporary_folder() { return "/tmp/"; }

std::string describe_surroundings() {
  int open_descriptors = 0;
  for (int fd = 0; fd < 1024; ++fd) open_descriptors += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  sigset_t blocked;
  sigprocmask(SIG_SETMASK, nullptr, &blocked);
  const bool real_time = (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) != SCHED_OTHER;
  struct sigaction pipe {};
  sigaction(SIGPIPE, nullptr, &pipe);
  return "descriptors " + std::to_string(open_descriptors) +  // the connection is one
         (sigismember(&blocked, SIGTERM) == 1 ? ", signals blocked" : "") +
         (pipe.sa_handler != SIG_DFL ? ", handlers kept" : "") + (real_time ? ", real time" : "") +
         (getsid(0) == getpid() ? ", leads a session" : "") +
         (getpgid(0) == getpid() ? ", leads a group" : "") + (isatty(0) == 1 ? ", terminal" : "");
}

std::string expected_surroundings() { return "descriptors 4"; }

bool wait_for_end(std::uint32_t process, Instant deadline) {
  const UniqueFd descriptor = process_descriptor(static_cast<pid_t>(process));
  return !descriptor || ended(descriptor.get(), deadline);  // none: it has ended already
}

}  // namespace asiodrv::platform::test
