// An initialized client's stream, which it shares with its services: it lives until the last of
// them is released. What the four kinds of stream have in common is here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "devices/wasapi/fake/endpoint.hpp"
#include "devices/wasapi/fake/formats.hpp"
#include "devices/wasapi/fake/world.hpp"

namespace asiodrv::devices::wasapi::fake {

struct StreamSettings {
  ShareMode mode = ShareMode::shared;
  std::uint32_t flags = 0;
  Format format;  ///< of the client's memory
  std::uint32_t buffer_frames = 0;
  std::uint32_t pinned_frames = 0;  ///< AudioClient3: the engine's period
  bool eight_byte_frames = false;   ///< a driver that reads plain 24 bit so
};

/// What a capture buffer call hands out.
struct PacketView {
  std::uint8_t* data = nullptr;
  std::uint32_t frames = 0, flags = 0;
  std::uint64_t position = 0, qpc = 0;
};

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(Endpoint& endpoint, StreamSettings settings);
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] World& world() const { return endpoint_.world(); }
  [[nodiscard]] const StreamSettings& settings() const { return settings_; }
  [[nodiscard]] bool is_exclusive() const { return settings_.mode == ShareMode::exclusive; }
  [[nodiscard]] bool has_flag(std::uint32_t flag) const { return (settings_.flags & flag) != 0; }
  [[nodiscard]] bool is_running() const { return is_running_; }
  [[nodiscard]] bool has_started() const { return has_started_; }
  /// The code of everything from now on; nothing while the stream is alive or only seems so.
  [[nodiscard]] std::optional<Hr> loss() const { return loss_; }
  [[nodiscard]] bool is_dead() const { return is_dead_; }
  /// Of the device, when the stream began; the device of an earlier life holds nothing any more.
  [[nodiscard]] std::uint64_t life() const { return life_; }

  // --- the calls of client and services ----------------------------------------------------------
  Hr set_event(EventHandle event);
  Hr start();
  Hr stop();
  Hr reset();
  Hr position(std::uint64_t* position, std::uint64_t* qpc);
  [[nodiscard]] std::uint64_t frequency() const;
  [[nodiscard]] virtual std::uint32_t padding() const = 0;

  virtual Hr get_render(std::uint32_t frames, std::uint8_t** data);
  virtual Hr put_render(std::uint32_t frames, std::uint32_t flags);
  virtual Hr get_capture(PacketView& packet);
  virtual Hr put_capture(std::uint32_t frames);
  virtual std::uint32_t next_packet() { return 0; }

  // --- what the device does ----------------------------------------------------------------------
  /// Shared streams: the engine's tick. Render streams add what is played in the absolute frames
  /// [frame, frame + frames) to `mix`; capture streams take what was heard in them.
  virtual void tick(std::uint64_t /*frame*/, std::uint32_t /*frames*/, std::vector<float>& /*mix*/,
                    std::uint32_t& /*of_client*/) {}
  /// `code`: kOk for a death without a word.
  void lose(Hr code);
  /// Tells every registered session client.
  void disconnect(DisconnectReason reason);

  /// The next start fails: initialize was called twice.
  void set_spoiled() { is_spoiled_ = true; }

  // --- bookkeeping of its holders ----------------------------------------------------------------
  void register_events(SessionEvents* events) { session_events_.push_back(events); }
  Hr unregister_events(SessionEvents* events);
  void released(std::string_view kind);  ///< by the current thread

 protected:
  virtual void on_start() { endpoint_.wake_engine(); }
  virtual void on_stop() {}
  virtual void on_reset() = 0;
  [[nodiscard]] virtual std::uint64_t frames_passed() const = 0;
  /// Sets the program's event, if the knobs will have it.
  void fire();

  // Which thread holds the buffer, and since when.
  void begin_hold(std::uint32_t frames);
  void end_hold();
  [[nodiscard]] bool is_held() const { return is_held_; }
  [[nodiscard]] std::uint32_t held_frames() const { return held_frames_; }
  [[nodiscard]] std::uint32_t period_frames() const;
  [[nodiscard]] Instant started_at() const { return started_at_; }
  void set_touched() { is_reset_ = false; }

 private:
  Endpoint& endpoint_;
  const StreamSettings settings_;
  const std::uint64_t life_;
  EventHandle event_ = nullptr;
  bool is_running_ = false, has_started_ = false, is_reset_ = true, is_spoiled_ = false;
  bool is_dead_ = false;
  std::optional<Hr> loss_;
  Instant started_at_{}, first_position_at_{};
  std::uint64_t last_position_ = 0;
  std::uint64_t events_ = 0;

  bool is_held_ = false;
  std::uint32_t held_frames_ = 0;
  ThreadId held_by_ = 0;
  Instant held_since_{};

  std::vector<SessionEvents*> session_events_;
  std::vector<std::pair<std::string, ThreadId>> releases_;
};

/// Whether a handed-out buffer was left as it was: filled with kStale.
inline constexpr std::uint8_t kStale = 0xA5;

}  // namespace asiodrv::devices::wasapi::fake
