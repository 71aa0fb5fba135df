// One measured run: round trip, bit-exactness, punctuality and cost, all from the same stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "host/comparison.hpp"
#include "host/driver.hpp"
#include "host/round_trip.hpp"
#include "host/sine_fit.hpp"
#include "host/stream.hpp"
#include "host/system.hpp"
#include "host/test_signal.hpp"
#include "host/timing.hpp"

namespace asiodrv::host {

struct MeasurementRequest {
  StreamRequest stream;          ///< inputs and outputs pair up: output k is compared with input k
  double seconds = 5;            ///< from the first callback on
  Planar16 payload;              ///< empty: noise
  std::uint32_t payload_hz = 0;  ///< 0: any rate will do
  std::uint32_t sine_hz = 0;     ///< not 0: a sine instead, judged by its noise (sine_fit.hpp)
  bool floor = true;             ///< run the bare timer beside the stream
  bool light = false;            ///< only copy input to output and count: for measuring cost
  bool mute = false;             ///< light only: play silence instead of the input
  std::function<void(double seconds_done)> progress;  ///< control thread; may be empty
  std::function<void()> streaming;                    ///< after the first callback; may be empty
};

struct Measurement {
  std::string driver;
  std::uint32_t process_id = 0;
  double rate_hz = 0;
  std::int32_t buffer_frames = 0;
  std::string sample_type;
  double seconds = 0;  ///< from the first callback to the last
  bool light = false;

  std::int32_t reported_input_frames = 0;
  std::int32_t reported_output_frames = 0;

  RoundTrip round_trip;
  Comparison comparison;           ///< not done with a sine
  std::uint32_t sine_hz = 0;       ///< 0: no sine was asked for
  std::optional<SineReport> sine;  ///< nothing: no sine, or no marker came back
  Continuity continuity;

  std::uint64_t callbacks = 0;
  Punctuality punctuality;
  bool floor_measured = false;
  Punctuality floor;
  double callback_p50_us = 0, callback_p99_us = 0;  ///< the host's own work per callback
  double cpu_us_per_period =
      0;  ///< of this process without the bare timer, by the system's account

  std::uint64_t overloads = 0, resyncs = 0, resets = 0, rate_changes = 0, latency_changes = 0;
  std::uint64_t untimed_callbacks = 0;  ///< the driver gave no position
  bool stalled = false;                 ///< callbacks stopped coming before the time was over

  /// Nothing lost, altered or out of order between output and input.
  [[nodiscard]] bool intact() const noexcept;
};

/// Runs on `driver`, which is initialised and has no buffers. Control thread; takes
/// `request.seconds` and at most a few seconds more.
/// Errors: those of Stream::open; limit_reached (the recording would not fit into memory),
/// invalid_argument (rate of the payload, frequency of the sine), timed_out (no callback within 5 s
/// of start).
[[nodiscard]] Result<Measurement> measure(World& world, Driver& driver,
                                          const MeasurementRequest& request);

/// Replays `payload` frames of a WAV file as 16-bit numbers.
[[nodiscard]] Planar16 to_planar16(const std::vector<std::vector<float>>& channels);

}  // namespace asiodrv::host
