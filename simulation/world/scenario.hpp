// What a seed means: the device, the clients, and how often what goes wrong.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/units.hpp"

namespace asiodrv::simulation {

/// Everything that the world does to the product. Each kind is counted when it happens.
enum class Fault : std::uint8_t {
  late_callback,       ///< a callback takes up to three periods
  hang,                ///< a callback takes many periods, up to 10 s
  death,               ///< a client's process dies without a word
  suspension,          ///< a client's process is not run for up to 5 s
  engine_stall,        ///< the engine is woken late, by 0.1 to 30 periods
  stream_stall,        ///< a client's stream thread is not run for up to 10 periods
  device_loss,         ///< the cable is out for up to 5 s
  device_gap,          ///< the device drops periods by itself
  rate_change,         ///< a host sets another rate
  clock_drift,         ///< the device's quartz changes its pace a little
  torn_request,        ///< a client's connection ends in the middle of a message
  hostile_message,     ///< a stranger sends what is not right
  half_message,        ///< a stranger begins a message and stays silent
  foreign_session,     ///< a stranger acts on sessions that are not its own
  scribble,            ///< a client writes over its own section
  region_failure,      ///< the system has no memory for a section
  device_failure,      ///< the device cannot be made when the configuration is loaded
  allocation_failure,  ///< an allocation inside a request throws
  service_restart,     ///< the service ends in good order and comes back
  service_crash,       ///< the service is gone at once and comes back
  open_refused,        ///< the device refuses to open, once
  preemption           ///< a thread loses its turn where it takes a lock
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::preemption) + 1;
[[nodiscard]] std::string_view fault_name(Fault fault) noexcept;

/// A planted error that a checker must find.
enum class Canary : std::uint8_t {
  none,
  flipped_bit,      ///< one bit of one sample
  adapted_bit,      ///< the same, of a client with a buffer size of its own
  repeated_block,   ///< a host's block is played twice
  foreign_samples,  ///< a client hears what another one played
  silent_damage,    ///< a block is lost and nobody says so
  position,         ///< a sample position that is off by one buffer
  latency,          ///< the device reports a latency that it does not have
  false_xrun,       ///< the engine is held up and no fault is on record
  slow_reply,       ///< a client is late that has its usual load and no trouble
  slow_adapted,     ///< the same, of a client with a buffer size of its own
  leak,             ///< memory that nobody gives back
  leaked_session,   ///< a section that outlives its client
  leaked_thread,    ///< a thread that outlives everybody
  no_answer,        ///< a request that is never answered
  slow_answer,      ///< one that comes after 2 s, while strangers knock
  refusal,          ///< a request that is refused without a reason
  false_memory,     ///< a request that is refused for want of memory that there is
  false_mode,       ///< one for the format of others, where there is nobody else
  masked_refusal,   ///< one without a reason, while strangers knock
  double_record,    ///< a period that is in the flight recorder twice
  missing_record,   ///< one that is not in it
  no_callbacks,     ///< a started client that is never called
  time_dependent    ///< two runs of one seed that differ
};
[[nodiscard]] std::optional<Canary> canary_of(std::string_view name) noexcept;
[[nodiscard]] std::string_view canary_name(Canary canary) noexcept;
inline constexpr std::size_t kCanaries = static_cast<std::size_t>(Canary::time_dependent) + 1;

struct Scenario {
  std::uint64_t seed = 1;
  double minutes = 1.0;
  SampleRate rate{48'000};
  Frames period{256};
  std::uint32_t inputs = 2, outputs = 2;  ///< of the device, 1 to kMaxChannels
  std::uint32_t clients = 1;              ///< 1 to kMaxHosts
  bool shared_outputs = false;            ///< clients may play into the same output
  bool adapted = false;                   ///< clients may have rates and sizes of their own
  double max_drift_ppm = 0.0;
  std::uint32_t jitter_us = 0;
  double preempt_chance = 0.0;
  double open_refused_chance = 0.0;  ///< of every time that the device is opened
  /// Mean number per simulated hour, of all clients together.
  std::array<double, kFaults> per_hour{};
  Canary canary = Canary::none;

  [[nodiscard]] double& rate_of(Fault fault) { return per_hour[static_cast<std::size_t>(fault)]; }
  [[nodiscard]] double rate_of(Fault fault) const {
    return per_hour[static_cast<std::size_t>(fault)];
  }
};

inline constexpr std::uint32_t kMaxHosts = 5;
inline constexpr std::uint32_t kMaxChannels = 8;

/// The same scenario for the same arguments, on every machine.
[[nodiscard]] Scenario make_scenario(std::uint64_t seed, double minutes, Canary canary);

}  // namespace asiodrv::simulation
