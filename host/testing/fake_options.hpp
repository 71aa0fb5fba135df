// What the fake driver is and what it does wrong, as one text: "type=18,skip_every=100".
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.hpp"

namespace asiodrv::host {

struct FakeOptions {
  std::int32_t type = 19;  ///< ASIO sample type
  std::int32_t inputs = 2;
  std::int32_t outputs = 2;      ///< output n is wired to input n
  std::int32_t time_info = 1;    ///< offers the callback that carries time
  std::int32_t extra_delay = 0;  ///< frames of round trip beyond two buffers, not reported

  // Faults in the stream; each happens in every n-th period, 0 is never.
  std::int32_t drop_every = 0;         ///< an output block is replaced by silence
  std::int32_t flip_every = 0;         ///< one bit of one sample is wrong
  std::int32_t skip_every = 0;         ///< two periods are lost, and the position says so
  std::int32_t repeat_half_every = 0;  ///< the half index does not alternate
  std::int32_t late_every = 0;         ///< the callback begins 0.8 periods late
  std::int32_t swap = 0;               ///< output n is wired to the last input minus n
  std::int32_t reset_every = 0;        ///< the host is asked for a reset

  // Faults in the protocol, 1 is on.
  std::int32_t any_channel = 0;     ///< createBuffers and getChannelInfo accept every channel
  std::int32_t crash_on_null = 0;   ///< getChannels writes without looking
  std::int32_t keep_callbacks = 0;  ///< keeps the host's pointer instead of a copy
  std::int32_t hang_in_stop = 0;    ///< stop() waits for the last callback without a bound
  std::int32_t wrong_state = 0;     ///< stop() of a stopped stream is an error
};

/// Errors: malformed, with the keys that exist.
[[nodiscard]] Result<FakeOptions> parse_fake_options(const std::string& text);

}  // namespace asiodrv::host
