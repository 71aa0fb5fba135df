// Time as the product sees it. The simulation replaces it; nothing below a main reads a system
// clock.
#pragma once

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::ports {

class Clock {
 public:
  virtual ~Clock() = default;

  /// The current instant. Any thread. RT: one system read without a kernel transition where the
  /// machine offers it.
  [[nodiscard]] virtual Instant now() const RT_SAFE = 0;

  /// Sleeps until `deadline` (never returns early), as precisely as this platform can: a sleep
  /// until shortly before, then a short bounded spin. Returns at once if the deadline has passed.
  /// Any thread; a bounded wait, so callers inside an RtScope hold an RtPermit.
  virtual void sleep_until(Instant deadline) RT_SAFE = 0;
};

}  // namespace asiodrv::ports
