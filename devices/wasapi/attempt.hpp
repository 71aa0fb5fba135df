// One attempt to make a stream in one mode; see stream_open.hpp, which makes them in turn.
#pragma once

#include "devices/wasapi/stream_open.hpp"

namespace asiodrv::devices::wasapi {

struct Attempt {
  System& system;
  ports::Clock& clock;
  MmDevice& device;
  const StreamRequest& request;

  [[nodiscard]] bool late() const { return clock.now() >= request.deadline; }
};

[[nodiscard]] Result<OpenStream> try_exclusive(const Attempt& attempt);
[[nodiscard]] Result<OpenStream> try_low_latency(const Attempt& attempt);
[[nodiscard]] Result<OpenStream> try_shared(const Attempt& attempt);

/// The format of the shared mixer. Errors: those of the call; unsupported for one that we do not
/// convert.
[[nodiscard]] Result<StreamFormat> mix_format(System& system, AudioClient& client);

/// What the shared mixer runs at now, in frames, by a client of its own: one that has failed to
/// initialise tells nothing. 0: not told.
[[nodiscard]] std::uint32_t mixer_period(System& system, MmDevice& device);

/// While the device is held by somebody who is about to let go (ourselves, as a rule: a closed
/// exclusive stream holds it for some 20 ms more), tries again, for 600 ms at most. `make` makes
/// a fresh client each time.
template <class Make>
[[nodiscard]] Hr while_in_use(const Attempt& attempt, Make make) {
  const Instant give_up =
      std::min(attempt.request.deadline, attempt.clock.now() + std::chrono::milliseconds{600});
  nanoseconds pause = std::chrono::milliseconds{20};
  for (;;) {
    const Hr code = make();
    if (code != kDeviceInUse || attempt.clock.now() + pause > give_up) return code;
    attempt.clock.sleep_until(attempt.clock.now() + pause);
    pause *= 2;
  }
}

}  // namespace asiodrv::devices::wasapi
