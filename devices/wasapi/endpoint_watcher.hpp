// Hears what Windows tells about endpoints, and keeps it as flags. Its calls come on threads of
// the system under a lock of the system's own, so they do nothing but compare and set.
//
// They come late and in any order: a device that is already back is still reported as unplugged.
// So nothing is taken for a loss that the stream itself does not show by a code or by silence; only
// a default that moved is not to be seen there.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "devices/wasapi/com.hpp"

namespace asiodrv::devices::wasapi {

/// What concerns an open device.
struct WatchedEndpoints {
  std::u16string default_render, default_capture;  ///< ids; empty: the default does not matter
};

class EndpointWatcher final : private NotificationClient {
 public:
  /// Registers. Control thread with COM; the destructor, too.
  EndpointWatcher(MmDeviceEnumerator& enumerator, WatchedEndpoints watched);
  EndpointWatcher(const EndpointWatcher&) = delete;
  EndpointWatcher& operator=(const EndpointWatcher&) = delete;
  /// Waits for a call that is under way. Never from within one.
  ~EndpointWatcher();

  /// A watched endpoint is no longer the default, as far as we were told last. Any thread;
  /// wait-free.
  [[nodiscard]] bool default_moved() const RT_SAFE {
    return render_moved_.load(std::memory_order_acquire) ||
           capture_moved_.load(std::memory_order_acquire);
  }
  /// Counts the endpoints that came, whichever they are: a device at another socket, or with a new
  /// driver, comes under another id. Any thread; wait-free.
  [[nodiscard]] std::uint32_t arrivals() const RT_SAFE {
    return arrivals_.load(std::memory_order_acquire);
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

  ComPtr<MmDeviceEnumerator> enumerator_;
  const WatchedEndpoints watched_;
  bool registered_ = false;
  std::atomic<std::uint32_t> references_{1};  // counted as COM wants it; the owner decides the end
  std::atomic<bool> render_moved_{false}, capture_moved_{false};
  std::atomic<std::uint32_t> arrivals_{0};
};

}  // namespace asiodrv::devices::wasapi
