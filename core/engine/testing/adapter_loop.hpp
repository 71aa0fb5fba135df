// An adapter driven cycle by cycle, as the engine does it, with a client that loops its input back
// to its output. There is no clock: what counts is on which device frame a captured frame plays.
// For tests of core/engine.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rt.hpp"
#include "core/engine/adapter.hpp"

namespace asiodrv::engine::testing {

constexpr std::uint32_t kChannels = 2;

inline std::unique_ptr<Adapter> make(const AdapterShape& shape) {
  auto made = Adapter::make(shape);
  if (!made) ADD_FAILURE() << made.error().message;
  return std::move(made.value());
}

inline AdapterShape same_rate(std::uint32_t period, std::uint32_t frames) {
  return {{period}, {48'000}, {frames}, {48'000}, kChannels, kChannels};
}

/// What a device captures: no frame is like another, nor one channel like another; never 0.
inline float counter(std::uint64_t frame, std::uint32_t channel) {
  return (static_cast<float>(frame) + 1.0F) * (channel == 0 ? 1.0F : -0.5F);
}

/// What the host filled in before the start.
inline float prefilled(std::uint32_t frame, std::uint32_t channel) {
  return (static_cast<float>(frame) + 0.25F) * (channel == 0 ? 1.0F : -1.0F);
}

/// The definitions of adapter_timeline.hpp, without its shortcuts. Block m, device frames.
struct Definition {
  std::uint64_t period, frames, device_hz, client_hz;

  explicit Definition(const AdapterShape& shape)
      : period(shape.device_period.count),
        frames(shape.client_frames.count),
        device_hz(shape.device_rate.hz),
        client_hz(shape.client_rate.hz) {}

  [[nodiscard]] std::uint64_t rung_at(std::uint64_t m) const {  // t_m
    const std::uint64_t last = (m + 1) * frames - 1;
    const std::uint64_t captured = last * device_hz / client_hz + 1;
    return (captured + period - 1) / period * period;
  }
  [[nodiscard]] std::uint64_t first_needing(std::uint64_t m) const {  // k_m
    return ((m + 1) * frames * device_hz + client_hz - 1) / client_hz;
  }
  [[nodiscard]] std::uint64_t due_at(std::uint64_t m, std::uint64_t offset) const {  // T_m
    return (first_needing(m) + offset) / period * period - period;
  }
  [[nodiscard]] std::uint64_t slack() const {  // S
    const std::uint64_t whole = frames * device_hz, one = period * client_hz;
    return ((whole + one - 1) / one - 1) * period;
  }
  [[nodiscard]] std::uint64_t blocks_of_a_pattern() const {
    const std::uint64_t one = period * client_hz;
    return one / std::gcd(frames * device_hz, one);
  }
};

struct Rung {
  std::uint64_t block, boundary;
  Adapter::Block stamp;
};

/// A device, the adapter, and a client that gives each block back as it got it.
class Loop {
 public:
  using Signal = std::function<float(std::uint64_t frame, std::uint32_t channel)>;
  /// Whether the client answers block m in the cycle of the present boundary.
  using Answers = std::function<bool(std::uint64_t m, std::uint64_t boundary)>;

  explicit Loop(const AdapterShape& shape, Signal signal = counter)
      : shape_(shape),
        adapter_(make(shape)),
        signal_(std::move(signal)),
        capture_(shape.inputs, std::vector<float>(shape.device_period.count)),
        render_(shape.outputs, std::vector<float>(shape.device_period.count)),
        buffer_(std::max(shape.inputs, shape.outputs),
                std::vector<float>(shape.client_frames.count)),
        answers([](std::uint64_t, std::uint64_t) { return true; }) {
    for (auto& block : capture_) inputs_.push_back(block.data());
    for (auto& block : render_) outputs_.push_back(block.data());
    played.resize(shape.outputs);
    start();
  }

  /// The cycle that starts the client.
  void start() {
    boundary_ = 0;
    rung.clear();
    missing.clear();
    for (auto& channel : played) channel.assign(shape_.device_period.count, 0.0F);
    {
      const RtScope scope;
      adapter_->restart();
      for (std::uint32_t c = 0; c < shape_.outputs; ++c) {
        float* const half = adapter_->output_block(c);
        for (std::uint32_t i = 0; i < shape_.client_frames.count; ++i) half[i] = prefilled(i, c);
      }
      adapter_->delivered();
      complete_ = adapter_->take(outputs_.data());
    }
    note();
  }

