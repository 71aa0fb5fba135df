// What happened last, what was counted, and how a run that found something ends.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "simulation/fibers/scheduler.hpp"
#include "simulation/world/scenario.hpp"

namespace asiodrv::simulation {

/// How often each checker looked.
enum class Check : std::uint8_t {
  samples,    ///< of blocks: channels compared
  positions,  ///< of callbacks
  latencies,  ///< measured against reported
  xruns,      ///< events judged
  periods,    ///< every period is in the flight recorder, once
  memory,     ///< everybody has left: back to the baseline
  answers,    ///< calls answered in time
  callbacks   ///< started clients that are called
};
inline constexpr std::size_t kChecks = static_cast<std::size_t>(Check::callbacks) + 1;
[[nodiscard]] std::string_view check_name(Check check) noexcept;

class Journal {
 public:
  Journal(Scheduler& scheduler, const Scenario& scenario)
      : scheduler_(scheduler), scenario_(scenario) {}

  /// Remembers one line; the newest 30 are shown when a checker fails.
  void note(std::string text);
  void count(Fault fault, std::uint64_t times = 1) {
    faults_[static_cast<std::size_t>(fault)] += times;
  }
  void count(Check check, std::uint64_t times = 1) {
    checks_[static_cast<std::size_t>(check)] += times;
  }
  [[nodiscard]] std::uint64_t counted(Fault fault) const {
    return faults_[static_cast<std::size_t>(fault)];
  }
  [[nodiscard]] std::uint64_t counted(Check check) const {
    return checks_[static_cast<std::size_t>(check)];
  }

  /// A checker has found something: tells what, the last events and how to see it again, and ends
  /// the program with exit code 1.
  [[noreturn]] void fail(Check check, const std::string& what);

  bool tracing = false;  ///< print every note as it comes

 private:
  static constexpr std::size_t kKept = 30;
  [[nodiscard]] std::string stamp() const;

  Scheduler& scheduler_;
  const Scenario& scenario_;
  std::array<std::string, kKept> lines_;
  std::uint64_t written_ = 0;
  std::array<std::uint64_t, kFaults> faults_{};
  std::array<std::uint64_t, kChecks> checks_{};
};

}  // namespace asiodrv::simulation
