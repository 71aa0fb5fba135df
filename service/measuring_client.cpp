#include "service/measuring_client.hpp"

#include <algorithm>
#include <cstring>

namespace asiodrv::service {

MeasuringClient::MeasuringClient(std::uint32_t id, engine::Port output, engine::Port input,
                                 const ports::DeviceFormat& format, std::span<const float> signal,
                                 std::size_t limit)
    : id_(id),
      output_port_(output),
      input_port_(input),
      rate_(format.rate),
      period_(format.period.count),
      signal_(signal),
      halves_(4 * period_),
      recording_(limit) {}

engine::ClientSetup MeasuringClient::setup() {
  const auto half = [this](std::size_t number) {
    return reinterpret_cast<std::byte*>(halves_.data() + number * period_);
  };
  engine::ClientSetup setup;
  setup.id = id_;
  setup.type = SampleType::float32;
  setup.frames = Frames{static_cast<std::uint32_t>(period_)};
  setup.rate = rate_;
  setup.inputs = {input_port_};
  setup.outputs = {output_port_};
  setup.input_halves = {{half(0), half(1)}};
  setup.output_halves = {{half(2), half(3)}};
  setup.wake = &wake_;
  setup.ack = &ack_;
  setup.mailbox = this;
  return setup;
}

std::size_t MeasuringClient::lost(std::size_t begin, std::size_t end) const noexcept {
  const std::size_t count = gaps_.load(std::memory_order_acquire);
  if (count == kGaps && end > gap_.back().begin) return end - begin;  // the rest was not noted
  std::size_t frames = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = std::max(begin, gap_[i].begin);
    const std::size_t until = std::min(end, gap_[i].end);
    if (from < until) frames += until - from;
  }
  return frames;
}

void MeasuringClient::Bell::ring(std::uint32_t count) RT_SAFE {
  count_.store(count, std::memory_order_release);
  if (served_ != nullptr) served_->serve(count);
}

void MeasuringClient::serve(std::uint32_t count) RT_SAFE {
  const std::uint64_t position = stamp_.sample_position;
  if (begun_ && position < expected_) interrupted_.store(true, std::memory_order_relaxed);
  if (begun_ && (position != expected_ || stamp_.discontinuity)) {
    note_gap(static_cast<std::size_t>(expected_ - period_), static_cast<std::size_t>(position));
  }
  begun_ = true;
  expected_ = position + period_;

  const float* const input = halves_.data() + stamp_.half * period_;
  float* const output = halves_.data() + (2 + stamp_.half) * period_;
  const auto part = [position, this](std::size_t size) {  // of this block that lies below `size`
    return static_cast<std::size_t>(position >= size ? 0 : std::min(size - position, period_));
  };
  const std::size_t played = part(signal_.size());
  if (played > 0) std::memcpy(output, signal_.data() + position, played * sizeof(float));
  std::fill(output + played, output + period_, 0.0F);
  const std::size_t kept = part(recording_.size());
  // What is published already does not change: after a restart positions come a second time.
  if (kept > 0 && position >= recorded_.load(std::memory_order_relaxed)) {
    std::memcpy(recording_.data() + position, input, kept * sizeof(float));
    recorded_.store(static_cast<std::size_t>(position) + kept, std::memory_order_release);
  }
  ack_.ring(count);
}

void MeasuringClient::note_gap(std::size_t begin, std::size_t end) RT_SAFE {
  const std::size_t count = gaps_.load(std::memory_order_relaxed);
  if (count == kGaps) return;
  gap_[count] = {begin, end};
  gaps_.store(count + 1, std::memory_order_release);
}

}  // namespace asiodrv::service
