#include "devices/wasapi/endpoints.hpp"

#include <fmt/format.h>

#include "devices/wasapi/codes.hpp"
#include "devices/wasapi/text.hpp"

namespace asiodrv::devices::wasapi {
namespace {

constexpr std::uint32_t kMaxEndpoints = 1024;  // of one flow; more are not believed
constexpr std::uint32_t kMaxBlobBytes = 4096;
constexpr std::uint32_t kReadOnly = 0;

/// One property, cleared at the end. A missing one is a success of type kVariantEmpty.
class Property {
 public:
  Property(System& system, PropertyStore& store, const PropertyKey& key) : system_(system) {
    if (failed(store.value(key, &value_))) value_ = {};
  }
  Property(const Property&) = delete;
  Property& operator=(const Property&) = delete;
  ~Property() { system_.clear(value_); }

  [[nodiscard]] std::string text() const {
    return value_.type == kVariantText ? copy_text(value_.text) : std::string();
  }
  [[nodiscard]] std::string guid() const {
    return value_.type == kVariantGuid && value_.guid != nullptr ? guid_text(*value_.guid)
                                                                 : std::string();
  }
  [[nodiscard]] std::uint32_t number(std::uint32_t otherwise) const {
    return value_.type == kVariantU4 ? value_.u4 : otherwise;
  }
  [[nodiscard]] std::optional<StreamFormat> format() const {
    if (value_.type != kVariantBlob || value_.blob.bytes == nullptr) return std::nullopt;
    if (value_.blob.size > kMaxBlobBytes) return std::nullopt;
    return read_wave_format(std::as_bytes(std::span(value_.blob.bytes, value_.blob.size)));
  }

 private:
  System& system_;
  PropertyValue value_{};
};

std::string read_id(System& system, MmDevice& device) {
  TaskMemory<char16_t> id(system);
  if (failed(device.id(id.out()))) return {};
  return copy_text(id.get());
}

std::optional<StreamFormat> read_mix_format(System& system, MmDevice& device) {
  ComPtr<AudioClient> client;
  if (failed(activate(device, client))) return std::nullopt;
  TaskMemory<WaveFormat> format(system);
  if (failed(client->mix_format(format.out()))) return std::nullopt;
  return copy_wave_format(format.get());
}

/// Nothing when the endpoint has left meanwhile.
std::optional<EndpointInfo> read_endpoint(System& system, MmDevice& device, Flow flow, Asked whom) {
  EndpointInfo info;
  info.flow = flow;
  info.id = read_id(system, device);
  std::uint32_t state = 0;
  if (info.id.empty() || failed(device.state(&state))) return std::nullopt;
  info.state = state & kAllStates;
  ComPtr<PropertyStore> store;
  if (!failed(device.open_properties(kReadOnly, store.out())) && store) {
    info.name = Property(system, *store.get(), kFriendlyName).text();
    info.description = Property(system, *store.get(), kDeviceDescription).text();
    info.adapter = Property(system, *store.get(), kAdapterName).text();
    info.container = Property(system, *store.get(), kContainerId).guid();
    info.usb = usb_numbers(Property(system, *store.get(), kAdapterPath).text());
    info.form_factor = Property(system, *store.get(), kFormFactor).number(info.form_factor);
    info.chosen = Property(system, *store.get(), kDeviceFormat).format();
  }
  if (info.name.empty()) info.name = info.description.empty() ? info.id : info.description;
  if (info.active() && whom == Asked::drivers) info.mix = read_mix_format(system, device);
  return info;
}

Result<> list_flow(System& system, MmDeviceEnumerator& enumerator, Flow flow, Asked whom,
                   std::vector<EndpointInfo>& endpoints) {
  const std::string standard = default_endpoint_id(system, enumerator, flow);
  ComPtr<MmDeviceCollection> devices;
  std::uint32_t count = 0;
  Hr code = enumerator.enumerate(flow, kAllStates, devices.out());
  if (!failed(code)) code = devices ? devices->count(&count) : kPointer;
  if (failed(code)) return refuse(code, "Listing the sound devices");
  for (std::uint32_t i = 0; i < std::min(count, kMaxEndpoints); ++i) {
    ComPtr<MmDevice> device;
    if (failed(devices->item(i, device.out())) || !device) continue;
    if (std::optional<EndpointInfo> info = read_endpoint(system, *device.get(), flow, whom)) {
      info->is_default = info->id == standard;
      endpoints.push_back(std::move(*info));
    }
  }
  return {};
}

}  // namespace

std::string default_endpoint_id(System& system, MmDeviceEnumerator& enumerator, Flow flow) {
  ComPtr<MmDevice> device;
  if (failed(enumerator.default_endpoint(flow, Role::console, device.out())) || !device) return {};
  return read_id(system, *device.get());
}

Result<std::vector<EndpointInfo>> list_endpoints(System& system, Asked whom) {
  const std::shared_ptr<void> com = system.hold_com();
  if (!com) return refuse(kComNotInitialized, "Listing the sound devices");
  ComPtr<MmDeviceEnumerator> enumerator;
  const Hr code = system.make_enumerator(enumerator.out());
  if (failed(code)) return refuse(code, "Listing the sound devices");
  std::vector<EndpointInfo> endpoints;
  for (const Flow flow : {Flow::render, Flow::capture}) {
    if (Result<> listed = list_flow(system, *enumerator.get(), flow, whom, endpoints); !listed) {
      return tl::unexpected(listed.error());
    }
  }
  return endpoints;
}

}  // namespace asiodrv::devices::wasapi
