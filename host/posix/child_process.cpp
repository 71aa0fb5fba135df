#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "host/system.hpp"

extern char** environ;

namespace asiodrv::host {
namespace {

using SteadyClock = std::chrono::steady_clock;

class PosixChild final : public ChildProcess {
 public:
  PosixChild(pid_t child, int pipe) : child_(child), pipe_(pipe) {}
  ~PosixChild() override {
    if (!ended_) {
      kill();
      waitpid(child_, &status_, 0);
    }
    close(pipe_);
  }

  bool wait(nanoseconds limit) override {
    const auto until = SteadyClock::now() + limit;
    while (!ended_) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now());
      read_output(std::clamp<int>(static_cast<int>(left.count()), 0, 20));
      if (waitpid(child_, &status_, WNOHANG) == child_) {
        ended_ = true;
        while (read_output(0)) {
        }
      } else if (SteadyClock::now() >= until) {
        return false;
      }
    }
    return true;
  }

  void kill() override {
    if (!ended_) ::kill(child_, SIGKILL);
  }
  [[nodiscard]] int exit_code() const override {
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 1;
  }
  [[nodiscard]] std::string crash() const override {
    if (!WIFSIGNALED(status_)) return {};
    return fmt::format("signal {} ({})", WTERMSIG(status_), strsignal(WTERMSIG(status_)));
  }
  [[nodiscard]] const std::string& output() const override { return output_; }

 private:
  /// True when something was read. Waits up to `patience_ms` for it, or sleeps when the child has
  /// closed its output but still runs.
  bool read_output(int patience_ms) {
    if (!open_) {
      if (patience_ms > 0) usleep(2000);
      return false;
    }
    pollfd waiter{pipe_, POLLIN, 0};
    if (poll(&waiter, 1, patience_ms) <= 0) return false;
    char buffer[4096];
    const ssize_t got = read(pipe_, buffer, sizeof buffer);
    if (got <= 0) {
      open_ = got < 0 && errno == EINTR;
      return false;
    }
    output_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  pid_t child_;
  int pipe_;
  int status_ = 0;
  bool ended_ = false;
  bool open_ = true;
  std::string output_;
};

}  // namespace

Result<std::unique_ptr<ChildProcess>> start_child(const std::string& program,
                                                  const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return fail(ErrorCode::internal, "No pipe for the output of another program.");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> values{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) {
    values.push_back(const_cast<char*>(argument.c_str()));
  }
  values.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawn(&child, program.c_str(), &actions, nullptr, values.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return fail(ErrorCode::not_found,
                fmt::format("'{}' cannot be started: {}.", program, strerror(error)));
  }
  return std::make_unique<PosixChild>(child, ends[0]);
}

}  // namespace asiodrv::host
