#include "host/measurement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <optional>

#include "core/base/rt.hpp"
#include "host/floor_timer.hpp"
#include "host/numbers.hpp"
#include "host/samples.hpp"
#include "platform/platform.hpp"

namespace asiodrv::host {
namespace {

constexpr nanoseconds kFirstCallback = std::chrono::seconds{5};
constexpr nanoseconds kStall = std::chrono::seconds{3};
constexpr nanoseconds kMeasureEvery = std::chrono::milliseconds{50};
constexpr double kLeadSeconds = 0.1;
constexpr std::uint32_t kNoiseFrames = 65521;  // a prime: no common rhythm with any buffer size
constexpr std::uint64_t kMaxTapeBytes = sizeof(void*) == 4 ? 768ULL << 20 : 6ULL << 30;

/// The callback of a measured run.
class Recorder final : public StreamClient {
 public:
  Recorder(World& world, const TestSignal& signal, Tape& tape)
      : world_(world), signal_(signal), tape_(tape) {}

  void attach(const Stream& stream) noexcept { stream_ = &stream; }

  void on_block(const Block& block) RT_SAFE override {
    const RtScope scope;
    const auto frames = static_cast<std::uint32_t>(stream_->frames());
    for (std::uint32_t channel = 0; channel < signal_.channels(); ++channel) {
      signal_.copy(cursor_, channel, frames, stream_->output(channel, block.half));
    }
    if (!tape_.full()) {
      for (std::uint32_t channel = 0; channel < tape_.channels(); ++channel) {
        std::memcpy(tape_.next_input(channel), stream_->input(channel, block.half),
                    tape_.block_bytes());
      }
      BlockRecord& record = tape_.next_record();
      record.position = block.position;
      record.cursor = cursor_;
      record.entered_ns = block.entered.ns;
      record.half = block.half;
      record.duration_ns = static_cast<std::uint32_t>(
          std::max<std::int64_t>(0, world_.clock.now().ns - block.entered.ns));
      tape_.push();
    }
    if (!block.timed) untimed_.fetch_add(1, std::memory_order_relaxed);
    cursor_ += frames;
  }

  [[nodiscard]] std::uint64_t untimed() const noexcept { return untimed_.load(); }

 private:
  World& world_;
  const TestSignal& signal_;
  Tape& tape_;
  const Stream* stream_ = nullptr;
  std::uint64_t cursor_ = 0;  ///< audio thread only
  std::atomic<std::uint64_t> untimed_{0};
};

/// The callback of a run that only costs what a host cannot avoid.
class Copier final : public StreamClient {
 public:
  explicit Copier(bool mute) : mute_(mute) {}
  void attach(const Stream& stream) noexcept { stream_ = &stream; }
  void on_block(const Block& block) RT_SAFE override {
    const RtScope scope;
    const std::size_t pairs = mute_ ? 0 : std::min(stream_->inputs(), stream_->outputs());
    for (std::size_t channel = 0; channel < pairs; ++channel) {
      std::memcpy(stream_->output(channel, block.half), stream_->input(channel, block.half),
                  stream_->block_bytes());
    }
    for (std::size_t channel = pairs; channel < stream_->outputs(); ++channel) {
      std::memset(stream_->output(channel, block.half), 0, stream_->block_bytes());
    }
    if (first_ns_ == 0) first_ns_ = block.entered.ns;
    last_ns_ = block.entered.ns;
  }
  /// After the stream has stopped.
  [[nodiscard]] double seconds() const noexcept {
    return static_cast<double>(last_ns_ - first_ns_) / 1e9;
  }

 private:
  const bool mute_;
  const Stream* stream_ = nullptr;
  std::int64_t first_ns_ = 0;
  std::int64_t last_ns_ = 0;
};

/// What surrounds the callbacks of one run, the same for both kinds.
class Run {
 public:
  Run(World& world, const MeasurementRequest& request) : world_(world), request_(request) {}

  /// Starts, waits `request.seconds` from the first callback, stops.
  [[nodiscard]] Result<> stream(Stream& stream) {
    const nanoseconds cpu_before = process_cpu_time();
    if (Result<> started = stream.start(); !started) return started;
    const auto callbacks = [&] {
      return stream.counters().callbacks.load(std::memory_order_acquire);
    };
    if (!wait_until(world_, kFirstCallback, [&] { return callbacks() > 0; })) {
      return fail(ErrorCode::timed_out, "The driver did not call back within 5 s of start.");
    }
    if (request_.streaming) request_.streaming();
    const Instant first = world_.clock.now();
    const Instant end = first + nanoseconds{static_cast<std::int64_t>(request_.seconds * 1e9)};
    std::uint64_t seen = 0;
    Instant last_change = first;
    while (world_.clock.now() < end) {
      const std::int64_t left = (end - world_.clock.now()).count();
      world_.control.wait(std::clamp(nanoseconds{left}, nanoseconds{1'000'000}, kMeasureEvery));
      const Instant now = world_.clock.now();
      if (const std::uint64_t count = callbacks(); count != seen) {
        seen = count;
        last_change = now;
      } else if (now - last_change > kStall) {
        stalled_ = true;
        break;
      }
      if (request_.progress) {
        request_.progress(static_cast<double>((now - first).count()) / 1e9);
      }
    }
    stream.refresh_latencies();
    const Result<> stopped = stream.stop();
    cpu_ = process_cpu_time() - cpu_before;
    return stopped;
  }

