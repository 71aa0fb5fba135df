// One endpoint: the device behind it, what happens to it, and what it has heard. The streams of the
// program under test hang on it; the shared engine that serves them lives here, too.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "devices/wasapi/fake/sound.hpp"
#include "devices/wasapi/fake/world.hpp"

namespace asiodrv::devices::wasapi::fake {

class Client;
class Stream;

class Endpoint {
 public:
  Endpoint(World& world, EndpointSpec spec);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  [[nodiscard]] World& world() const { return world_; }
  [[nodiscard]] const EndpointSpec& spec() const { return spec_; }
  [[nodiscard]] Flow flow() const { return spec_.flow; }
  /// May be changed at any time; what is built already keeps its sizes.
  [[nodiscard]] Knobs& knobs() { return spec_.knobs; }
  [[nodiscard]] std::uint32_t state() const { return spec_.state; }
  [[nodiscard]] bool is_removed() const { return is_removed_; }

  // --- what happens to it ------------------------------------------------------------------------
  /// The cable is out, or (kNotPresent) the adapter. Streams are lost, everybody is told.
  void unplug(std::uint32_t state = kUnplugged);
  /// Back with the same id.
  void replug();
  void disable() { unplug(kDisabled); }
  void enable() { replug(); }
  /// Somebody chose another format in the sound settings: streams are lost.
  void change_format(std::uint32_t rate_hz, std::uint16_t channels);
  /// Another program takes the device in exclusive mode: shared streams are lost, nothing can be
  /// opened until it lets go.
  void take_over();
  void let_go();
  /// Enhancements switched, or a driver's bad day: streams are lost without any notice.
  void lose_streams(LossCode code, std::optional<DisconnectReason> reason = std::nullopt);
  /// Just before the `calls`-th call of any kind from now on, as unplug().
  void unplug_at_call(std::uint64_t calls);

  // --- what it heard -----------------------------------------------------------------------------
  [[nodiscard]] const DeviceClock& device_clock() const { return device_clock_; }
  /// Played by a render endpoint.
  [[nodiscard]] const Recorder& recorder() const { return recorder_; }
  [[nodiscard]] const std::vector<Glitch>& glitches() const { return glitches_; }
  void forget_glitches() { glitches_.clear(); }
  /// Frames of the program under test that were played, silent ones included.
  [[nodiscard]] std::uint64_t frames_played() const { return frames_played_; }
  /// Captured frames that nobody took in time.
  [[nodiscard]] std::uint64_t frames_lost() const { return frames_lost_; }
  /// A capture endpoint hears what `source` plays, `delay` frames of the source later, instead of
  /// its own signal. Null: its signal again.
  void wire_from(const Endpoint* source, std::uint32_t delay = 0);
  /// What a capture endpoint hears in its absolute frame `frame`.
  [[nodiscard]] float heard(std::uint64_t frame, std::uint32_t channel) const;
  /// The absolute frame of position 0 of the capture stream that began last.
  [[nodiscard]] std::uint64_t capture_origin() const { return capture_origin_; }

  // --- for the parts of the fake -----------------------------------------------------------------
  [[nodiscard]] WaveFormatExtensible mix_format() const;
  [[nodiscard]] WaveFormatExtensible device_format() const;
  [[nodiscard]] Prng& random() { return random_; }
  /// Counts the losses of the whole device; a client of an earlier life is lost.
  [[nodiscard]] std::uint64_t life() const { return life_; }
  [[nodiscard]] Hr loss_code() const { return loss_code_; }

  [[nodiscard]] std::uint32_t standard_frames() const;
  [[nodiscard]] std::uint32_t engine_frames() const;  ///< of the current tick
  [[nodiscard]] std::uint32_t pinned_frames() const;  ///< by a stream with a period; 0: none

  /// Whether one more stream may come, by who is there; kOk or kDeviceInUse.
  [[nodiscard]] Hr may_join(ShareMode mode, const Client& client) const;
  /// A client whose size was refused keeps the device until it is released.
  void claim(const Client& client) { claim_ = &client; }
  void drop_claim(const Client& client);
  void join(Stream& stream);
  void leave(Stream& stream);
  void wake_engine();

  void add_glitch(Glitch::Kind kind, std::uint64_t frame, std::uint32_t frames);
  void add_lost(std::uint32_t frames) { frames_lost_ += frames; }
  void set_capture_origin(std::uint64_t frame) { capture_origin_ = frame; }
  void record(std::uint64_t frame, const float* samples, std::uint32_t frames,
              std::uint32_t of_client);
  /// Calls `action` after the tick whose nominal instant is `nominal`, as late as the knobs say.
  void schedule_tick(Instant nominal, std::function<void()> action);

 private:
  friend class World;

  enum class Extent { device, all_streams, shared_streams };
  void lose(Hr code, std::optional<DisconnectReason> reason, Extent extent);
  [[nodiscard]] std::uint64_t wired_frame(std::uint64_t frame) const;
  void engine_tick(std::uint64_t frame, std::uint64_t run);
  void schedule_engine_tick(std::uint64_t frame);

  World& world_;
  EndpointSpec spec_;
  Prng random_;
  DeviceClock device_clock_;
  Recorder recorder_;
  std::vector<Glitch> glitches_;
  std::uint64_t frames_played_ = 0, frames_lost_ = 0, capture_origin_ = 0;
  const Endpoint* wired_from_ = nullptr;
  std::uint32_t wire_delay_ = 0;
  struct Piece {  // of the wire, in which both ends count alike
    std::uint64_t begin = 0, end = 0, source = 0;
  };
  mutable Piece piece_;

  bool is_removed_ = false;
  std::uint64_t life_ = 0;
  Hr loss_code_ = kDeviceInvalidated;
  bool is_taken_by_others_ = false;
  const Client* claim_ = nullptr;
  Instant busy_until_{};
  std::vector<Stream*> streams_;

  bool engine_runs_ = false;
  std::uint64_t engine_run_ = 0;    // ticks of an earlier run are void
  std::uint64_t engine_heard_ = 0;  // the frame up to which capture streams have been served
};

}  // namespace asiodrv::devices::wasapi::fake
