// Makes a stream of an endpoint, in the best mode that it allows.
//
//   exclusive     the device alone: its own periods, no mixer, event driven
//   low_latency   the shared mixer at a small period (IAudioClient3)
//   shared        the shared mixer at its usual period
//
// What was not possible is kept as sentences. Each attempt is made with a client of its own: one
// that has failed to initialise is of no use afterwards.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "devices/wasapi/com.hpp"
#include "devices/wasapi/formats.hpp"

namespace asiodrv::devices::wasapi {

enum class StreamMode { exclusive, low_latency, shared };
[[nodiscard]] const char* mode_name(StreamMode mode) noexcept;

enum class ModeChoice { automatic, exclusive, low_latency, shared };

/// The modes to try, best first. `prefer_exclusive` counts for automatic only: taking a device from
/// all other programs is nothing to do unasked.
[[nodiscard]] std::vector<StreamMode> modes_of(ModeChoice choice, bool prefer_exclusive);

struct StreamRequest {
  Flow flow = Flow::render;
  std::vector<StreamMode> modes;
  SampleRate rate{};
  Frames period{};
  std::uint32_t channels = 0;          ///< exclusive streams; shared ones have the mixer's
  std::optional<StreamFormat> chosen;  ///< in Windows' settings: tried first when exclusive
  /// Lets Windows convert when its mixer runs at another rate (shared mode only; costs latency that
  /// nothing reports).
  bool may_convert_rate = false;
  Instant deadline{};  ///< no new attempt after it
  /// Where the period is put that an exclusive device has named in place of `period`; may be null.
  std::uint32_t* named_period = nullptr;
  /// The same for the one that others hold the shared mixer at, when it is not `period`.
  std::uint32_t* held_period = nullptr;
};

struct OpenStream {
  ComPtr<AudioClient> client;  ///< initialised, with its event set, not started
  StreamMode mode = StreamMode::shared;
  StreamFormat format;
  Frames period{};                 ///< what was asked
  Frames buffer{};                 ///< of the client
  std::vector<std::string> steps;  ///< why no better mode; empty for the best
};

/// Control threads; blocks until the deadline at most, plus one call of the system. Errors:
/// format_refused (with what is accepted), device_busy, device_gone, access_denied, unsupported.
/// `event` is signalled once per period of the stream and must outlive it.
[[nodiscard]] Result<OpenStream> open_stream(System& system, ports::Clock& clock, MmDevice& device,
                                             const StreamRequest& request, EventHandle event);

}  // namespace asiodrv::devices::wasapi
