// Processes that die: another host of the same driver, and the service behind it.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "host/measurement.hpp"
#include "host/samples.hpp"
#include "host/torture/case.hpp"
#include "platform/platform.hpp"

namespace asiodrv::host {
namespace {

constexpr double kBesideSeconds = 3.0;
constexpr nanoseconds kOtherHostStarts = std::chrono::seconds{10};
constexpr nanoseconds kSoundReturns = std::chrono::seconds{10};
constexpr nanoseconds kRetry = std::chrono::milliseconds{250};
constexpr nanoseconds kLasting = std::chrono::milliseconds{500};
constexpr nanoseconds kLongestGap = std::chrono::seconds{1};
/// Blocks at the edges of the silence that may be neither sound nor silence.
constexpr std::uint64_t kBrokenBlocks = 16;

std::string driver_argument(const DriverEntry& entry) {
  return entry.clsid.empty() ? entry.path : entry.clsid;
}

MeasurementRequest pairs_of(const CaseContext& context, Driver& driver) {
  MeasurementRequest request;
  request.stream.frames = context.options.frames;
  const Shape shape = shape_of(context, driver);
  for (std::int32_t channel = 0; channel < std::min({2, shape.inputs, shape.outputs}); ++channel) {
    request.stream.inputs.push_back(channel);
    request.stream.outputs.push_back(channel);
  }
  return request;
}

Verdict kill_host(const CaseContext& context) {
  Checks checks(context);
  // Mute, because the driver may mix: the other host must not be heard in our comparison.
  auto other = start_child(platform::program_path(),
                           {"measure", "--light", "--mute", "--announce", "--quiet", "--seconds",
                            "120", "--driver", driver_argument(context.entry)});
  if (!other) return failed_case(other.error().message);
  const Instant give_up = context.world.clock.now() + kOtherHostStarts;
  while ((*other)->output().find("streaming") == std::string::npos) {
    if ((*other)->wait(std::chrono::milliseconds{50})) {
      return skipped("a second host process cannot stream beside the first");
    }
    if (context.world.clock.now() > give_up) return failed_case("the other host did not stream");
  }
  Result<Driver> driver = context.open();
  if (!driver) return failed_case(driver.error().message);
  MeasurementRequest request = pairs_of(context, *driver);
  request.seconds = context.options.kill_self_after + kBesideSeconds;
  bool killed = false;
  request.progress = [&](double done) {
    if (killed || done < context.options.kill_self_after) return;
    (*other)->kill();
    killed = true;
  };
  const Result<Measurement> result = measure(context.world, *driver, request);
  if (!result) return failed_case(result.error().message);
  checks.require(killed, "the other host was not killed");
  return judge_stream(checks, *result, request.seconds, context.loopback,
                      fmt::format("{} lost stretches", result->continuity.gaps.size()));
}

/// Plays the number of each block and listens for it: numbers that count up are sound, zeros are
/// silence, and one that is no later than what was heard is what an old buffer still held. Numbers
/// that were left out are damage, of which a machine that stalls makes as much as it likes.
class Echo final : public StreamClient {
 public:
  void attach(const Stream& stream) noexcept {
    stream_ = &stream;
    last_ns_ = 0;
    longest_gap_ns_ = 0;
  }

  void on_block(const Block& block) RT_SAFE override {
    const std::size_t bytes = stream_->bytes_per_sample();
    number_ = number_ % kNumbers + 1;
    for (std::size_t output = 0; output < stream_->outputs(); ++output) {
      std::byte* into = stream_->output(output, block.half);
      for (std::int32_t i = 0; i < stream_->frames(); ++i, into += bytes) {
        encode_float(stream_->sample_type(), static_cast<float>(number_) / kScale, into);
      }
    }
    float value = 0;
    decode_samples(stream_->sample_type(), stream_->input(0, block.half), {&value, 1});
    const auto heard = static_cast<std::int32_t>(value * kScale + 0.5F);
    if (heard == 0) {
      silent_ns_ = block.entered.ns;
    } else if (heard == last_heard_ % kNumbers + 1) {
      heard_ns_ = block.entered.ns;
    } else if (const std::int32_t ahead = (heard - last_sound_ + kNumbers) % kNumbers;
               ahead <= 0 || ahead > kNumbers / 2 || heard > kNumbers) {
      stale_blocks_.fetch_add(1);
    }
    last_heard_ = heard;
    if (heard != 0) last_sound_ = heard;
    const std::int64_t last = last_ns_.exchange(block.entered.ns);
    if (last != 0 && block.entered.ns - last > longest_gap_ns_.load()) {
      longest_gap_ns_ = block.entered.ns - last;
    }
  }

  [[nodiscard]] Instant heard() const noexcept { return {heard_ns_.load()}; }
  [[nodiscard]] Instant silent() const noexcept { return {silent_ns_.load()}; }
  [[nodiscard]] std::uint64_t stale_blocks() const noexcept { return stale_blocks_.load(); }
  [[nodiscard]] nanoseconds longest_gap() const noexcept {
    return nanoseconds{longest_gap_ns_.load()};
  }

