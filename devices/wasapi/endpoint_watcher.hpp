// Hears what Windows tells about endpoints, and keeps it as flags. Its calls come on threads of
// the system under a lock of the system's own, so they do nothing but compare, set and signal.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "devices/wasapi/com.hpp"

namespace asiodrv::devices::wasapi {

/// What concerns an open device.
struct WatchedEndpoints {
  std::u16string render, capture;  ///< ids; empty: none
  bool default_render = false;     ///< the device is whatever the default is
  bool default_capture = false;
};

class EndpointWatcher final : private NotificationClient {
 public:
  /// Registers. Control thread with COM; the destructor, too. `event` (may be null) is signalled
  /// with each change that ends a stream.
  EndpointWatcher(System& system, MmDeviceEnumerator& enumerator, WatchedEndpoints watched,
                  EventHandle event);
  EndpointWatcher(const EndpointWatcher&) = delete;
  EndpointWatcher& operator=(const EndpointWatcher&) = delete;
  /// Waits for a call that is under way. Never from within one.
  ~EndpointWatcher();

  /// A watched endpoint is no longer active, has another format, or is no longer the default.
  /// Any thread; wait-free.
  [[nodiscard]] bool changed() const RT_SAFE { return changed_.load(std::memory_order_acquire); }
  /// Counts every arrival and change of state of any endpoint: a device that was away may be back.
  [[nodiscard]] std::uint32_t generation() const RT_SAFE {
    return generation_.load(std::memory_order_acquire);
  }

 private:
  Hr WASAPI_METHOD query_interface(const Guid& id, void** object) override;
  std::uint32_t WASAPI_METHOD add_ref() override;
  std::uint32_t WASAPI_METHOD release() override;
  Hr WASAPI_METHOD on_state_changed(Text id, std::uint32_t state) override;
  Hr WASAPI_METHOD on_added(Text id) override;
  Hr WASAPI_METHOD on_removed(Text id) override;
  Hr WASAPI_METHOD on_default_changed(Flow flow, Role role, Text id) override;
  Hr WASAPI_METHOD on_property_changed(Text id, PropertyKey key) override;

  [[nodiscard]] bool is_watched(Text id) const noexcept;
  void report_change() noexcept;

  System& system_;
  ComPtr<MmDeviceEnumerator> enumerator_;
  const WatchedEndpoints watched_;
  const EventHandle event_;
  bool registered_ = false;
  std::atomic<std::uint32_t> references_{1};  // counted as COM wants it; the owner decides the end
  std::atomic<bool> changed_{false};
  std::atomic<std::uint32_t> generation_{0};
};

}  // namespace asiodrv::devices::wasapi
