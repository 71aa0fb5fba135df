// A host's callback: position, latency, every sample that it hears; then what it plays.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/engine/flight_recorder.hpp"
#include "simulation/world/flight_check.hpp"
#include "simulation/world/host.hpp"

namespace asiodrv::simulation {
namespace {

using std::chrono::milliseconds;

/// A boundary that is further from now is not passed on by the front.
constexpr nanoseconds kBelievable = milliseconds{990};
/// Callbacks in consecutive periods before a latency is measured: the loop has filled.
constexpr std::uint64_t kSettled = 6;

std::string meaning_of(float sample) {
  if (sample == 0.0F) return "silence";
  const Pattern::Meaning meaning = Pattern::read(sample);
  if (!meaning.valid) return fmt::format("{:.9g}", sample);
  return fmt::format("host-{} channel {} frame {}", meaning.client, meaning.channel, meaning.frame);
}

}  // namespace

void Host::block(const asio::Time& time, std::int32_t half) {
  if (dead_) return;
  const Instant now = world_.clock.now();
  if (!may_be_called_) {
    world_.journal.fail(Check::callbacks, process_.name + " is called after it has stopped.");
  }
  in_callback_ = true;
  const Instant call_before = std::exchange(last_call_, now);
  std::uint64_t position = asio::join64(time.info.sample_position);
  if (world_.scenario.canary == Canary::position && calls_ == 1000) position += frames_.count;
  const auto since_epoch = static_cast<std::int64_t>(asio::join64(time.info.system_time));
  const Instant boundary{since_epoch + anchor_.ns % 1'000'000};
  const bool adapted = is_adapted();
  Period* period =
      adapted ? nullptr
              : world_.ledger.find(world_.device->takes, world_.device->now.index, boundary);
  if (period != nullptr && is_own_pace(boundary, call_before)) period = nullptr;
  // A torn wire has ended its session: until it has another it goes on alone, often just where the
  // next period begins, and what the service had for it already may come before that.
  const bool disowned = wire_->torn > torn_before_session_;
  if (disowned) {
    period = nullptr;
    disown_periods();
  }
  // A host's time never runs backwards: after a boundary that was not believed, the next may be
  // told as the same moment, and nobody can say which period it is.
  const bool held_back = since_epoch == std::exchange(told_time_, since_epoch) && calls_ > 0;
  if (held_back) disown_periods();
  world_.scheduler.mix(position);
  if (world_.journal.tracing) {
    world_.journal.note(fmt::format("{} is called, position {}, period {}", process_.name, position,
                                    period != nullptr ? std::to_string(period->index) : "none"));
  }

  if (!tainted_) {
    check_position(position, period);
    if (adapted) {
      check_adapted(position, half);
    } else if (period != nullptr) {
      check_inputs(position, half, *period);
    } else if (!held_back && !disowned && !was_held_up(now - kBelievable, now) &&
               !world_.troubles.overlaps(now - kBelievable, now)) {
      check_silence(half);
    }
  }
  const bool follows = period != nullptr && last_take_ == period->take &&
                       last_index_ + 1 == period->index &&
                       position == last_position_ + frames_.count;
  streak_ = follows ? streak_ + 1 : 0;
  play(position, half, period);
  ++calls_;
  last_position_ = position;
  last_take_ = period != nullptr ? period->take : 0;
  last_index_ = period != nullptr ? period->index : 0;
  if (says_ready_) front_->output_ready();
  take_time();
  in_callback_ = false;
}

/// A host that goes on alone is called its patience after the last call, which in a world without
/// drift may be a period's beginning as well.
bool Host::is_own_pace(Instant boundary, Instant call_before) const {
  const nanoseconds patience = boundary - call_before;
  const auto nominal =
      static_cast<std::int64_t>(1e9 * frames_.count / world_.device->format.rate.hz);
  return boundary != world_.device->now.boundary &&
         (patience == milliseconds{20} || patience.count() == 3 * nominal);
}

/// Positions never run backwards; between two periods of one take they move as the device does.
void Host::check_position(std::uint64_t position, const Period* period) {
  world_.journal.count(Check::positions);
  std::string wrong;
  if (calls_ == 0) {
    if (position % frames_.count != 0) wrong = "does not begin a block";
  } else if (position < last_position_ + frames_.count) {
    wrong = fmt::format("comes after {}", last_position_);
  } else if (period != nullptr && period->take == last_take_ &&
             position - last_position_ != (period->index - last_index_) * frames_.count) {
    wrong = fmt::format("comes {} periods after {}", period->index - last_index_, last_position_);
  }
  if (wrong.empty()) return;
  world_.journal.fail(Check::positions,
                      fmt::format("{}: sample position {} {}.", process_.name, position, wrong));
}

void Host::check_silence(std::int32_t half) {
  world_.journal.count(Check::samples, inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const float* const heard = buffer(i, half);
    const bool silent = std::all_of(heard, heard + frames_.count, [](float s) { return s == 0; });
    if (silent) continue;
    world_.journal.fail(Check::samples,
                        fmt::format("{} is called without the device and hears {} on input {}.",
                                    process_.name, meaning_of(heard[0]), inputs_[i]));
  }
}

void Host::check_inputs(std::uint64_t position, std::int32_t half, const Period& period) {
  if (infos_.empty() || world_.service_ending || frames_ != world_.device->format.period) return;
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    check_input(i, buffer(i, half), position, period);
}

void Host::check_input(std::size_t at, const float* heard, std::uint64_t position,
                       const Period& period) {
  const std::uint32_t channel = inputs_[at];
  std::fill_n(expected_.begin(), frames_.count, 0.0F);
  const Period* const source =
      period.index >= 2 ? world_.ledger.find(period.take, period.index - 2) : nullptr;
  std::uint32_t sources = 0;
  if (source != nullptr && source->played && channel < world_.scenario.outputs) {
    for (std::uint32_t host = 0; host < kMaxHosts; ++host) {
      const Contribution& part = source->parts[host];
      if ((part.outputs >> channel & 1U) == 0) continue;
      if (part.kind == Contribution::Kind::unknown) return;
      if (part.kind == Contribution::Kind::none) continue;
      ++sources;
      world_.pattern.add(expected_.data(), host, channel, part.first, frames_);
    }
  }
  world_.journal.count(Check::samples);  // not where somebody played what nobody knows
  const std::size_t bytes = frames_.count * sizeof(float);
  if (std::memcmp(heard, expected_.data(), bytes) == 0) {
    const bool mine = source != nullptr && source->parts[slot_].kind == Contribution::Kind::exact &&
                      (source->parts[slot_].outputs >> channel & 1U) != 0;
    if (sources == 1 && mine && streak_ >= kSettled) check_latency(channel, heard, position);
    return;
  }
  if (source != nullptr && damage_named(*source, period, channel)) return;
  const bool silent = std::all_of(heard, heard + frames_.count, [](float s) { return s == 0; });
  if (streak_ == 0 && silent) {
    // It has been away and finds its way back: silence, which the record of this period must name.
    return world_.flight->expect_damage(period, slot_);
  }
  std::uint32_t frame = 0;
  while (std::memcmp(heard + frame, expected_.data() + frame, sizeof(float)) == 0) ++frame;
  world_.journal.fail(
      Check::samples,
      fmt::format("{} hears on input {}, period {}, position {}, frame {}: {} instead of {}; no "
                  "damage is on record (source {}, causes {:#x}, damaged {:#x}).",
                  process_.name, channel, period.index, position, frame, meaning_of(heard[frame]),
                  meaning_of(expected_[frame]), source != nullptr ? source->number : 0,
                  source != nullptr ? source->causes : 0, source != nullptr ? source->damaged : 0));
}

/// The flight recorder says that `source` was damaged for somebody who plays into `channel`, or
/// that this host got nothing in the period in which it listened.
bool Host::damage_named(const Period& source, const Period& heard_in, std::uint32_t channel) const {
  if (source.everyone || heard_in.everyone) return true;
  if ((heard_in.damaged >> slot_ & 1U) != 0) return true;
  for (std::uint32_t host = 0; host < world_.hosts.size(); ++host) {
    const std::uint32_t outputs = source.parts[host].outputs | world_.hosts[host]->output_mask();
    if ((source.damaged >> host & 1U) != 0 && (outputs >> channel & 1U) != 0) return true;
  }
  return false;
}

/// An adapted host at the device's rate, in a calm world and on a channel that is its own, hears
/// itself exactly, as late as the driver says.
void Host::check_adapted(std::uint64_t position, std::int32_t half) {
  constexpr nanoseconds kSettling = std::chrono::seconds{3};
  const Instant now = world_.clock.now();
  const auto told = static_cast<std::uint64_t>(told_input_ + told_output_);
  if (lazy_ || latencies_stale_ || world_.late_by_itself() || rate_ != world_.device->format.rate ||
      !world_.calm(kSettling) || now - started_ < kSettling || position < told ||
      was_held_up(now - kSettling, now) || world_.troubles.overlaps(now - kSettling, now)) {
    return;
  }
  for (const auto& host : world_.hosts) {
    if (now - host->changed() < kSettling) return;
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::uint32_t channel = inputs_[i];
    std::uint32_t players = 0;
    for (const auto& host : world_.hosts) {
      if ((host->output_mask() >> channel & 1U) != 0) ++players;
    }
    if (players != 1 || (output_mask_ >> channel & 1U) == 0) continue;
    std::fill_n(expected_.begin(), frames_.count, 0.0F);
    world_.pattern.add(expected_.data(), slot_, channel, base_ + position - told, frames_);
    world_.journal.count(Check::samples);
    world_.journal.count(Check::latencies);
    const float* const heard = buffer(i, half);
    if (std::memcmp(heard, expected_.data(), frames_.count * sizeof(float)) == 0) continue;
    world_.journal.fail(
        Check::samples,
        fmt::format("{}, {} frames on a device of {}, was told {} frames and hears on input {}, "
                    "position {}: {} instead of {}.",
                    process_.name, frames_.count, world_.device->format.period.count, told, channel,
                    position, meaning_of(heard[0]), meaning_of(expected_[0])));
  }
}

/// On a channel of its own a host hears itself as late as the driver says.
void Host::check_latency(std::uint32_t channel, const float* heard, std::uint64_t position) {
  world_.journal.count(Check::latencies);
  const auto told = static_cast<std::uint64_t>(told_input_ + told_output_);
  const Pattern::Meaning meaning = Pattern::read(heard[0]);
  const std::uint64_t said = (base_ + position + Pattern::kFrames - told) % Pattern::kFrames;
  if (meaning.valid && meaning.client == slot_ && meaning.frame == said) return;
  const std::uint64_t measured =
      (base_ + position + Pattern::kFrames - meaning.frame) % Pattern::kFrames;
  world_.journal.fail(Check::latencies,
                      fmt::format("{} was told {} + {} frames and measures {} on channel {}.",
                                  process_.name, told_input_, told_output_, measured, channel));
}

void Host::play(std::uint64_t position, std::int32_t half, Period* period) {
  const Canary canary = calls_ == 1000 ? world_.scenario.canary : Canary::none;
  const std::uint64_t first = base_ + position;
  const std::uint64_t written =
      canary == Canary::repeated_block ? first - frames_.count + Pattern::kFrames : first;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    float* const into = buffer(inputs_.size() + i, half);
    const std::uint32_t who = canary == Canary::foreign_samples ? (slot_ + 1) % kMaxHosts : slot_;
    world_.pattern.write(into, who, outputs_[i], written, frames_);
    if (canary == Canary::flipped_bit ||
        (world_.scenario.canary == Canary::adapted_bit && is_adapted())) {
      reinterpret_cast<std::uint8_t*>(into + frames_.count / 2)[0] ^= 1U;
    }
  }
  if (was_adapted_ || is_adapted()) return disown_periods();
  if (period == nullptr) return;
  // A deferred host's block is taken when the next period begins.
  Period& taken_in = lazy_ ? world_.ledger.at(period->take, period->index + 1) : *period;
  Contribution& part = taken_in.parts[slot_];
  part.outputs = output_mask_;
  part.first = first;
  part.kind = tainted_ || ending_ ? Contribution::Kind::unknown : Contribution::Kind::exact;
}

