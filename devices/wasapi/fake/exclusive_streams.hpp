// Streams that have the device for themselves: two halves of a ring, one of them the hardware's at
// any time.
#pragma once

#include <array>
#include <vector>

#include "devices/wasapi/fake/stream.hpp"

namespace asiodrv::devices::wasapi::fake {

/// Ticks on a grid of its own: tick k at absolute frame base + k * buffer_frames.
class ExclusiveStream : public Stream {
 public:
  using Stream::Stream;
  [[nodiscard]] std::uint32_t padding() const override;

 protected:
  void on_start() override;
  void on_stop() override;
  void on_reset() override;
  [[nodiscard]] std::uint64_t frames_passed() const override;
  /// The frames from `frame` on begin to pass; `number` counts from 0.
  virtual void on_tick(std::uint64_t frame, std::uint64_t number) = 0;

 private:
  void schedule(std::uint64_t number);
  void run(std::uint64_t number, std::uint64_t session);

  std::uint64_t base_ = 0;     // absolute frame of tick 0
  std::uint64_t passed_ = 0;   // before the last start
  std::uint64_t session_ = 0;  // counts starts and stops: ticks of an earlier one are void
};

class ExclusiveRender final : public ExclusiveStream {
 public:
  ExclusiveRender(Endpoint& endpoint, const StreamSettings& settings);
  Hr get_render(std::uint32_t frames, std::uint8_t** data) override;
  Hr put_render(std::uint32_t frames, std::uint32_t flags) override;

 protected:
  void on_tick(std::uint64_t frame, std::uint64_t number) override;
  void on_stop() override;
  void on_reset() override;

 private:
  struct Half {
    std::vector<float> samples;  // of the client's channels
    bool is_fresh = false;
  };
  std::vector<std::uint8_t> memory_;
  std::array<Half, 2> halves_;
  std::size_t free_ = 0;   // the half that the client may write
  bool may_write_ = true;  // once before the start, once per event
  bool has_failed_buffer_ = false;
  std::size_t held_half_ = 0;
  std::uint64_t ticks_ = 0, held_at_tick_ = 0, playing_from_ = 0;
};

class ExclusiveCapture final : public ExclusiveStream {
 public:
  ExclusiveCapture(Endpoint& endpoint, const StreamSettings& settings);
  Hr get_capture(PacketView& packet) override;
  Hr put_capture(std::uint32_t frames) override;
  std::uint32_t next_packet() override;

 protected:
  void on_tick(std::uint64_t frame, std::uint64_t number) override;
  void on_reset() override;

 private:
  std::vector<std::uint8_t> bytes_, shown_;
  PacketView packet_;
  bool has_packet_ = false, is_read_ = true, is_first_ = true, has_origin_ = false;
  bool is_returned_ = false;  // by release_buffer(0): to be had once more
  std::uint64_t origin_ = 0;
};

}  // namespace asiodrv::devices::wasapi::fake
