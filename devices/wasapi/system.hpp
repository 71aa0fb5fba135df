// The few services of the system that a WASAPI program needs besides its interfaces: the seam
// between the backend and Windows, or the Windows made of arithmetic that tests run it on.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "devices/wasapi/abi.hpp"

namespace asiodrv::devices::wasapi {

enum class WaitEnd { signalled, timed_out, failed };

struct WaitResult {
  WaitEnd end = WaitEnd::failed;
  std::size_t index = 0;  ///< of the signalled event; the lowest when there are several
};

class System {
 public:
  virtual ~System() = default;

  /// The system's one enumerator, counted for the caller. The thread must hold COM.
  /// Errors: the HRESULT of the creation.
  virtual Hr make_enumerator(MmDeviceEnumerator** enumerator) = 0;

  /// Brings COM up on the calling thread (any number of threads, no message loop) until the last
  /// holder of the returned value is gone, which must be on the same thread. Null: refused.
  [[nodiscard]] virtual std::shared_ptr<void> hold_com() = 0;

  /// Gives back what a method returned.
  virtual void free_task_memory(void* memory) noexcept = 0;
  virtual void clear(PropertyValue& value) noexcept = 0;

  /// An event that one wait resets; not signalled. Null when the system refuses.
  [[nodiscard]] virtual EventHandle make_event() = 0;
  virtual void close_event(EventHandle event) noexcept = 0;
  virtual void signal(EventHandle event) RT_SAFE = 0;
  /// Until one of `events` (at most 8) is signalled, until `deadline` at most; resets the one that
  /// it names. Callers inside an RtScope hold an RtPermit.
  virtual WaitResult wait_any(std::span<const EventHandle> events, Instant deadline) RT_SAFE = 0;

  /// Runs `action`, which must not throw, on a thread of its own that holds COM, ends it there, and
  /// waits for that, for `limit` at most. False: it still runs, and is left alone for good;
  /// whatever it touches must live until then, this System included. Control threads. Throws what a
  /// thread that cannot be made throws.
  [[nodiscard]] virtual bool run_aside(std::function<void()> action, nanoseconds limit);

  /// The instant of a performance counter value in units of 100 ns, as interfaces return it.
  [[nodiscard]] virtual Instant instant_of(std::uint64_t qpc) const RT_SAFE = 0;
};

}  // namespace asiodrv::devices::wasapi
