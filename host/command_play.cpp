// play and record.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>

#include "core/audio/wav_file.hpp"
#include "core/base/rt.hpp"
#include "host/commands.hpp"
#include "host/samples.hpp"
#include "host/stream.hpp"

namespace asiodrv::host {
namespace {

constexpr nanoseconds kLookEvery = std::chrono::milliseconds{50};
constexpr nanoseconds kPlayStall = std::chrono::seconds{5};
constexpr int kMaxResets = 20;
constexpr double kDefaultRecordSeconds = 10.0;

/// Loading a program disturbs those that play; who wants to start quietly loads well before.
void wait_before_start(Command& command) {
  const Instant start = command.world.clock.now() +
                        nanoseconds{static_cast<std::int64_t>(command.options.delay * 1e9)};
  while (command.world.clock.now() < start) {
    command.world.control.wait(
        std::clamp(start - command.world.clock.now(), nanoseconds{0}, kLookEvery));
  }
}

/// Waits until `done`, or a reset request, or no callback for kPlayStall. False in the last case.
bool follow(Command& command, const Stream& stream, const std::function<bool()>& done,
            const std::function<std::string()>& progress) {
  std::uint64_t seen = 0;
  Instant last_change = command.world.clock.now();
  while (!done() && stream.counters().resets.load() == 0) {
    command.world.control.wait(kLookEvery);
    command.output.progress(progress());
    const std::uint64_t count = stream.counters().callbacks.load();
    if (count != seen) {
      seen = count;
      last_change = command.world.clock.now();
    } else if (command.world.clock.now() - last_change > kPlayStall) {
      return false;
    }
  }
  return true;
}

/// Plays planar float sound, from a place that survives a reset of the driver.
class Player final : public StreamClient {
 public:
  Player(const audio::WavAudio& sound, std::uint64_t frames) : sound_(sound), end_(frames) {}

  /// Encodes for the type of `stream`. Before start.
  void attach(const Stream& stream) {
    stream_ = &stream;
    const std::size_t bytes = stream.bytes_per_sample();
    encoded_.clear();
    for (const std::vector<float>& channel : sound_.channels) {
      encoded_.emplace_back(channel.size() * bytes);
      for (std::size_t i = 0; i < channel.size(); ++i) {
        encode_float(stream.sample_type(), channel[i], encoded_.back().data() + i * bytes);
      }
    }
  }

  void on_block(const Block& block) RT_SAFE override {
    const RtScope scope;
    const std::size_t length = encoded_.front().size() / stream_->bytes_per_sample();
    const std::size_t bytes = stream_->bytes_per_sample();
    const auto frames = static_cast<std::size_t>(stream_->frames());
    const std::uint64_t from = cursor_.load(std::memory_order_relaxed);
    for (std::size_t output = 0; output < stream_->outputs(); ++output) {
      const std::vector<std::byte>& source = encoded_[output % encoded_.size()];
      std::byte* into = stream_->output(output, block.half);
      for (std::size_t at = 0; at < frames;) {
        const std::uint64_t cursor = from + at;
        if (cursor >= end_) {
          std::memset(into + at * bytes, 0, (frames - at) * bytes);
          break;
        }
        const auto place = static_cast<std::size_t>(cursor % length);
        const std::size_t fits = std::min(frames - at, length - place);
        const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(fits, end_ - cursor));
        std::memcpy(into + at * bytes, source.data() + place * bytes, run * bytes);
        at += run;
      }
    }
    cursor_.store(from + frames, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t played() const noexcept { return cursor_.load(); }

 private:
  const audio::WavAudio& sound_;
  std::uint64_t end_;
  const Stream* stream_ = nullptr;
  std::vector<std::vector<std::byte>> encoded_;
  std::atomic<std::uint64_t> cursor_{0};
};

/// Copies all inputs into memory reserved beforehand, and counts what the driver jumped over.
class Recording final : public StreamClient {
 public:
  void attach(const Stream& stream, std::uint64_t frames) {
    stream_ = &stream;
    const auto blocks =
        static_cast<std::size_t>(frames / static_cast<std::uint64_t>(stream.frames()) + 1);
    memory_.resize(blocks * stream.inputs() * stream.block_bytes());
    capacity_ = blocks;
  }
  void on_block(const Block& block) RT_SAFE override {
    const RtScope scope;
    const std::size_t number = blocks_.load(std::memory_order_relaxed);
    for (std::size_t output = 0; output < stream_->outputs(); ++output) {
      std::memset(stream_->output(output, block.half), 0, stream_->block_bytes());
    }
    if (number == capacity_) return;
    if (number > 0 && block.position > next_position_) {
      lost_.fetch_add(static_cast<std::uint64_t>(block.position - next_position_),
                      std::memory_order_relaxed);
    }
    next_position_ = block.position + stream_->frames();
    std::byte* into = memory_.data() + number * stream_->inputs() * stream_->block_bytes();
    for (std::size_t input = 0; input < stream_->inputs(); ++input) {
      std::memcpy(into, stream_->input(input, block.half), stream_->block_bytes());
      into += stream_->block_bytes();
    }
    blocks_.store(number + 1, std::memory_order_release);
  }
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_.load(); }
  [[nodiscard]] bool full() const noexcept { return blocks() == capacity_; }
  /// Frames between recorded blocks that never came, by the driver's own positions.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(); }
  [[nodiscard]] const std::byte* block(std::size_t number, std::size_t input,
                                       const Stream& stream) const {
    return memory_.data() + (number * stream.inputs() + input) * stream.block_bytes();
  }

