// How programs find endpoints: enumerator, collection, device, properties.
#pragma once

#include <vector>

#include "devices/wasapi/fake/object.hpp"

namespace asiodrv::devices::wasapi::fake {

class Enumerator final : public Com<MmDeviceEnumerator> {
 public:
  explicit Enumerator(World& world) : Com(world, "enumerator") {}
  Hr enumerate(Flow flow, std::uint32_t states, MmDeviceCollection** devices) override;
  Hr default_endpoint(Flow flow, Role role, MmDevice** device) override;
  Hr device(Text id, MmDevice** device) override;
  Hr register_notifications(NotificationClient* client) override;
  Hr unregister_notifications(NotificationClient* client) override;
};

/// What was there when it was made; it does not follow changes.
class Collection final : public Com<MmDeviceCollection> {
 public:
  Collection(World& world, std::vector<Endpoint*> endpoints)
      : Com(world, "collection"), endpoints_(std::move(endpoints)) {}
  Hr count(std::uint32_t* devices) override;
  Hr item(std::uint32_t index, MmDevice** device) override;

 private:
  const std::vector<Endpoint*> endpoints_;
};

class Device final : public Com<MmDevice> {
 public:
  Device(World& world, Endpoint& endpoint) : Com(world, "device"), endpoint_(endpoint) {}
  Hr activate(const Guid& id, std::uint32_t context, void* parameters, void** object) override;
  Hr open_properties(std::uint32_t access, PropertyStore** properties) override;
  Hr id(char16_t** id) override;
  Hr state(std::uint32_t* state) override;

 protected:
  Hr other_interface(const Guid& id, void** object) override;

 private:
  Endpoint& endpoint_;
};

/// The other face of a device.
class DeviceFlow final : public Com<MmEndpoint> {
 public:
  DeviceFlow(World& world, Flow flow) : Com(world, "endpoint"), flow_(flow) {}
  Hr flow(Flow* flow) override;

 private:
  const Flow flow_;
};

/// Read only, as endpoints' properties are for programs.
class Properties final : public Com<PropertyStore> {
 public:
  Properties(World& world, Endpoint& endpoint) : Com(world, "properties"), endpoint_(endpoint) {}
  Hr count(std::uint32_t* properties) override;
  Hr key_at(std::uint32_t index, PropertyKey* key) override;
  Hr value(const PropertyKey& key, PropertyValue* value) override;
  Hr set_value(const PropertyKey& key, const PropertyValue& value) override;
  Hr commit() override;

 private:
  Endpoint& endpoint_;
};

}  // namespace asiodrv::devices::wasapi::fake
