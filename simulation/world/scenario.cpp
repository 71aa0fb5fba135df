#include "simulation/world/scenario.hpp"

#include <algorithm>

#include "core/base/prng.hpp"

namespace asiodrv::simulation {
namespace {

constexpr std::array<std::string_view, kFaults> kFaultNames{"late_callback",   "hang",
                                                            "death",           "suspension",
                                                            "engine_stall",    "stream_stall",
                                                            "device_loss",     "device_gap",
                                                            "rate_change",     "clock_drift",
                                                            "torn_request",    "hostile_message",
                                                            "half_message",    "foreign_session",
                                                            "scribble",        "region_failure",
                                                            "device_failure",  "allocation_failure",
                                                            "service_restart", "service_crash",
                                                            "open_refused",    "preemption"};

constexpr std::array<std::string_view, kCanaries> kCanaryNames{
    "none",          "flipped_bit",    "adapted_bit",    "repeated_block", "foreign_samples",
    "silent_damage", "position",       "latency",        "false_xrun",     "slow_reply",
    "slow_adapted",  "leak",           "leaked_session", "leaked_thread",  "no_answer",
    "slow_answer",   "refusal",        "false_memory",   "false_mode",     "masked_refusal",
    "double_record", "missing_record", "no_callbacks",   "time_dependent"};

/// Usual numbers per simulated hour. Most seeds leave some kinds out: faults hide behind others.
struct Usual {
  Fault fault;
  double per_hour;
};
constexpr Usual kUsual[] = {
    {Fault::late_callback, 240},
    {Fault::hang, 20},
    {Fault::death, 20},
    {Fault::suspension, 20},
    {Fault::engine_stall, 120},
    {Fault::stream_stall, 120},
    {Fault::device_loss, 12},
    {Fault::device_gap, 60},
    {Fault::rate_change, 20},
    {Fault::torn_request, 30},
    {Fault::hostile_message, 200},
    {Fault::half_message, 12},
    {Fault::foreign_session, 60},
    {Fault::scribble, 15},
    {Fault::region_failure, 30},
    {Fault::device_failure, 20},
    {Fault::allocation_failure, 60},
    {Fault::service_restart, 8},
    {Fault::service_crash, 8},
};

/// Nothing but what the canary needs happens while one is planted: what must not hide it, too.
void make_quiet(Scenario& scenario) {
  scenario.per_hour.fill(0.0);
  scenario.preempt_chance = scenario.open_refused_chance = 0.0;
  scenario.clients = scenario.canary == Canary::false_mode ? 1 : 2;
  scenario.shared_outputs = false;
  const Canary canary = scenario.canary;
  scenario.adapted = canary == Canary::adapted_bit || canary == Canary::slow_adapted;
  if (canary == Canary::slow_reply || canary == Canary::slow_adapted) {
    scenario.jitter_us = 0;
    scenario.preempt_chance = 1e-12;  // never; but in a perfect world no load is on record
  }
  if (canary == Canary::masked_refusal || canary == Canary::slow_answer) {
    scenario.rate_of(Fault::hostile_message) = 3600;
  }
  scenario.inputs = scenario.outputs = 4;
}

}  // namespace

std::string_view fault_name(Fault fault) noexcept {
  return kFaultNames[static_cast<std::size_t>(fault)];
}

std::string_view canary_name(Canary canary) noexcept {
  return kCanaryNames[static_cast<std::size_t>(canary)];
}

std::optional<Canary> canary_of(std::string_view name) noexcept {
  const auto found = std::find(kCanaryNames.begin(), kCanaryNames.end(), name);
  if (found == kCanaryNames.end()) return std::nullopt;
  return static_cast<Canary>(found - kCanaryNames.begin());
}

Scenario make_scenario(std::uint64_t seed, double minutes, Canary canary) {
  Prng rng(scramble64(seed) ^ 0x5343454E4152494FU);
  Scenario scenario;
  scenario.seed = seed;
  scenario.minutes = minutes;
  scenario.canary = canary;
  constexpr std::uint32_t kRates[] = {44'100, 48'000, 48'000, 96'000};
  constexpr std::uint32_t kPeriods[] = {64, 128, 256, 256, 512, 1024};
  scenario.rate = {kRates[rng.below(4)]};
  scenario.period = {kPeriods[rng.below(6)]};
  scenario.inputs = static_cast<std::uint32_t>(rng.between(1, kMaxChannels));
  scenario.outputs = static_cast<std::uint32_t>(rng.between(1, kMaxChannels));
  scenario.clients = static_cast<std::uint32_t>(rng.between(1, kMaxHosts));
  scenario.shared_outputs = rng.chance(0.5);
  scenario.max_drift_ppm = rng.chance(0.5) ? 900.0 * rng.unit() : 0.0;
  const auto period_us = duration_ceil(scenario.period, scenario.rate).count() / 1000;
  scenario.jitter_us =
      rng.chance(0.5)
          ? static_cast<std::uint32_t>(rng.below(static_cast<std::uint64_t>(period_us) / 6 + 1))
          : 0;
  scenario.jitter_us = std::min(scenario.jitter_us, 1000U);
  scenario.preempt_chance = rng.chance(0.7) ? 0.02 * rng.unit() : 0.0;
  const bool perfect = rng.chance(0.05);  // a world without faults must be a perfect one
  for (const Usual& usual : kUsual) {
    const bool wanted = rng.chance(0.7);
    const double factor = 2.0 * rng.unit();
    if (wanted && !perfect) scenario.rate_of(usual.fault) = factor * usual.per_hour;
  }
  if (perfect) scenario.preempt_chance = 0.0;
  scenario.adapted = rng.chance(0.5);
  // By a generator of its own: the worlds in which every open is granted are what they were before
  // there was this fault. Those that are kept because they found something are among them.
  Prng opens(scramble64(seed) ^ 0x5F52454655534544U);
  if (opens.chance(0.35) && !perfect) scenario.open_refused_chance = 0.1 + 0.4 * opens.unit();
  if (canary != Canary::none) make_quiet(scenario);
  return scenario;
}

}  // namespace asiodrv::simulation