  void describe(const Driver& driver, const Stream& stream, Measurement& result) const {
    const StreamCounters& counters = stream.counters();
    result.driver = driver.name();
    result.process_id = platform::process_id();
    result.rate_hz = stream.rate();
    result.buffer_frames = stream.frames();
    result.sample_type = sample_type_label(stream.sample_type());
    result.reported_input_frames = stream.input_latency();
    result.reported_output_frames = stream.output_latency();
    result.callbacks = counters.callbacks.load();
    result.overloads = counters.overloads.load();
    result.resyncs = counters.resyncs.load();
    result.resets = counters.resets.load();
    result.rate_changes = counters.rate_changes.load();
    result.latency_changes = counters.latency_changes.load();
    result.stalled = stalled_;
    result.sine_hz = request_.sine_hz;
    result.light = request_.light;
  }

  [[nodiscard]] double cpu_us_per(std::uint64_t callbacks, nanoseconds without) const {
    if (callbacks == 0) return 0;
    return static_cast<double>((cpu_ - without).count()) / 1000.0 / static_cast<double>(callbacks);
  }

 private:
  World& world_;
  const MeasurementRequest& request_;
  nanoseconds cpu_{0};
  bool stalled_ = false;
};

/// Which period each callback served: by position where positions are whole periods.
std::vector<Tick> callback_ticks(const Tape& tape) {
  std::vector<Tick> ticks;
  ticks.reserve(tape.blocks());
  std::int64_t index = 0;
  for (std::size_t block = 0; block < tape.blocks(); ++block) {
    if (block > 0) {
      const std::int64_t step = tape.record(block).position - tape.record(block - 1).position;
      index += std::max<std::int64_t>(1, step / tape.frames());
    }
    ticks.push_back({index, tape.record(block).entered_ns});
  }
  return ticks;
}

void judge_durations(const Tape& tape, Measurement& result) {
  std::vector<double> durations;
  durations.reserve(tape.blocks());
  for (std::size_t block = 0; block < tape.blocks(); ++block) {
    durations.push_back(tape.record(block).duration_ns / 1000.0);
  }
  result.callback_p50_us = percentile(durations, 50);
  result.callback_p99_us = percentile(durations, 99);
}

Result<Measurement> measure_light(World& world, Driver& driver, const MeasurementRequest& request) {
  Copier copier(request.mute);
  auto stream = Stream::open(world, driver, request.stream, copier);
  if (!stream) return tl::unexpected<Error>(stream.error());
  copier.attach(**stream);
  Run run(world, request);
  if (Result<> done = run.stream(**stream); !done) return tl::unexpected<Error>(done.error());
  Measurement result;
  run.describe(driver, **stream, result);
  result.seconds = copier.seconds();
  result.cpu_us_per_period = run.cpu_us_per(result.callbacks, nanoseconds{0});
  return result;
}

/// Blocks that the run may need: its length, an eighth more for a fast clock, and two seconds.
/// Nothing when they do not fit into memory.
std::optional<std::size_t> tape_blocks(const Stream& stream, double seconds) {
  const double blocks = std::ceil((seconds * 1.125 + 2.0) * stream.rate() / stream.frames());
  const double sound =
      static_cast<double>(stream.inputs()) * static_cast<double>(stream.block_bytes());
  const double bytes = blocks * (sound + static_cast<double>(sizeof(BlockRecord)));
  // Written so that a driver whose rate is no number ends here too.
  if (!(blocks >= 1 && bytes <= static_cast<double>(kMaxTapeBytes))) return std::nullopt;
  return static_cast<std::size_t>(blocks);
}

TestSignal signal_for(const Stream& stream, const MeasurementRequest& request,
                      std::uint32_t channels) {
  const auto lead = static_cast<std::uint32_t>(stream.rate() * kLeadSeconds);
  if (request.sine_hz != 0) {
    return TestSignal::from_floats(
        stream.sample_type(), channels, lead,
        TestSignal::sine(request.sine_hz, static_cast<std::uint32_t>(stream.rate())));
  }
  return {stream.sample_type(), channels, lead,
          request.payload.empty() ? TestSignal::noise(std::max(channels, 1U), kNoiseFrames)
                                  : request.payload};
}

/// The stream has to exist before the signal can be encoded, and the stream wants its client at
/// once: this stands between them, and plays silence until then.
class LateClient final : public StreamClient {
 public:
  void attach(StreamClient& client) noexcept { client_ = &client; }
  void on_block(const Block& block) RT_SAFE override {
    if (client_ != nullptr) client_->on_block(block);
  }

