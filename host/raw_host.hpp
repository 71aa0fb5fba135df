// The least that a driver accepts as a host: callbacks and buffers, every call made by hand. For
// the probe and the torture, which must be free to call in any order.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "host/callback_slots.hpp"
#include "host/driver.hpp"
#include "host/system.hpp"

namespace asiodrv::host {

class RawHost final : public CallbackSink {
 public:
  RawHost() : slot_(*this) {}
  RawHost(const RawHost&) = delete;
  RawHost& operator=(const RawHost&) = delete;

  bool claims_time_info = true;
  /// Changes the callbacks before the driver sees them; may be empty.
  std::function<void(asio::Callbacks&)> edit;
  /// Runs in each buffer callback, on the driver's thread; set before start.
  std::function<void(const asio::Time* time, std::int32_t half)> hook;
  std::atomic<std::uint64_t> callbacks{0};  ///< that have returned
  std::atomic<std::uint64_t> entered{0};    ///< that have begun
  std::atomic<std::uint64_t> resets{0};
  std::atomic<std::uint64_t> rate_calls{0};

  /// Lists `inputs` and `outputs` channels, from 0, inputs first.
  void choose_channels(std::int32_t inputs, std::int32_t outputs);
  /// createBuffers with copies of `infos` and of the functions; the copies die with the call when
  /// `scribble` is set, after being overwritten.
  std::int32_t create(Driver& driver, std::int32_t frames, bool scribble = false);

  /// True once `count` more callbacks have returned, false after `limit`.
  bool wait_callbacks(World& world, std::uint64_t count, nanoseconds limit);

  /// Silences further callbacks; false when one is stuck inside (then leak this object).
  bool detach(World& world, nanoseconds limit) { return slot_.detach(world, limit); }

  std::vector<asio::BufferInfo> infos;
  asio::Callbacks functions() const noexcept { return slot_.functions(); }

 private:
  void on_buffer(const asio::Time* time, std::int32_t half, std::int32_t direct) RT_SAFE override;
  void on_rate(double rate) noexcept override;
  std::int32_t on_message(std::int32_t selector, std::int32_t value, void* message,
                          double* option) noexcept override;

  CallbackSlot slot_;
  asio::Callbacks kept_{};
  std::unique_ptr<asio::Callbacks> poisoned_;  // what a scribbled createBuffers was given
};

}  // namespace asiodrv::host