  void cycle(std::uint32_t lost = 0) {
    const std::uint32_t period = shape_.device_period.count;
    for (std::uint32_t i = 0; i < lost; ++i) {
      boundary_ += period;  // what was committed for it is played late or never: silence
      for (auto& channel : played) channel.insert(channel.end(), period, 0.0F);
    }
    for (std::uint32_t c = 0; c < shape_.inputs; ++c) {
      for (std::uint32_t i = 0; i < period; ++i) capture_[c][i] = signal_(boundary_ + i, c);
    }
    boundary_ += period;
    if (rung.capacity() - rung.size() < 1'024) rung.reserve(2 * rung.size() + 2'048);
    {
      const RtScope scope;
      adapter_->capture(inputs_.data(), lost);
      serve();
      complete_ = adapter_->take(outputs_.data());
    }
    note();
  }

  void run(std::uint64_t device_frames) {
    for (std::uint64_t i = 0; i < device_frames; i += shape_.device_period.count) cycle();
  }

  [[nodiscard]] std::uint64_t boundary() const { return boundary_; }
  [[nodiscard]] Adapter& adapter() { return *adapter_; }
  [[nodiscard]] const AdapterShape& shape() const { return shape_; }

  /// What plays at a device time when nothing is late, for equal rates.
  [[nodiscard]] float expected(std::uint64_t time, std::uint32_t channel) const {
    const auto delay = static_cast<std::uint64_t>(adapter_->round_trip());
    if (time < shape_.device_period.count) return 0;  // before the first render block
    if (time >= delay) return signal_(time - delay, channel);
    const std::uint64_t frame = time + shape_.client_frames.count - delay;  // may wrap: not played
    if (frame >= shape_.client_frames.count) return 0;
    return prefilled(static_cast<std::uint32_t>(frame), channel);
  }

  /// Device frames at which something else is played.
  [[nodiscard]] std::vector<std::uint64_t> differences() const {
    std::vector<std::uint64_t> result;
    for (std::uint64_t t = 0; t < played[0].size(); ++t) {
      bool same = true;
      for (std::uint32_t c = 0; c < shape_.outputs; ++c) same &= played[c][t] == expected(t, c);
      if (!same) result.push_back(t);
    }
    return result;
  }

 private:
  AdapterShape shape_;
  std::unique_ptr<Adapter> adapter_;
  Signal signal_;
  std::vector<std::vector<float>> capture_, render_, buffer_;
  std::vector<const float*> inputs_;
  std::vector<float*> outputs_;
  std::uint64_t boundary_ = 0;
  bool complete_ = true;

  void serve() {
    const std::uint32_t frames = shape_.client_frames.count;
    for (;;) {
      if (adapter_->block_is_out()) {
        if (!answers(rung.back().block, boundary_)) return;
        for (std::uint32_t c = 0; c < shape_.outputs; ++c) {
          std::copy_n(buffer_[c % buffer_.size()].data(), frames, adapter_->output_block(c));
        }
        adapter_->delivered();
      }
      if (!adapter_->block_waits()) return;
      const Adapter::Block stamp = adapter_->next_block();
      for (std::uint32_t c = 0; c < shape_.inputs; ++c) {
        std::copy_n(adapter_->input_block(c), frames, buffer_[c].data());
      }
      rung.push_back({stamp.position / frames, boundary_, stamp});
      adapter_->rung();
    }
  }

  void note() {
    for (std::uint32_t c = 0; c < shape_.outputs; ++c) {
      played[c].insert(played[c].end(), render_[c].begin(), render_[c].end());
    }
    if (!complete_) missing.push_back(boundary_);
  }

 public:
  Answers answers;
  std::vector<std::vector<float>> played;  ///< [channel][device time]
  std::vector<Rung> rung;
  std::vector<std::uint64_t> missing;  ///< boundaries whose take() was incomplete
};

inline std::string name(const AdapterShape& shape) {
  return std::to_string(shape.client_frames.count) + " frames at " +
         std::to_string(shape.client_rate.hz) + " Hz on " +
         std::to_string(shape.device_period.count) + " at " + std::to_string(shape.device_rate.hz);
}

inline std::uint64_t enough(const AdapterShape& shape) {
  return 12ull * std::max(shape.client_frames, shape.device_period).count + 4'000;
}

}  // namespace asiodrv::engine::testing