 private:
  StreamClient* client_ = nullptr;  ///< set before start
};

}  // namespace

bool Measurement::intact() const noexcept {
  return round_trip.frames.has_value() && round_trip.bit_exact && round_trip.consistent &&
         comparison.compared_frames > 0 && comparison.mismatched_frames == 0 &&
         continuity.gaps.empty() && continuity.backward_positions == 0 &&
         continuity.repeated_halves == 0 && !stalled;
}

Result<Measurement> measure(World& world, Driver& driver, const MeasurementRequest& request) {
  if (request.light) return measure_light(world, driver, request);
  LateClient client;
  auto opened = Stream::open(world, driver, request.stream, client);
  if (!opened) return tl::unexpected<Error>(opened.error());
  Stream& stream = **opened;
  if (request.payload_hz != 0 && std::fabs(stream.rate() - request.payload_hz) > 0.5) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("The file is at {} Hz and the stream at {} Hz. Choose --rate {}, or "
                            "--any-rate to play the samples as they are.",
                            request.payload_hz, stream.rate(), request.payload_hz));
  }
  if (request.sine_hz != 0) {
    if (Result<> checked = check_sine(request.sine_hz, stream.rate()); !checked) {
      return tl::unexpected<Error>(checked.error());
    }
  }
  const auto blocks = tape_blocks(stream, request.seconds);
  if (!blocks) {
    return fail(ErrorCode::limit_reached,
                fmt::format("{} s of {} inputs do not fit into {} MiB. Choose fewer inputs, fewer "
                            "seconds, or --light.",
                            request.seconds, stream.inputs(), kMaxTapeBytes >> 20));
  }
  const auto channels = static_cast<std::uint32_t>(stream.outputs());
  const TestSignal signal = signal_for(stream, request, channels);
  Tape tape(*blocks, static_cast<std::uint32_t>(stream.inputs()),
            static_cast<std::uint32_t>(stream.frames()), stream.bytes_per_sample());
  Recorder recorder(world, signal, tape);
  recorder.attach(stream);
  client.attach(recorder);

  std::unique_ptr<FloorTimer> floor;
  if (request.floor) {
    auto timer = FloorTimer::start(world, stream.frames(), stream.rate(), *blocks);
    if (!timer) return tl::unexpected<Error>(timer.error());
    floor = std::move(*timer);
  }
  Run run(world, request);
  const Result<> done = run.stream(stream);
  if (floor) floor->stop();
  if (!done) {
    opened->reset();  // before what its callbacks use
    return tl::unexpected<Error>(done.error());
  }

  Measurement result;
  run.describe(driver, stream, result);
  result.untimed_callbacks = recorder.untimed();
  const std::int32_t sample_type = stream.sample_type();
  opened->reset();  // no callback touches the tape from here on
  const double period_ns = result.buffer_frames * 1e9 / result.rate_hz;
  result.cpu_us_per_period =
      run.cpu_us_per(result.callbacks, floor ? floor->cpu_time() : nanoseconds{0});
  result.punctuality = judge_punctuality(callback_ticks(tape), period_ns);
  judge_durations(tape, result);
  if (tape.blocks() > 0) {
    const std::int64_t first = tape.record(0).entered_ns;
    const std::int64_t last = tape.record(tape.blocks() - 1).entered_ns;
    result.seconds = static_cast<double>(last - first) / 1e9;
    result.floor_measured = floor != nullptr;
    if (floor) result.floor = judge_punctuality(floor->ticks(first, last), period_ns);
  }
  result.continuity = check_continuity(tape);
  if (tape.channels() > 0 && signal.channels() > 0) {
    result.round_trip =
        find_round_trip(tape, signal, sample_type, static_cast<std::uint32_t>(result.rate_hz));
    if (result.round_trip.frames && request.sine_hz != 0) {
      result.sine =
          examine_sine(tape, signal, sample_type, request.sine_hz,
                       static_cast<std::uint32_t>(result.rate_hz), *result.round_trip.frames);
    } else if (result.round_trip.frames) {
      result.comparison = compare(tape, signal, *result.round_trip.frames);
    }
  }
  return result;
}

Planar16 to_planar16(const std::vector<std::vector<float>>& channels) {
  Planar16 result;
  for (const std::vector<float>& channel : channels) {
    std::vector<std::int16_t>& into = result.emplace_back(channel.size());
    std::transform(channel.begin(), channel.end(), into.begin(), quantise);
  }
  return result;
}

}  // namespace asiodrv::host