/// Which of a deferred host's blocks is taken after periods that nobody served is not looked into.
void Host::note_lost_periods() {
  if (lazy_ && streaming_) disown_periods();
}

/// The time that a callback takes: none, its usual load, or as long as the director wants.
void Host::take_time() {
  const Canary canary = world_.scenario.canary;
  const double late_before = late_periods_;
  const double periods = late_periods_ > 0.0 ? late_periods_ : load_ * (0.5 + 0.5 * rng_.unit());
  late_periods_ = 0.0;
  if (periods <= 0.0) return;
  const bool usual = late_before <= 0.0;
  const nanoseconds own = rate_.hz == 0 ? world_.period_length() : duration_ceil(frames_, rate_);
  const nanoseconds whole = usual ? std::min(own, world_.period_length()) : world_.period_length();
  const auto length = static_cast<double>(whole.count()) * (usual && is_adapted() ? 0.5 : 1.0);
  const Instant now = world_.clock.now();
  const Instant until = now + nanoseconds{static_cast<std::int64_t>(periods * length)};
  // The usual load fits into a period. It is an excuse where the period has begun late.
  if (!usual) {
    troubles_.add(now, until);
    faults_.note(Fault::hang, until);
  } else if (!world_.perfect()) {
    loads_.add(now, until);
  }
  world_.clock.sleep_until(until);
  if (!usual || calls_ <= 1000) return;
  if (canary == Canary::slow_reply || (canary == Canary::slow_adapted && is_adapted())) {
    world_.sleep(world_.period_length());  // beyond its load, which is on record
  }
}

}  // namespace asiodrv::simulation
