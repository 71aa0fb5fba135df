#include "simulation/world/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace asiodrv::simulation {

std::string_view check_name(Check check) noexcept {
  constexpr std::array<std::string_view, kChecks> kNames{
      "samples", "positions", "latencies", "xruns", "periods", "memory", "answers", "callbacks"};
  return kNames[static_cast<std::size_t>(check)];
}

std::string Journal::stamp() const {
  return fmt::format("{:>14.6f} s  step {:<10}", static_cast<double>(scheduler_.now().ns) / 1e9,
                     scheduler_.steps());
}

void Journal::note(std::string text) {
  std::string& line = lines_[written_++ % kKept];
  line = stamp() + text;
  if (tracing) fmt::print(stderr, "{}\n", line);
}

void Journal::fail(Check check, const std::string& what) {
  fmt::print(stderr, "\nThe last events:\n");
  for (std::uint64_t i = written_ - std::min<std::uint64_t>(written_, kKept); i < written_; ++i) {
    fmt::print(stderr, "  {}\n", lines_[i % kKept]);
  }
  fmt::print(stderr, "\nSeed {} fails at step {}, {:.6f} s: {}: {}\n", scenario_.seed,
             scheduler_.steps(), static_cast<double>(scheduler_.now().ns) / 1e9, check_name(check),
             what);
  fmt::print(stderr, "See it again: make simulate SEED={} MINUTES={}{}\n", scenario_.seed,
             scenario_.minutes,
             scenario_.canary == Canary::none
                 ? ""
                 : fmt::format(" CANARY={}", canary_name(scenario_.canary)));
  std::fflush(stderr);
  std::_Exit(1);
}

}  // namespace asiodrv::simulation
