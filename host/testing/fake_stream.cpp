#include "host/testing/fake_stream.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "host/samples.hpp"

namespace asiodrv::host {
namespace {

bool due(std::int32_t every, std::int64_t period) noexcept {
  return every > 0 && period > 0 && period % every == 0;
}

constexpr std::int64_t kLostPeriods = 2;

}  // namespace

FakeBuffers::FakeBuffers(const FakeOptions& options, asio::BufferInfo* infos, std::int32_t count,
                         std::int32_t frames)
    : options_(options), frames_(frames), width_(sample_bytes(options.type)) {
  const std::int64_t reach = std::int64_t{frames} * 8 + options.extra_delay;
  wire_frames_ = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(reach)));
  wires_.resize(static_cast<std::size_t>(options.outputs));
  for (auto& wire : wires_) wire.resize(static_cast<std::size_t>(wire_frames_) * width_);
  channels_.reserve(static_cast<std::size_t>(count));
  for (std::int32_t i = 0; i < count; ++i) {
    Channel& channel = channels_.emplace_back();
    channel.is_input = infos[i].is_input != 0;
    channel.number = infos[i].channel;
    for (int half = 0; half < 2; ++half) {
      channel.halves[half].resize(static_cast<std::size_t>(frames) * width_);
      infos[i].buffers[half] = channel.halves[half].data();
    }
  }
}

bool FakeBuffers::active(bool is_input, std::int32_t channel) const noexcept {
  return std::any_of(channels_.begin(), channels_.end(), [&](const Channel& other) {
    return other.is_input == is_input && other.number == channel;
  });
}

std::byte* FakeBuffers::wire(std::int32_t channel, std::int64_t position) noexcept {
  const auto at = static_cast<std::size_t>(position & (wire_frames_ - 1));
  return wires_[static_cast<std::size_t>(channel)].data() + at * width_;
}

void FakeBuffers::collect_outputs(std::int64_t position, std::int32_t half, bool silent) {
  for (const Channel& channel : channels_) {
    if (channel.is_input || channel.number >= options_.outputs) continue;
    for (std::int32_t i = 0; i < frames_; ++i) {
      const std::byte* from = channel.halves[half].data() + static_cast<std::size_t>(i) * width_;
      std::byte* into = wire(channel.number, position + i);
      if (silent) {
        std::memset(into, 0, width_);
      } else {
        std::memcpy(into, from, width_);
      }
    }
  }
}

void FakeBuffers::fill_inputs(std::int64_t position, std::int32_t half, bool flip) {
  const std::int64_t delay = std::int64_t{frames_} * 2 + options_.extra_delay;
  for (Channel& channel : channels_) {
    if (!channel.is_input || channel.number >= options_.outputs) continue;
    const std::int32_t source =
        options_.swap != 0 ? options_.outputs - 1 - channel.number : channel.number;
    std::byte* into = channel.halves[half].data();
    for (std::int32_t i = 0; i < frames_; ++i) {
      const std::int64_t from = position + i - delay;
      std::byte* sample = into + static_cast<std::size_t>(i) * width_;
      if (from < 0) {
        std::memset(sample, 0, width_);
      } else {
        std::memcpy(sample, wire(source, from), width_);
      }
    }
    if (flip) into[width_ - 1] ^= std::byte{1};
  }
}

void FakeRun::run() {
  const Instant begin = clock->now();
  const double period_ns = buffers->frames() * 1e9 / rate;
  std::int64_t period = 0;  // of the hardware, lost ones included
  std::int32_t half = 0;
  for (std::int64_t count = 0; !stopping.load(std::memory_order_acquire); ++count) {
    if (due(options.skip_every, count)) {
      for (std::int64_t lost = 0; lost < kLostPeriods; ++lost, ++period) {
        buffers->collect_outputs(period * buffers->frames(), half, true);
      }
    }
    const nanoseconds elapsed{static_cast<std::int64_t>(static_cast<double>(period) * period_ns)};
    const nanoseconds late{
        due(options.late_every, count) ? static_cast<std::int64_t>(0.8 * period_ns) : 0};
    clock->sleep_until(begin + elapsed + late);
    if (stopping.load(std::memory_order_acquire)) return;
    const std::int64_t at = period * buffers->frames();
    buffers->fill_inputs(at, half, due(options.flip_every, count));
    call_back(at, half, begin + elapsed);
    buffers->collect_outputs(at, half, due(options.drop_every, count));
    if (due(options.reset_every, count)) ask_for_reset();
    if (!due(options.repeat_half_every, count)) half ^= 1;
    ++period;
  }
}

void FakeRun::call_back(std::int64_t at, std::int32_t half, Instant boundary) {
  const std::uint64_t now = epoch_ns + static_cast<std::uint64_t>(boundary.ns);
  position.store(at, std::memory_order_relaxed);
  time_ns.store(now, std::memory_order_relaxed);
  const asio::Callbacks& host = borrowed != nullptr ? *borrowed : callbacks;
  if (!use_time_info) {
    host.buffer_switch(half, 1);
    return;
  }
  asio::Time time{};
  time.info.system_time = asio::split64(now);
  time.info.sample_position = asio::split64(static_cast<std::uint64_t>(at));
  time.info.sample_rate = rate;
  time.info.flags = asio::kSystemTimeValid | asio::kSamplePositionValid | asio::kSampleRateValid;
  host.buffer_switch_time_info(&time, half, 1);
}

void FakeRun::ask_for_reset() {
  const asio::Callbacks& host = borrowed != nullptr ? *borrowed : callbacks;
  if (host.message != nullptr) host.message(asio::kResetRequest, 0, nullptr, nullptr);
}

}  // namespace asiodrv::host
