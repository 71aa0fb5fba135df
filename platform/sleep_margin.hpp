// How long before a deadline a kernel sleep should end, learnt from how late earlier ones ended.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::platform {

/// No sleep_until spins longer than this, whatever was asked and measured.
inline constexpr nanoseconds kMaxSpin{60'000};

/// What an ordinary wake-up may cost in spinning. The margin covers most late wake-ups (about 95
/// of 100) as long as that keeps the ordinary one within this; beyond, processor time matters more
/// than the rare late wake-up.
inline constexpr nanoseconds kTypicalSpin{12'000};

/// Tracks the median and a high percentile of the observed lateness, both by small steps up and
/// down, so that one stall of the machine moves them little and a change of its habits moves them
/// within some tens of sleeps. Any thread; concurrent observers may lose a step, never a value.
class SleepMargin {
 public:
  /// Sleep until the deadline minus this. RT: wait-free.
  [[nodiscard]] nanoseconds margin() const RT_SAFE;

  /// One sleep ended `lateness` after it was asked to. RT: wait-free.
  void observe(nanoseconds lateness) RT_SAFE;

 private:
  std::atomic<std::int64_t> typical_ns_{20'000};
  std::atomic<std::int64_t> high_ns_{40'000};
};

}  // namespace asiodrv::platform
