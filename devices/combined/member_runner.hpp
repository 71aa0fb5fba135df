// The life of one member: opened, run on an audio thread of its own, found lost, tried again.
// Internal to devices/combined.
//
// Every call into the device but its periods is made on one control thread, the keeper's
// (member_keeper.hpp), and may take as long as the device likes: nobody waits here for more than
// its own member. Thread: that one, unless said.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "core/ports/thread.hpp"
#include "devices/combined/member_exchange.hpp"
#include "devices/combined/member_pump.hpp"

namespace asiodrv::devices {

/// What a member is run with from one open of the combined device to its close. Engine and audio
/// thread hold it together, so that a thread that is stuck in an old one harms no new one.
struct MemberSession {
  MemberSession(ports::Clock& clock, ports::Device& device, const ports::DeviceInfo& info,
                const ports::DeviceFormat& format, Frames capacity)
      : exchange(info.input_channels, info.output_channels, capacity),
        pump(clock, device, exchange, format) {}

  MemberExchange exchange;
  MemberPump pump;
};

/// What the combined device wants of a member.
struct MemberOrder {
  enum class Wish : std::uint8_t { closed, open, running };
  std::uint64_t number = 0;
  Wish wish = Wish::closed;
  ports::DeviceFormat format{};
  ports::DeviceFormat master{};            ///< when running: what the plan was made for
  std::shared_ptr<MemberSession> session;  ///< when running
  ports::DeviceLatency planned{};          ///< when running: what its place was computed from
  Frames spare{};                          ///< when running: by so much it may be exceeded
};

class MemberRunner {
 public:
  /// The clock and the threads must outlive the runner. `threads` null: whoever has the session
  /// steps it.
  MemberRunner(ports::Clock& clock, ports::Threads* threads, std::unique_ptr<ports::Device> device);
  MemberRunner(const MemberRunner&) = delete;
  MemberRunner& operator=(const MemberRunner&) = delete;

  [[nodiscard]] ports::Device& device() const noexcept { return *parts_->device; }

  /// Takes the member to where `order` wants it, or tries a lost one once more. Never fails: a
  /// member that does not come is lost, and trouble() says why. False: its thread has not ended
  /// within a second; call again. Blocks as the device's own calls do.
  [[nodiscard]] bool follow(const MemberOrder& order);

  /// Of the last attempt to open: success also for a device that is merely away (device_gone,
  /// device_busy, access_denied, not_found).
  [[nodiscard]] const Result<>& opened() const noexcept { return opened_; }
  /// What the device said of itself when it was opened or stopped last; a period while it is away.
  [[nodiscard]] ports::DeviceLatency latency() const noexcept { return latency_; }
  /// Device::mode() of the last time that it was opened.
  [[nodiscard]] const std::string& mode() const noexcept { return mode_; }
  /// Why it is not there, for people; empty when it is.
  [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }
  /// A lost member is there, and has become something that there is no place for (another rate,
  /// period or number of channels, a longer latency): it comes back once the combined device is
  /// opened anew, and not before.
  [[nodiscard]] bool needs_plan() const noexcept { return needs_plan_; }
  /// Starts after a loss.
  [[nodiscard]] std::uint64_t returns() const noexcept { return returns_; }

 private:
  /// What the audio thread uses; it keeps it alive should it have to be left behind.
  struct Parts {
    std::unique_ptr<ports::Device> device;
    std::atomic<bool> stop_wanted{false};
  };

  void open(const ports::DeviceFormat& format);
  [[nodiscard]] bool note_latency();
  [[nodiscard]] bool has_become_another(const MemberOrder& order) const;
  void run(const MemberOrder& order);
  [[nodiscard]] bool start_thread();
  [[nodiscard]] bool halt();
  void close();

  ports::Clock& clock_;
  ports::Threads* const threads_;
  const std::shared_ptr<Parts> parts_;
  std::shared_ptr<MemberSession> session_;  // of the present or the last start
  std::unique_ptr<ports::Thread> thread_;
  ports::DeviceFormat format_{};
  ports::DeviceLatency latency_{};
  Result<> opened_;
  std::string mode_, trouble_;
  bool open_ = false;
  bool started_ = false;  // the device, by us
  bool needs_plan_ = false;
  std::uint64_t returns_ = 0;
};

}  // namespace asiodrv::devices