 private:
  const Stream* stream_ = nullptr;
  std::vector<std::byte> memory_;
  std::size_t capacity_ = 0;
  std::int64_t next_position_ = 0;  ///< audio thread only
  std::atomic<std::size_t> blocks_{0};
  std::atomic<std::uint64_t> lost_{0};
};

Result<> write_recording(const std::string& path, const Recording& recording, const Stream& stream,
                         std::uint64_t limit_frames) {
  const auto channels = static_cast<std::uint32_t>(stream.inputs());
  auto file = audio::WavRecorder::create(
      path,
      {{static_cast<std::uint32_t>(stream.rate() + 0.5)}, channels, audio::WavCoding::float32});
  if (!file) return tl::unexpected<Error>(file.error());
  const auto frames = static_cast<std::uint32_t>(stream.frames());
  std::vector<std::vector<float>> planes(channels, std::vector<float>(frames));
  std::vector<const float*> pointers;
  for (const auto& plane : planes) pointers.push_back(plane.data());
  std::uint64_t left = limit_frames;
  for (std::size_t block = 0; block < recording.blocks() && left > 0; ++block) {
    for (std::uint32_t channel = 0; channel < channels; ++channel) {
      decode_samples(stream.sample_type(), recording.block(block, channel, stream),
                     planes[channel]);
    }
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(frames, left));
    if (auto done = file->append({pointers.data(), channels, Frames{count}}); !done) return done;
    left -= count;
  }
  return file->finish();
}

}  // namespace

