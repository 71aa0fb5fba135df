#include "devices/wasapi/fake/enumerator.hpp"

#include <algorithm>
#include <cstring>

#include "devices/wasapi/fake/client.hpp"
#include "devices/wasapi/fake/endpoint.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

constexpr PropertyKey kKeys[] = {kFriendlyName, kDeviceDescription, kAdapterName,
                                 kContainerId,  kFormFactor,        kDeviceFormat};

/// The documented shape of an id; whether it is known is another question.
bool is_well_formed(std::u16string_view id) {
  return id.size() > 20 && id.starts_with(u"{0.0.") && id.ends_with(u'}');
}

bool is_flow(Flow flow) { return flow == Flow::render || flow == Flow::capture; }

template <class Value>
void put_pointer(Value** out, std::uint8_t* memory, const Value& value) {
  std::memcpy(memory, &value, sizeof value);
  *out = reinterpret_cast<Value*>(memory);
}

}  // namespace

Hr Enumerator::enumerate(Flow flow, std::uint32_t states, MmDeviceCollection** devices) {
  const Call call(*this, "enumerate");
  if (devices == nullptr) return kPointer;
  *devices = nullptr;
  if (call.refused()) return call.code();
  if ((!is_flow(flow) && flow != Flow::all) || states > kAllStates) return kInvalidArgument;
  std::vector<Endpoint*> found;
  for (const auto& endpoint : world().endpoints()) {
    if (endpoint->is_removed() || (endpoint->state() & states) == 0) continue;
    if (flow == Flow::all || flow == endpoint->flow()) found.push_back(endpoint.get());
  }
  *devices = &world().make<Collection>(std::move(found));
  return kOk;
}

Hr Enumerator::default_endpoint(Flow flow, Role role, MmDevice** device) {
  const Call call(*this, "default_endpoint");
  if (device == nullptr) return kPointer;
  *device = nullptr;
  if (call.refused()) return call.code();
  if (!is_flow(flow) || role < Role::console || role > Role::communications) {
    return kInvalidArgument;
  }
  Endpoint* endpoint = world().default_endpoint(flow);
  if (endpoint == nullptr) return kNotFound;
  *device = &world().make<Device>(*endpoint);
  return kOk;
}

Hr Enumerator::device(Text id, MmDevice** device) {
  const Call call(*this, "device");
  if (device == nullptr || id == nullptr) return kPointer;
  *device = nullptr;
  if (call.refused()) return call.code();
  if (!is_well_formed(id)) return kInvalidArgument;
  Endpoint* endpoint = world().find(id);
  if (endpoint == nullptr) return world().options().unknown_id;
  *device = &world().make<Device>(*endpoint);
  return kOk;
}

Hr Enumerator::register_notifications(NotificationClient* client) {
  const Call call(*this, "register_notifications");
  if (call.refused()) return call.code();
  if (client == nullptr) return kPointer;
  world().listeners().push_back(client);
  return kOk;
}

Hr Enumerator::unregister_notifications(NotificationClient* client) {
  const Call call(*this, "unregister_notifications");
  if (call.refused()) return call.code();
  if (client == nullptr) return kPointer;
  auto& listeners = world().listeners();
  const auto found = std::find(listeners.begin(), listeners.end(), client);
  if (found == listeners.end()) return kNotFound;
  listeners.erase(found);
  return kOk;
}

Hr Collection::count(std::uint32_t* devices) {
  const Call call(*this, "count");
  if (call.refused()) return call.code();
  if (devices == nullptr) return kPointer;
  *devices = static_cast<std::uint32_t>(endpoints_.size());
  return kOk;
}

Hr Collection::item(std::uint32_t index, MmDevice** device) {
  const Call call(*this, "item");
  if (device == nullptr) return kPointer;
  *device = nullptr;
  if (call.refused()) return call.code();
  if (index >= endpoints_.size()) return kInvalidArgument;
  *device = &world().make<Device>(*endpoints_[index]);
  return kOk;
}

