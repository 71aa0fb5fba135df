#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "bench/event_round_trip.hpp"

namespace asiodrv::bench {
namespace {

struct Words {
  std::atomic<std::uint32_t> ask{0};
  std::atomic<std::uint32_t> answer{0};
};

void wake(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  word.store(value);
  syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// False after 5 s: the other process is gone.
bool wait_for(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  const timespec limit{1, 0};
  int seconds = 0;
  for (std::uint32_t now = word.load(); now != value; now = word.load()) {
    const auto woken = syscall(SYS_futex, &word, FUTEX_WAIT, now, &limit, nullptr, 0);
    if (woken != 0 && errno == ETIMEDOUT && ++seconds == 5) return false;
  }
  return true;
}

/// Of this process and of its children that have ended.
std::int64_t cpu_used_ns() {
  std::int64_t total = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    for (const timeval& each : {usage.ru_utime, usage.ru_stime}) {
      total += std::int64_t{each.tv_sec} * 1'000'000'000 + std::int64_t{each.tv_usec} * 1000;
    }
  }
  return total;
}

}  // namespace

bool event_round_trips(int rounds, const std::function<void(std::int64_t)>& report,
                       std::int64_t& cpu_ns) {
  const std::int64_t before = cpu_used_ns();
  void* memory =
      mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  auto* words = new (memory) Words;
  const pid_t child = fork();
  if (child < 0) return false;
  const auto last = static_cast<std::uint32_t>(rounds);
  if (child == 0) {  // inherits this thread's scheduling
    for (std::uint32_t round = 1; round <= last; ++round) {
      if (!wait_for(words->ask, round)) break;  // whoever asked was killed
      wake(words->answer, round);
    }
    _exit(0);
  }
  bool answered = true;
  for (std::uint32_t round = 1; round <= last; ++round) {
    const std::int64_t start = now_ns();
    wake(words->ask, round);
    answered = wait_for(words->answer, round);
    if (!answered) break;
    report(now_ns() - start);
    const timespec pause{0, 1'333'333};
    nanosleep(&pause, nullptr);
  }
  if (!answered) {
    std::fputs("event_bench: the second process does not answer\n", stderr);
    kill(child, SIGKILL);
  }
  waitpid(child, nullptr, 0);
  cpu_ns = cpu_used_ns() - before;
  munmap(memory, sizeof(Words));
  return answered;
}

int answer_round_trips(const char*, int) { return 2; }  // the fork answers here

}  // namespace asiodrv::bench
