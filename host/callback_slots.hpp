// An ASIO callback carries no context argument, so a host that runs several streams needs a set of
// functions per stream. This is a fixed number of them, each forwarding to a sink.
#pragma once

#include <cstdint>

#include "asio/abi.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "host/system.hpp"

namespace asiodrv::host {

/// What a driver tells its host. Called on the driver's threads.
class CallbackSink {
 public:
  /// `time` is null when the driver used the plain callback.
  virtual void on_buffer(const asio::Time* time, std::int32_t half,
                         std::int32_t direct_process) RT_SAFE = 0;
  virtual void on_rate(double rate) noexcept = 0;
  virtual std::int32_t on_message(std::int32_t selector, std::int32_t value, void* message,
                                  double* option) noexcept = 0;

 protected:
  ~CallbackSink() = default;
};

inline constexpr int kCallbackSlots = 8;

/// One set of callback functions, lent to one sink.
class CallbackSlot {
 public:
  /// Takes a free slot; index() is -1 when none is left.
  explicit CallbackSlot(CallbackSink& sink) noexcept;
  ~CallbackSlot();
  CallbackSlot(const CallbackSlot&) = delete;
  CallbackSlot& operator=(const CallbackSlot&) = delete;

  [[nodiscard]] int index() const noexcept { return index_; }

  /// The functions of this slot.
  [[nodiscard]] asio::Callbacks functions() const noexcept;

  /// From now on callbacks go nowhere; waits up to `limit` for those still inside the sink. False
  /// when one did not return: the sink must then stay alive, and the slot is never used again.
  bool detach(World& world, nanoseconds limit);

 private:
  int index_ = -1;
};

}  // namespace asiodrv::host
