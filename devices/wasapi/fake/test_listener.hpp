// Notification and session clients that write down what they are told. Tests only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "devices/wasapi/abi.hpp"

namespace asiodrv::devices::wasapi::fake::test {

struct Listener final : NotificationClient {
  struct Default {
    Flow flow;
    Role role;
    std::u16string id;  ///< empty: none is left
  };

  Hr query_interface(const Guid& /*id*/, void** /*object*/) override { return kNoInterface; }
  std::uint32_t add_ref() override { return ++references; }
  std::uint32_t release() override { return --references; }
  Hr on_state_changed(Text id, std::uint32_t state) override {
    states.emplace_back(id, state);
    return act();
  }
  Hr on_added(Text id) override {
    added.emplace_back(id);
    return act();
  }
  Hr on_removed(Text id) override {
    removed.emplace_back(id);
    return act();
  }
  Hr on_default_changed(Flow flow, Role role, Text id) override {
    defaults.push_back({flow, role, id != nullptr ? std::u16string(id) : std::u16string()});
    return act();
  }
  Hr on_property_changed(Text /*id*/, PropertyKey key) override {
    properties.push_back(key);
    return act();
  }
  Hr act() {
    if (action) action();
    return kOk;
  }

  std::uint32_t references = 1;
  std::function<void()> action;  ///< done in every callback
  std::vector<std::pair<std::u16string, std::uint32_t>> states;
  std::vector<std::u16string> added, removed;
  std::vector<Default> defaults;
  std::vector<PropertyKey> properties;
};

struct SessionListener final : SessionEvents {
  Hr query_interface(const Guid& /*id*/, void** /*object*/) override { return kNoInterface; }
  std::uint32_t add_ref() override { return ++references; }
  std::uint32_t release() override { return --references; }
  Hr on_display_name_changed(Text /*name*/, const Guid* /*context*/) override { return kOk; }
  Hr on_icon_path_changed(Text /*path*/, const Guid* /*context*/) override { return kOk; }
  Hr on_simple_volume_changed(float /*volume*/, std::int32_t /*mute*/,
                              const Guid* /*context*/) override {
    return kOk;
  }
  Hr on_channel_volume_changed(std::uint32_t /*channels*/, float* /*volumes*/,
                               std::uint32_t /*channel*/, const Guid* /*context*/) override {
    return kOk;
  }
  Hr on_grouping_changed(const Guid* /*group*/, const Guid* /*context*/) override { return kOk; }
  Hr on_state_changed(std::int32_t /*state*/) override { return kOk; }
  Hr on_disconnected(DisconnectReason reason) override {
    reasons.push_back(reason);
    if (action) action();
    return kOk;
  }

  std::uint32_t references = 1;
  std::function<void()> action;
  std::vector<DisconnectReason> reasons;
};

}  // namespace asiodrv::devices::wasapi::fake::test