int run_play(Command& command) {
  const Options& options = command.options;
  const Result<audio::WavAudio> sound = audio::read_wav_file(options.file);
  if (!sound) return failed(command, sound.error());
  if (sound->frames() == 0) {
    command.output.error(fmt::format("'{}' holds no sound.", options.file));
    return kExitFailed;
  }
  int exit_code = kExitFailed;
  std::optional<Driver> driver = open_driver(command, exit_code);
  if (!driver) return exit_code;
  const std::uint64_t wanted = options.seconds > 0
                                   ? static_cast<std::uint64_t>(options.seconds * sound->rate.hz)
                                   : sound->frames();
  const std::uint64_t end = options.loop ? (options.seconds > 0 ? wanted : UINT64_MAX)
                                         : std::min<std::uint64_t>(wanted, sound->frames());
  Player player(*sound, end);
  std::uint64_t callbacks = 0;
  int resets = 0;
  while (true) {
    StreamRequest request =
        stream_request(options, *driver, 0,
                       static_cast<std::int32_t>(std::max<std::size_t>(2, sound->channels.size())));
    if (request.rate == 0 && !options.any_rate) request.rate = sound->rate.hz;
    auto stream = Stream::open(command.world, *driver, request, player);
    if (!stream) return failed(command, stream.error());
    player.attach(**stream);
    // What is still inside the driver after the last frame was handed over.
    const std::uint64_t tail = static_cast<std::uint64_t>((*stream)->output_latency()) +
                               2 * static_cast<std::uint64_t>((*stream)->frames());
    if (resets == 0) wait_before_start(command);
    if (Result<> started = (*stream)->start(); !started) return failed(command, started.error());
    const bool alive = follow(
        command, **stream, [&] { return end != UINT64_MAX && player.played() >= end + tail; },
        [&] {
          return fmt::format("{:.1f} s played",
                             static_cast<double>(player.played()) / (*stream)->rate());
        });
    callbacks += (*stream)->counters().callbacks.load();
    const bool reset = (*stream)->counters().resets.load() > 0;
    if (Result<> stopped = (*stream)->stop(); !stopped) return failed(command, stopped.error());
    command.output.end_progress();
    if (!alive) {
      command.output.error("The driver stopped calling back.");
      return kExitFailed;
    }
    if (!reset) break;
    if (++resets > kMaxResets) {
      command.output.error(fmt::format(
          "The driver asked for a reset more than {} times; the rest was not played.", kMaxResets));
      return kExitFailed;
    }
    stream->reset();
    DriverEntry entry = driver->entry();
    driver.reset();  // a host that was asked for a reset starts again from nothing
    Result<Driver> again = Driver::open(command.world, entry);
    if (!again) return failed(command, again.error());
    driver.emplace(std::move(*again));
  }
  command.output.line(fmt::format("Played {} frames, {} callbacks, {} resets.",
                                  std::min(player.played(), end), callbacks, resets));
  return command.output.json({{"driver", driver->name()},
                              {"frames", std::min(player.played(), end)},
                              {"callbacks", callbacks},
                              {"resets", resets}})
             ? kExitOk
             : kExitFailed;
}

int run_record(Command& command) {
  int exit_code = kExitFailed;
  std::optional<Driver> driver = open_driver(command, exit_code);
  if (!driver) return exit_code;
  const Options& options = command.options;
  StreamRequest request = stream_request(options, *driver, 2, 0);
  Recording recording;
  auto stream = Stream::open(command.world, *driver, request, recording);
  if (!stream) return failed(command, stream.error());
  const double seconds = options.seconds > 0 ? options.seconds : kDefaultRecordSeconds;
  const auto frames = static_cast<std::uint64_t>(seconds * (*stream)->rate());
  constexpr std::uint64_t kMaxBytes = sizeof(void*) == 4 ? 768ULL << 20 : 6ULL << 30;
  if (frames * (*stream)->inputs() * (*stream)->bytes_per_sample() > kMaxBytes) {
    command.output.error(fmt::format("{} s of {} inputs do not fit into {} MiB of memory.", seconds,
                                     (*stream)->inputs(), kMaxBytes >> 20));
    return kExitFailed;
  }
  recording.attach(**stream, frames);
  wait_before_start(command);
  if (Result<> started = (*stream)->start(); !started) return failed(command, started.error());
  const bool alive = follow(
      command, **stream, [&] { return recording.full(); },
      [&] {
        return fmt::format(
            "{:.1f} of {:.1f} s",
            static_cast<double>(recording.blocks()) * (*stream)->frames() / (*stream)->rate(),
            seconds);
      });
  const Result<> stopped = (*stream)->stop();
  command.output.end_progress();
  if (!stopped) return failed(command, stopped.error());
  const Result<> written = write_recording(options.file, recording, **stream, frames);
  if (!written) return failed(command, written.error());
  const std::uint64_t kept = std::min(
      frames, std::uint64_t{recording.blocks()} * static_cast<std::uint64_t>((*stream)->frames()));
  command.output.line(fmt::format("Recorded {} frames of {} inputs at {} Hz into '{}'.", kept,
                                  (*stream)->inputs(), (*stream)->rate(), options.file));
  if (kept < frames) {
    command.output.error(alive ? "The driver asked for a reset; the recording ends there."
                               : "The driver stopped calling back; the recording ends there.");
  }
  if (recording.lost() > 0) {
    command.output.error(fmt::format(
        "{} frames were lost on the way; the file closes up over them.", recording.lost()));
  }
  const bool reported = command.output.json({{"driver", driver->name()},
                                             {"rate_hz", (*stream)->rate()},
                                             {"channels", (*stream)->inputs()},
                                             {"frames", kept},
                                             {"lost_frames", recording.lost()}});
  return reported && kept == frames ? kExitOk : kExitFailed;
}

}  // namespace asiodrv::host
