#include "service/stop_requests.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace asiodrv::service {

struct StopRequests::State {
  ports::Clock& clock;
  sigset_t before{};
  int signals = -1;
  int leave = -1;
  std::unique_ptr<ports::Thread> thread;
};

StopRequests::StopRequests(ports::Clock& clock, ports::Threads& threads, std::function<void()> stop)
    : state_(new State{clock, {}, -1, -1, nullptr}) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGHUP);  // the terminal was closed
  pthread_sigmask(SIG_BLOCK, &wanted, &state_->before);
  std::signal(SIGPIPE, SIG_IGN);
  state_->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  state_->leave = eventfd(0, EFD_CLOEXEC);
  auto thread =
      threads.start("asiodrv-signals", ports::ThreadRole::control,
                    [state = state_.get(), stop = std::move(stop)] {
                      pollfd watched[] = {{state->signals, POLLIN, 0}, {state->leave, POLLIN, 0}};
                      for (;;) {
                        if (poll(watched, 2, -1) < 0) continue;
                        if (watched[1].revents != 0) return;
                        signalfd_siginfo info;
                        if (read(state->signals, &info, sizeof info) > 0) stop();
                      }
                    });
  if (thread) state_->thread = std::move(*thread);
}

StopRequests::~StopRequests() {
  const std::uint64_t one = 1;
  const bool told = write(state_->leave, &one, sizeof one) == sizeof one;
  if (told && state_->thread) {
    state_->thread->join(state_->clock.now() + std::chrono::seconds{2});
  }
  close(state_->signals);
  close(state_->leave);
  pthread_sigmask(SIG_SETMASK, &state_->before, nullptr);
}

}  // namespace asiodrv::service