 private:
  static constexpr std::int32_t kNumbers = 200;
  static constexpr float kScale = 256.0F;  // exact in every sample type

  const Stream* stream_ = nullptr;
  std::int32_t number_ = 0;  ///< audio thread only, as are the next two
  std::int32_t last_heard_ = 0, last_sound_ = 0;
  std::atomic<std::int64_t> last_ns_{0}, longest_gap_ns_{0}, heard_ns_{0}, silent_ns_{0};
  std::atomic<std::uint64_t> stale_blocks_{0};
};

/// A host that plays on through a reset request, as a DAW does.
class SteadyHost {
 public:
  SteadyHost(const CaseContext& context, Echo& echo) : context_(context), echo_(echo) {}

  [[nodiscard]] Result<> open() {
    stream_.reset();
    driver_.reset();
    Result<Driver> driver = context_.open();
    if (!driver) return tl::unexpected<Error>(driver.error());
    driver_.emplace(std::move(*driver));
    auto stream =
        Stream::open(context_.world, *driver_, pairs_of(context_, *driver_).stream, echo_);
    if (!stream) return tl::unexpected<Error>(stream.error());
    stream_ = std::move(*stream);
    echo_.attach(*stream_);
    return stream_->start();
  }
  /// Acts on a reset request, and on a reset that could not be carried out the last time.
  [[nodiscard]] int obey() {
    const bool wanted = !stream_ || stream_->counters().resets.load() > 0;
    if (!wanted || context_.world.clock.now() < next_try_) return 0;
    next_try_ = context_.world.clock.now() + kRetry;
    if (Result<> opened = open(); !opened) {
      stream_.reset();
      return 0;
    }
    return 1;
  }
  [[nodiscard]] bool streaming() const noexcept { return stream_ != nullptr; }

 private:
  const CaseContext& context_;
  Echo& echo_;
  std::optional<Driver> driver_;
  std::unique_ptr<Stream> stream_;  // destroyed before its driver
  Instant next_try_{};
};

Verdict kill_service(const CaseContext& context) {
  const Options& options = context.options;
  if (options.service_pid == 0 && options.kill_command.empty()) {
    return skipped("no service to kill; give --service-pid or --kill-command");
  }
  if (!context.loopback) return skipped("needs the driver's loopback; give --loopback");
  Checks checks(context);
  Echo echo;
  SteadyHost host(context, echo);
  if (Result<> opened = host.open(); !opened) return failed_case(opened.error().message);
  const auto hears = [&](Instant since) {
    return wait_until(context.world, kSoundReturns, [&] { return echo.heard() > since; });
  };
  if (!hears({})) return failed_case("nothing came back before the service was killed");
  const std::uint64_t stale_before = echo.stale_blocks();
  const Instant killed = context.world.clock.now();
  if (options.service_pid != 0) {
    if (Result<> done = kill_process(options.service_pid); !done) {
      return failed_case(done.error().message);
    }
  } else if (run_shell(options.kill_command) != 0) {
    return failed_case(fmt::format("'{}' failed", options.kill_command));
  }
  const Instant dead = context.world.clock.now();
  int resets = 0;
  nanoseconds longest_gap{0};
  bool back = false;
  while (!back && context.world.clock.now() - dead < kSoundReturns + kLasting) {
    context.world.control.wait(std::chrono::milliseconds{5});
    if (host.streaming()) longest_gap = std::max(longest_gap, echo.longest_gap());
    resets += host.obey();
    // Sound that was on its way when the service died is no return: it has to last.
    back = echo.silent() > killed && echo.heard() > echo.silent() + kLasting;
  }
  checks.require(echo.silent() > killed, "the sound never stopped: was that the service?");
  checks.require(
      longest_gap < kLongestGap,
      fmt::format("no callback for {:.2f} s", static_cast<double>(longest_gap.count()) / 1e9));
  checks.require(back, "the sound did not come back within 10 s");
  const std::uint64_t stale = echo.stale_blocks() - stale_before;
  checks.expect(stale <= kBrokenBlocks,
                fmt::format("{} blocks held old sound instead of silence", stale));
  const double after = static_cast<double>((echo.silent() - killed).count()) / 1e6;
  return checks.verdict(fmt::format("sound again after {:.0f} ms, {} resets, longest gap {:.0f} ms",
                                    after, resets, static_cast<double>(longest_gap.count()) / 1e6));
}

constexpr Case kProcessCases[] = {
    {"kill-host", "another host process is killed while both stream", kill_host, 60},
    {"kill-service", "the service is killed while the host streams", kill_service, 60}};

}  // namespace

std::span<const Case> process_cases() { return kProcessCases; }

}  // namespace asiodrv::host
