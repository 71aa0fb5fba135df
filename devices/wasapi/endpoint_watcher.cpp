#include "devices/wasapi/endpoint_watcher.hpp"

#include <utility>

namespace asiodrv::devices::wasapi {
namespace {

bool same(const std::u16string& ours, Text id) noexcept {
  if (ours.empty() || id == nullptr) return false;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (id[i] != ours[i]) return false;  // also where `id` ends early
  }
  return id[ours.size()] == 0;
}

}  // namespace

EndpointWatcher::EndpointWatcher(MmDeviceEnumerator& enumerator, WatchedEndpoints watched)
    : watched_(std::move(watched)) {
  enumerator.add_ref();
  *enumerator_.out() = &enumerator;
  registered_ = !failed(enumerator.register_notifications(this));
}

EndpointWatcher::~EndpointWatcher() {
  if (registered_) (void)enumerator_->unregister_notifications(this);
}

Hr EndpointWatcher::query_interface(const Guid& id, void** object) {
  if (object == nullptr) return kPointer;
  *object = nullptr;
  if (!(id == Unknown::kId) && !(id == NotificationClient::kId)) return kNoInterface;
  add_ref();
  *object = static_cast<NotificationClient*>(this);
  return kOk;
}

std::uint32_t EndpointWatcher::add_ref() {
  return references_.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::uint32_t EndpointWatcher::release() {
  return references_.fetch_sub(1, std::memory_order_relaxed) - 1;
}

Hr EndpointWatcher::on_state_changed(Text, std::uint32_t state) {
  if (state == kActive) arrivals_.fetch_add(1, std::memory_order_release);
  return kOk;
}

Hr EndpointWatcher::on_added(Text) {
  arrivals_.fetch_add(1, std::memory_order_release);
  return kOk;
}

Hr EndpointWatcher::on_removed(Text) { return kOk; }

Hr EndpointWatcher::on_default_changed(Flow flow, Role role, Text id) {
  if (role != Role::console) return kOk;  // there is one call for each role
  // Null: no device is left, and the stream says so itself if that concerns it.
  if (id == nullptr) return kOk;
  const bool render = flow == Flow::render;
  const std::u16string& ours = render ? watched_.default_render : watched_.default_capture;
  (render ? render_moved_ : capture_moved_)
      .store(!ours.empty() && !same(ours, id), std::memory_order_release);
  return kOk;
}

Hr EndpointWatcher::on_property_changed(Text, PropertyKey) { return kOk; }

}  // namespace asiodrv::devices::wasapi