Hr Device::activate(const Guid& id, std::uint32_t /*context*/, void* parameters, void** object) {
  const Call call(*this, "activate");
  if (object == nullptr) return kPointer;
  *object = nullptr;
  if (call.refused()) return call.code();
  const bool three = id == AudioClient3::kId;
  if (!three && !(id == AudioClient::kId) && !(id == AudioClient2::kId)) return kNoInterface;
  if (parameters != nullptr) return kInvalidArgument;
  if (!world().service_is_up()) return kServiceNotRunning;
  if (endpoint_.is_removed() || endpoint_.state() != kActive) return kDeviceInvalidated;
  if (three && endpoint_.knobs().small_periods == SmallPeriods::absent) return kNoInterface;
  *object = static_cast<AudioClient3*>(&world().make<Client>(endpoint_));
  return kOk;
}

Hr Device::open_properties(std::uint32_t /*access*/, PropertyStore** properties) {
  const Call call(*this, "open_properties");
  if (properties == nullptr) return kPointer;
  *properties = nullptr;
  if (call.refused()) return call.code();
  *properties = &world().make<Properties>(endpoint_);
  return kOk;
}

Hr Device::id(char16_t** id) {
  const Call call(*this, "id");
  if (id == nullptr) return kPointer;
  *id = nullptr;
  if (call.refused()) return call.code();
  *id = world().allocate_text(endpoint_.spec().id, "device.id");
  return kOk;
}

Hr Device::state(std::uint32_t* state) {
  const Call call(*this, "state");
  if (call.refused()) return call.code();
  if (state == nullptr) return kPointer;
  *state = endpoint_.is_removed() ? kNotPresent : endpoint_.state();
  return kOk;
}

Hr Device::other_interface(const Guid& id, void** object) {
  if (!(id == MmEndpoint::kId)) return kNoInterface;
  *object = static_cast<MmEndpoint*>(&world().make<DeviceFlow>(endpoint_.flow()));
  return kOk;
}

Hr DeviceFlow::flow(Flow* flow) {
  const Call call(*this, "flow");
  if (call.refused()) return call.code();
  if (flow == nullptr) return kPointer;
  *flow = flow_;
  return kOk;
}

Hr Properties::count(std::uint32_t* properties) {
  const Call call(*this, "count");
  if (call.refused()) return call.code();
  if (properties == nullptr) return kPointer;
  *properties = static_cast<std::uint32_t>(std::size(kKeys));
  return kOk;
}

Hr Properties::key_at(std::uint32_t index, PropertyKey* key) {
  const Call call(*this, "key_at");
  if (call.refused()) return call.code();
  if (key == nullptr) return kPointer;
  if (index >= std::size(kKeys)) return kInvalidArgument;
  *key = kKeys[index];
  return kOk;
}

Hr Properties::value(const PropertyKey& key, PropertyValue* value) {
  const Call call(*this, "value");
  if (value == nullptr) return kPointer;
  *value = PropertyValue{};
  if (call.refused()) return call.code();
  const EndpointSpec& spec = endpoint_.spec();
  const auto put_text = [&](const std::u16string& text) {
    value->type = kVariantText;
    value->text = world().allocate_text(text, "properties.value");
  };
  if (key == kFriendlyName) put_text(spec.name + u" (" + spec.adapter + u")");
  if (key == kDeviceDescription) put_text(spec.name);
  if (key == kAdapterName) put_text(spec.adapter);
  if (key == kFormFactor) {
    value->type = kVariantU4;
    value->u4 = spec.form_factor;
  }
  if (key == kContainerId && !(*spec.container == Guid{})) {
    value->type = kVariantGuid;
    put_pointer(&value->guid, world().allocate(sizeof(Guid), "properties.value"), *spec.container);
  }
  if (key == kDeviceFormat) {
    const WaveFormatExtensible format = endpoint_.device_format();
    value->type = kVariantBlob;
    value->blob.size = sizeof format;
    value->blob.bytes = world().allocate(sizeof format, "properties.value");
    std::memcpy(value->blob.bytes, &format, sizeof format);
  }
  return kOk;  // a missing property is an empty value, not an error
}

Hr Properties::set_value(const PropertyKey& /*key*/, const PropertyValue& /*value*/) {
  const Call call(*this, "set_value");
  return call.refused() ? call.code() : kAccessDenied;
}

Hr Properties::commit() {
  const Call call(*this, "commit");
  return call.refused() ? call.code() : kAccessDenied;
}

}  // namespace asiodrv::devices::wasapi::fake
