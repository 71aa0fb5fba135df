// A client of the engine that plays a signal into one output and records one input. It lives in the
// service and has no thread: whoever rings it, the engine, has its answer when the ring returns. So
// it is never late, costs the others one copy each way, and its sound takes the way of everybody's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/engine.hpp"

namespace asiodrv::service {

/// Made and read on control threads; must outlive its place in the engine.
class MeasuringClient final : public engine::ClientMailbox {
 public:
  /// Plays `signal`, which must outlive it, from position 0 on, then silence; records `limit`
  /// frames. `format`: the device's. Allocates.
  MeasuringClient(std::uint32_t id, engine::Port output, engine::Port input,
                  const ports::DeviceFormat& format, std::span<const float> signal,
                  std::size_t limit);

  /// With the rate and the period spelt out: should the device be moved, the client keeps its
  /// buffers and gets an adapter.
  [[nodiscard]] engine::ClientSetup setup();

  /// What has come in so far, frame by frame as it lay beside what was played: the input's frame n
  /// was handed over when the output's frame n was. Lost frames are zeros. Any thread; what is
  /// returned does not change any more.
  [[nodiscard]] std::span<const float> recorded() const noexcept {
    return {recording_.data(), recorded_.load(std::memory_order_acquire)};
  }
  /// How many frames between `begin` and `end` were lost, of those recorded() so far. The period
  /// before a loss counts too: what was written in it came too late as a rule. Any thread.
  [[nodiscard]] std::size_t lost(std::size_t begin, std::size_t end) const noexcept;
  /// The device began anew: what was measured before and after does not belong together. Any
  /// thread.
  [[nodiscard]] bool interrupted() const noexcept {
    return interrupted_.load(std::memory_order_relaxed);
  }

  // --- engine thread; RT: wait-free --------------------------------------------------------------
  void publish(const engine::ClientStamp& stamp) RT_SAFE override {
    stamp_ = stamp;
    next_half_ = stamp.half ^ 1U;
  }
  [[nodiscard]] engine::ClientReply reply() const RT_SAFE override {
    return {.next_half = next_half_, .free_running = false, .entered = stamp_.boundary};
  }

 private:
  /// Nobody waits at these: a ring is answered before it returns.
  class Bell final : public ports::Doorbell {
   public:
    explicit Bell(MeasuringClient* served) : served_(served) {}
    void ring(std::uint32_t count) RT_SAFE override;
    [[nodiscard]] std::uint32_t count() const RT_SAFE override {
      return count_.load(std::memory_order_acquire);
    }
    std::uint32_t wait_change(std::uint32_t, Instant, nanoseconds) RT_SAFE override {
      return count();
    }
    void interrupt() RT_SAFE override {}

   private:
    MeasuringClient* const served_;
    std::atomic<std::uint32_t> count_{0};
  };

  struct Gap {
    std::size_t begin, end;
  };

  void serve(std::uint32_t count) RT_SAFE;
  void note_gap(std::size_t begin, std::size_t end) RT_SAFE;

  static constexpr std::size_t kGaps = 256;

  const std::uint32_t id_;
  const engine::Port output_port_, input_port_;
  const SampleRate rate_;
  const std::size_t period_;
  const std::span<const float> signal_;
  std::vector<float> halves_;  // input 0, input 1, output 0, output 1
  Bell wake_{this}, ack_{nullptr};

  // engine thread
  engine::ClientStamp stamp_{};
  std::uint32_t next_half_ = 0;
  bool begun_ = false;
  std::uint64_t expected_ = 0;

  std::vector<float> recording_;  // up to recorded_ constant
  std::atomic<std::size_t> recorded_{0};
  std::array<Gap, kGaps> gap_{};  // up to gaps_ constant
  std::atomic<std::size_t> gaps_{0};
  std::atomic<bool> interrupted_{false};
};

}  // namespace asiodrv::service
