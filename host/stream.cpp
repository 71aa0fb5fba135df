#include "host/stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "host/numbers.hpp"
#include "host/samples.hpp"

namespace asiodrv::host {
namespace {

constexpr nanoseconds kLastCallback = std::chrono::seconds{2};
constexpr nanoseconds kReadyWait = std::chrono::milliseconds{100};

/// The messages that this host understands.
bool understands(std::int32_t selector) noexcept {
  switch (selector) {
    case asio::kSelectorSupported:
    case asio::kEngineVersion:
    case asio::kResetRequest:
    case asio::kResyncRequest:
    case asio::kLatenciesChanged:
    case asio::kOverload: return true;
    default: return false;
  }
}

}  // namespace

Stream::Stream(World& world, Driver& driver, const StreamRequest& request, StreamClient& client)
    : world_(world), driver_(driver), client_(client), request_(request), slot_(*this) {}

Result<std::unique_ptr<Stream>> Stream::open(World& world, Driver& driver,
                                             const StreamRequest& request, StreamClient& client) {
  std::unique_ptr<Stream> stream(new Stream(world, driver, request, client));
  if (Result<> done = stream->negotiate(); !done) return tl::unexpected<Error>(done.error());
  return stream;
}

Stream::~Stream() {
  if (started_) driver_->stop();
  if (!slot_.detach(world_, kLastCallback)) {
    // The driver's thread is still inside this object: there is no way to go on from here.
    fmt::print(stderr, "asio-host: a callback of '{}' hangs; giving up.\n", driver_.entry().name);
    std::_Exit(1);
  }
  stop_ready_caller();
  if (created_) driver_->disposeBuffers();
}

Result<> Stream::start_ready_caller() {
  block_written_ = world_.threads.make_signal();
  auto thread = world_.threads.start("output-ready", ports::ThreadRole::audio, [this] {
    while (!ready_stopping_.load(std::memory_order_acquire)) {
      if (block_written_->wait(world_.clock.now() + kReadyWait)) driver_->outputReady();
    }
  });
  if (!thread) return tl::unexpected<Error>(thread.error());
  ready_caller_ = std::move(*thread);
  return {};
}

void Stream::stop_ready_caller() {
  if (!ready_caller_) return;
  ready_stopping_.store(true, std::memory_order_release);
  block_written_->signal();
  while (!ready_caller_->join(world_.clock.now() + kLastCallback)) {
  }
}

Result<> Stream::negotiate() {
  if (slot_.index() < 0) {
    return fail(ErrorCode::limit_reached,
                fmt::format("This host runs {} streams at a time.", kCallbackSlots));
  }
  if (Result<> done = check_channels(); !done) return done;
  if (Result<> done = choose_rate(); !done) return done;
  if (Result<> done = choose_frames(); !done) return done;
  output_ready_helps_ = driver_->outputReady() == asio::kOk;
  if (Result<> done = create_buffers(); !done) return done;
  // A driver may send overloads only to a host that has asked for them.
  driver_->future(asio::kCanReportOverload, nullptr);
  refresh_latencies();
  if (request_.output_ready == OutputReadyUse::other_thread) return start_ready_caller();
  return {};
}

Result<> Stream::check_channels() const {
  std::int32_t inputs = 0;
  std::int32_t outputs = 0;
  if (const std::int32_t code = driver_->getChannels(&inputs, &outputs); code != asio::kOk) {
    return tl::unexpected<Error>(call_failed(driver_, "getChannels", code));
  }
  const auto check = [](const std::vector<std::int32_t>& wanted, std::int32_t have,
                        const char* side) -> Result<> {
    for (const std::int32_t channel : wanted) {
      if (channel < 0 || channel >= have) {
        return fail(ErrorCode::invalid_argument,
                    have == 0 ? fmt::format("The driver has no {}s.", side)
                              : fmt::format("There is no {} {}: the driver has {} 0 to {}.", side,
                                            channel, side, have - 1));
      }
    }
    return {};
  };
  if (Result<> done = check(request_.inputs, inputs, "input"); !done) return done;
  if (Result<> done = check(request_.outputs, outputs, "output"); !done) return done;
  if (request_.inputs.empty() && request_.outputs.empty()) {
    return fail(ErrorCode::invalid_argument, "A stream needs at least one channel.");
  }
  return {};
}

Result<> Stream::choose_rate() {
  double current = 0;
  driver_->getSampleRate(&current);  // failing is not fatal when a rate is set below
  if (request_.rate > 0 && std::fabs(current - request_.rate) > 0.5) {
    if (driver_->canSampleRate(request_.rate) != asio::kOk) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("The driver does not run at {} Hz (it is at {} Hz).", request_.rate,
                              current));
    }
    if (const std::int32_t code = driver_->setSampleRate(request_.rate); code != asio::kOk) {
      return tl::unexpected<Error>(call_failed(driver_, "setSampleRate", code));
    }
  }
  const std::int32_t code = driver_->getSampleRate(&rate_);
  if (code != asio::kOk) return tl::unexpected<Error>(call_failed(driver_, "getSampleRate", code));
  if (!(rate_ >= 1.0 && rate_ < 1e7)) {
    return fail(ErrorCode::internal, fmt::format("The driver states a rate of {} Hz.", rate_));
  }
  return {};
}

