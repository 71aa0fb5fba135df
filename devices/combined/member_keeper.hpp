// Sees to one member on a control thread of its own: whatever a device's open, start, stop or close
// takes, the others and the caller do not wait for it longer than they want to. Internal to
// devices/combined.
//
// The caller gives orders and waits, bounded, until they are carried out; the newest order counts.
// While the member shall run and is lost, the keeper tries it again every 500 ms. The thread lives
// from the first order until `closed` is carried out. A device that does not return from a call
// keeps its thread, which goes on with the newest order as soon as it can.
//
// Thread: one control thread at a time, unless said.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/base/rt.hpp"
#include "core/ports/mutex.hpp"
#include "core/ports/thread.hpp"
#include "devices/combined/member_runner.hpp"

namespace asiodrv::devices {

class MemberKeeper {
 public:
  /// All must outlive the keeper and a thread that it had to leave behind. `progress` is signalled
  /// whenever an order has been carried out. `threads` null: orders are carried out within give(),
  /// and somebody else steps the member.
  MemberKeeper(ports::Clock& clock, ports::Threads* threads,
               std::shared_ptr<ports::Signal> progress, std::unique_ptr<ports::Device> device);
  MemberKeeper(const MemberKeeper&) = delete;
  MemberKeeper& operator=(const MemberKeeper&) = delete;
  /// The last order was `closed`, or none was given.
  ~MemberKeeper();

  /// What the device is, as of the last renew or refresh.
  [[nodiscard]] const ports::DeviceInfo& info() const noexcept { return info_; }
  /// Takes over what the device has become with the orders that it was given; not while it is still
  /// busy with one.
  void renew();
  /// Has the device look at itself again, and takes that over. Only while it is closed.
  void refresh();
  /// For sessions; no calls into it.
  [[nodiscard]] ports::Device& device() const noexcept;

  /// Its number is given here. Errors: those of Threads::start.
  [[nodiscard]] Result<> give(MemberOrder order);
  /// What the keeper does every 500 ms; for those who have no threads.
  void retry();
  /// Waits for the end of a thread that has nothing left to do, until `deadline` at most.
  void settle(Instant deadline);

  /// The newest order has been carried out. Any thread.
  [[nodiscard]] bool done() const;
  /// As MemberRunner has them, when the last order was carried out. Any thread.
  [[nodiscard]] Result<> opened() const;
  [[nodiscard]] ports::DeviceLatency latency() const;
  [[nodiscard]] std::string mode() const;
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] std::uint64_t returns() const noexcept;
  /// The same; wait-free.
  [[nodiscard]] bool needs_plan() const RT_SAFE;

 private:
  struct Life;

  ports::DeviceInfo info_;
  ports::Threads* const threads_;
  const std::shared_ptr<Life> life_;  // shared with the thread
  std::unique_ptr<ports::Thread> thread_;
};

}  // namespace asiodrv::devices
