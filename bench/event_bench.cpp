// A raw event round trip between two processes, under the scheduling that audio threads get: the
// peer of the product's wake-up path. Prints one JSON object; cpu_us is what one round, a sleep and
// two wake-ups, costs both processes together.
//
//   event_bench [ROUNDS]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bench/event_round_trip.hpp"
#include "platform/platform.hpp"

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--answer") == 0) {
    return asiodrv::bench::answer_round_trips(argv[2], std::atoi(argv[3]));
  }
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5000;
  if (rounds < 1 || rounds > 1'000'000) {
    fmt::print(stderr, "event_bench: ROUNDS is a number from 1 to 1000000\n");
    return 2;
  }
  std::vector<std::int64_t> times;
  times.reserve(static_cast<std::size_t>(rounds));
  const auto keep = [&](std::int64_t ns) { times.push_back(ns); };
  bool done = false;
  bool realtime = false;
  std::int64_t cpu_ns = 0;
  const auto threads = asiodrv::platform::make_threads();
  const auto clock = asiodrv::platform::make_clock();
  const auto finished = threads->make_signal();
  auto thread = threads->start("bench", asiodrv::ports::ThreadRole::audio, [&] {
    done = asiodrv::bench::event_round_trips(rounds, keep, cpu_ns);
    finished->signal();
  });
  if (!thread) return 1;
  realtime = (*thread)->is_realtime();
  const auto limit = std::chrono::minutes{2} + rounds * std::chrono::milliseconds{3};
  if (!finished->wait(clock->now() + limit)) {
    std::fputs("event_bench: the round trips take longer than 3 ms each\n", stderr);
    std::_Exit(1);  // the thread still writes into what is below
  }
  (*thread)->join(clock->now() + std::chrono::seconds{5});
  if (!done || times.empty()) return 1;
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) {
    return static_cast<double>(
               times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))]) /
           1000.0;
  };
  fmt::print(
      "{{\"rounds\": {}, \"p50_us\": {:.2f}, \"p99_us\": {:.2f}, \"realtime\": {}, "
      "\"cpu_us\": {:.2f}}}\n",
      times.size(), at(0.50), at(0.99), realtime,
      static_cast<double>(cpu_ns) / 1000.0 / static_cast<double>(times.size()));
}
