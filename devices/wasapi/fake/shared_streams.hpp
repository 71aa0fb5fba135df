// Streams that the shared engine serves, a tick at a time.
#pragma once

#include <deque>
#include <vector>

#include "devices/wasapi/fake/stream.hpp"

namespace asiodrv::devices::wasapi::fake {

class SharedRender final : public Stream {
 public:
  SharedRender(Endpoint& endpoint, const StreamSettings& settings);

  [[nodiscard]] std::uint32_t padding() const override;
  Hr get_render(std::uint32_t frames, std::uint8_t** data) override;
  Hr put_render(std::uint32_t frames, std::uint32_t flags) override;
  void tick(std::uint64_t frame, std::uint32_t frames, std::vector<float>& mix,
            std::uint32_t& of_client) override;

 protected:
  void on_stop() override;
  void on_reset() override;
  [[nodiscard]] std::uint64_t frames_passed() const override;

 private:
  std::vector<std::uint8_t> memory_;
  std::deque<float> queue_;  // frames of the client's channels
  std::uint64_t taken_ = 0;  // frames, since reset
  std::uint32_t taken_last_ = 0;
  Instant taken_at_{};        // nominal instant of the last tick
  std::uint64_t ticked_ = 0;  // device frames, since the first tick
};

/// Of a capture endpoint, or of what a render endpoint plays.
class SharedCapture final : public Stream {
 public:
  SharedCapture(Endpoint& endpoint, const StreamSettings& settings);

  [[nodiscard]] std::uint32_t padding() const override;
  Hr get_capture(PacketView& packet) override;
  Hr put_capture(std::uint32_t frames) override;
  std::uint32_t next_packet() override;
  void tick(std::uint64_t frame, std::uint32_t frames, std::vector<float>& mix,
            std::uint32_t& of_client) override;

 protected:
  void on_reset() override;
  [[nodiscard]] std::uint64_t frames_passed() const override;

 private:
  struct Packet {
    PacketView view;
    std::vector<std::uint8_t> bytes;
  };
  void add_packet(std::uint64_t first, std::uint32_t frames, bool is_loopback);

  std::deque<Packet> queue_;
  void deliver(Packet packet);

  Packet in_transit_;        // one that is fetched a period later; or empty
  const bool arrives_late_;  // with Knobs::stamps_arrival
  bool has_origin_ = false, is_first_ = true, was_overrun_ = false;
  std::uint64_t origin_ = 0, passed_ = 0;
};

/// What puts `frames` frames at `bytes` into floats, appended to `into`. Stale memory among them is
/// a violation, for nobody meant to play it.
void read_frames(World& world, const StreamSettings& settings, const std::uint8_t* bytes,
                 std::size_t size, std::uint32_t frames, std::vector<float>& into);

}  // namespace asiodrv::devices::wasapi::fake
