// The life of one member: opened, run on a thread of its own, found lost, tried again. Internal to
// devices/combined.
//
// Thread: one control thread at a time (the combined device sees to it), unless said.
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

class MemberRunner {
 public:
  /// The clock and the threads must outlive the runner.
  MemberRunner(ports::Clock& clock, ports::Threads& threads, std::unique_ptr<ports::Device> device);
  MemberRunner(const MemberRunner&) = delete;
  MemberRunner& operator=(const MemberRunner&) = delete;
  ~MemberRunner();

  [[nodiscard]] const ports::DeviceInfo& info() const noexcept { return parts_->device->info(); }

  /// Opens the device. One that is away (device_gone, device_busy, access_denied, not_found) is no
  /// error: it is tried again once the runner runs. Errors: those of Device::open otherwise;
  /// internal when a thread of an earlier start never ended.
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format);

  /// What the device said of itself when it was opened; a period while it is away.
  [[nodiscard]] ports::DeviceLatency latency() const noexcept;

  /// Makes rings of `capacity` frames and what steps the device. After open, before start.
  void prepare(Frames capacity);

  /// Starts the device and its thread. A device that is away or refuses is lost, and is tried
  /// again. Errors: those of Threads::start.
  [[nodiscard]] Result<> start();

  /// Not running now, whatever the reason. Any thread, once prepared.
  [[nodiscard]] bool is_lost() const noexcept;

  /// One attempt to have a lost member back, at the format and with the rings it had. It stays
  /// lost when it refuses, or when its own latency has grown beyond `spare` frames: alignment could
  /// not be kept. Blocks as Device::open does.
  void retry(Frames spare);

  /// Tells the thread to end, then waits for it until `deadline`.
  void request_stop() noexcept;
  void stop(Instant deadline) noexcept;
  void close() noexcept;

  [[nodiscard]] MemberExchange& exchange() const noexcept { return *parts_->exchange; }
  /// For tests and simulations that step the member themselves. Null before prepare.
  [[nodiscard]] MemberPump* pump() const noexcept { return parts_->pump.get(); }
  /// Starts after a loss. Any thread.
  [[nodiscard]] std::uint64_t returns() const noexcept {
    return returns_.load(std::memory_order_relaxed);
  }

 private:
  /// What the thread uses; it keeps it alive should it have to be left behind.
  struct Parts {
    std::unique_ptr<ports::Device> device;
    std::unique_ptr<MemberExchange> exchange;
    std::unique_ptr<MemberPump> pump;
    std::atomic<bool> stop_wanted{false};
  };

  [[nodiscard]] Result<> run();

  ports::Clock& clock_;
  ports::Threads& threads_;
  std::shared_ptr<Parts> parts_;
  std::unique_ptr<ports::Thread> thread_;
  ports::DeviceFormat format_{};
  ports::DeviceLatency planned_{};
  bool open_ = false;
  bool started_ = false;    // the device, by us
  bool abandoned_ = false;  // a thread did not end
  std::atomic<std::uint64_t> returns_{0};
};

}  // namespace asiodrv::devices
