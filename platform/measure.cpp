// Prints how late this machine's sleeps end, what they cost in processor time, and the round trip
// of a doorbell between two processes. For people who judge a machine; nothing asserts on it.
//
//   platform_measure [audio]    `audio` measures on a real-time thread
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "core/ports/clock.hpp"
#include "platform/monotonic.hpp"
#include "platform/platform.hpp"

namespace asiodrv::platform {
namespace {

using namespace std::chrono_literals;

constexpr nanoseconds kPeriod{1'333'333};  // 64 frames at 48 kHz
constexpr int kSleeps = 3000;
constexpr std::uint32_t kTurns = 3000;
constexpr std::size_t kWake = 64;
constexpr std::size_t kAck = 256;

void print(const char* what, std::vector<std::int64_t> ns) {
  std::sort(ns.begin(), ns.end());
  const auto at = [&ns](double part) {
    return static_cast<double>(
               ns[static_cast<std::size_t>(part * static_cast<double>(ns.size() - 1))]) /
           1000.0;
  };
  std::printf("%-34s us: p50 %7.1f  p90 %7.1f  p99 %7.1f  max %8.1f\n", what, at(0.5), at(0.9),
              at(0.99), at(1.0));
}

void measure_sleeps() {
  const auto clock = make_clock();
  std::vector<std::int64_t> lateness;
  const std::clock_t before = std::clock();
  Instant deadline = clock->now();
  for (int turn = 0; turn < kSleeps; ++turn) {
    deadline = std::max(deadline + kPeriod, clock->now());
    clock->sleep_until(deadline);
    lateness.push_back((clock->now() - deadline).count());
  }
  const double cpu = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  print("sleep_until is late by", std::move(lateness));
#ifndef _WIN32  // there the runtime's clock is no processor time
  std::printf("%-34s us: %.1f per period of %.0f\n", "processor time", cpu * 1e6 / kSleeps,
              static_cast<double>(kPeriod.count()) / 1000.0);
#else
  (void)cpu;
#endif
}

void measure_doorbell(const std::string& name, nanoseconds spin) {
  auto region = make_shared_regions()->create(4096);
  auto wake = (*region)->doorbell(kWake, "wake");
  auto ack = (*region)->doorbell(kAck, "ack");
  if (!wake || !ack ||
      !start_detached(program_path(),
                      {"--echo", (*region)->token(), std::to_string(spin.count())})) {
    std::puts("the echoing process could not be started");
    return;
  }
  (void)(*ack)->wait_change(0, monotonic_now() + 10s, 0ns);  // it is there
  std::vector<std::int64_t> round_trips;
  const auto clock = make_clock();
  for (std::uint32_t turn = 1; turn <= kTurns; ++turn) {
    clock->sleep_until(clock->now() + 300us);  // both sides have gone to sleep
    const Instant begin = monotonic_now();
    (*wake)->ring(turn);
    if ((*ack)->wait_change(turn, begin + 10s, spin) != turn + 1) break;
    round_trips.push_back((monotonic_now() - begin).count());
  }
  print(name.c_str(), std::move(round_trips));
}

int echo(const std::string& token, nanoseconds spin) {
  auto region = make_shared_regions()->open(token, 4096);
  if (!region) return 1;
  auto wake = (*region)->doorbell(kWake, "wake");
  auto ack = (*region)->doorbell(kAck, "ack");
  if (!wake || !ack) return 2;
  auto thread = make_threads()->start("echo", ports::ThreadRole::audio, [&] {
    (*ack)->ring(1);
    for (std::uint32_t turn = 0; turn < kTurns; ++turn) {
      if ((*wake)->wait_change(turn, monotonic_now() + 10s, spin) != turn + 1) return;
      (*ack)->ring(turn + 2);
    }
  });
  return thread && (*thread)->join(monotonic_now() + 120s) ? 0 : 3;
}

int measure(bool audio) {
  auto thread = make_threads()->start(
      "measure", audio ? ports::ThreadRole::audio : ports::ThreadRole::control, [] {
        measure_sleeps();
        measure_doorbell("doorbell round trip, no spin", 0ns);
        measure_doorbell("doorbell round trip, spin 20 us", 20us);
      });
  if (!thread) return 1;
  std::printf("real time: %s\n", (*thread)->is_realtime() ? "yes" : "no");
  return (*thread)->join(monotonic_now() + 120s) ? 0 : 1;
}

}  // namespace
}  // namespace asiodrv::platform

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 3 && words[0] == "--echo") {
    return asiodrv::platform::echo(words[1], std::chrono::nanoseconds{std::stoll(words[2])});
  }
  return asiodrv::platform::measure(!words.empty() && words[0] == "audio");
}
