// A wake-up between two threads, usually of two processes: a 32-bit count in shared memory and a
// way to sleep until it changes. One side rings, the other waits; both know the count.
#pragma once

#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::ports {

class Doorbell {
 public:
  virtual ~Doorbell() = default;

  /// Stores `count` (release: what the ringer wrote before is visible to a waiter that sees it)
  /// and wakes the waiter if it sleeps. The ringing side only, one thread. RT: wait-free but for
  /// one kernel call, made only when the waiter sleeps.
  virtual void ring(std::uint32_t count) RT_SAFE = 0;

  /// The current count (acquire). Either side. RT: wait-free. The word lives in memory that the
  /// peer can write: any value may come back.
  [[nodiscard]] virtual std::uint32_t count() const RT_SAFE = 0;

  /// Returns as soon as the count differs from `seen`, or when `deadline` has passed; gives the
  /// count read last. Spins for at most `spin` before it sleeps. The waiting side only, one thread.
  /// Spurious wake-ups stay inside. Callers inside an RtScope hold an RtPermit.
  virtual std::uint32_t wait_change(std::uint32_t seen, Instant deadline,
                                    nanoseconds spin) RT_SAFE = 0;

  /// Makes a current or the next wait_change return early, from any thread of the waiting side's
  /// process, without changing the count. Used to stop a thread.
  virtual void interrupt() RT_SAFE = 0;
};

}  // namespace asiodrv::ports