Result<> Stream::choose_frames() {
  BufferSizes sizes;
  const std::int32_t code =
      driver_->getBufferSize(&sizes.minimum, &sizes.maximum, &sizes.preferred, &sizes.granularity);
  if (code != asio::kOk) return tl::unexpected<Error>(call_failed(driver_, "getBufferSize", code));
  frames_ = request_.frames > 0 ? request_.frames : sizes.preferred;
  if (!sizes.allow(frames_)) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("A buffer of {} frames is not offered: the driver has {} to {}, "
                    "preferred {}, granularity {}.",
                    frames_, sizes.minimum, sizes.maximum, sizes.preferred, sizes.granularity));
  }
  return {};
}

Result<> Stream::create_buffers() {
  inputs_ = request_.inputs.size();
  for (const std::int32_t channel : request_.inputs) infos_.push_back({1, channel, {}});
  for (const std::int32_t channel : request_.outputs) infos_.push_back({0, channel, {}});
  asio::ChannelInfo info{};
  info.channel = infos_.front().channel;
  info.is_input = infos_.front().is_input;
  if (const std::int32_t code = driver_->getChannelInfo(&info); code != asio::kOk) {
    return tl::unexpected<Error>(call_failed(driver_, "getChannelInfo", code));
  }
  sample_type_ = info.type;
  bytes_ = sample_bytes(sample_type_);
  if (bytes_ == 0) {
    return fail(ErrorCode::unsupported, fmt::format("This host does not handle the sample type {}.",
                                                    sample_type_label(sample_type_)));
  }
  callbacks_ = slot_.functions();
  const std::int32_t code = driver_->createBuffers(
      infos_.data(), static_cast<std::int32_t>(infos_.size()), frames_, &callbacks_);
  if (code != asio::kOk) return tl::unexpected<Error>(call_failed(driver_, "createBuffers", code));
  created_ = true;
  for (const asio::BufferInfo& buffer : infos_) {
    if (buffer.buffers[0] == nullptr || buffer.buffers[1] == nullptr) {
      return fail(ErrorCode::internal, "createBuffers succeeded without giving buffers.");
    }
    if (buffer.is_input == 0) {  // half 1 plays first, before the first callback
      std::memset(buffer.buffers[0], 0, block_bytes());
      std::memset(buffer.buffers[1], 0, block_bytes());
    }
  }
  return {};
}

void Stream::refresh_latencies() { driver_->getLatencies(&input_latency_, &output_latency_); }

Result<> Stream::start() {
  counted_position_ = 0;
  if (const std::int32_t code = driver_->start(); code != asio::kOk) {
    return tl::unexpected<Error>(call_failed(driver_, "start", code));
  }
  started_ = true;
  return {};
}

Result<> Stream::stop() {
  if (!started_) return {};
  started_ = false;
  if (const std::int32_t code = driver_->stop(); code != asio::kOk) {
    return tl::unexpected<Error>(call_failed(driver_, "stop", code));
  }
  return {};
}

Block Stream::describe(const asio::Time* time, std::int32_t half) RT_SAFE {
  Block block;
  block.entered = world_.clock.now();
  block.half = half & 1;
  block.position = counted_position_;
  constexpr std::uint32_t kBoth = asio::kSystemTimeValid | asio::kSamplePositionValid;
  if (time != nullptr) {
    const asio::TimeInfo info = time->info;
    block.flags = info.flags;
    if ((info.flags & kBoth) == kBoth) {
      block.timed = true;
      block.position = static_cast<std::int64_t>(asio::join64(info.sample_position));
      block.system_time = asio::join64(info.system_time);
    }
  } else {
    asio::U64Pair position{};
    asio::U64Pair system_time{};
    if (driver_->getSamplePosition(&position, &system_time) == asio::kOk) {
      block.timed = true;
      block.position = static_cast<std::int64_t>(asio::join64(position));
      block.system_time = asio::join64(system_time);
    }
  }
  counted_position_ = block.position + frames_;
  return block;
}

void Stream::on_buffer(const asio::Time* time, std::int32_t half, std::int32_t) RT_SAFE {
  const Block block = describe(time, half);
  if (time == nullptr) counters_.plain_callbacks.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t number = counters_.callbacks.load(std::memory_order_relaxed);
  client_.on_block(block);
  const OutputReadyUse use = request_.output_ready;
  if (use == OutputReadyUse::always || (use == OutputReadyUse::probe && output_ready_helps_) ||
      (use == OutputReadyUse::once && number == 0)) {
    driver_->outputReady();
  } else if (block_written_) {
    block_written_->signal();
  }
  counters_.callbacks.store(number + 1, std::memory_order_release);  // one callback at a time
}

void Stream::on_rate(double) noexcept {
  counters_.rate_changes.fetch_add(1, std::memory_order_relaxed);
}

std::int32_t Stream::on_message(std::int32_t selector, std::int32_t value, void*,
                                double*) noexcept {
  std::int32_t answer = 1;
  switch (selector) {
    case asio::kSelectorSupported:
      return understands(value) || (value == asio::kSupportsTimeInfo && request_.time_info) ? 1 : 0;
    case asio::kEngineVersion: return 2;
    case asio::kSupportsTimeInfo: return request_.time_info ? 1 : 0;
    case asio::kResetRequest: counters_.resets.fetch_add(1); break;
    case asio::kResyncRequest: counters_.resyncs.fetch_add(1); break;
    case asio::kLatenciesChanged: counters_.latency_changes.fetch_add(1); break;
    case asio::kOverload: counters_.overloads.fetch_add(1); break;
    default: answer = 0; break;
  }
  client_.on_message(selector, value);
  return answer;
}

}  // namespace asiodrv::host
