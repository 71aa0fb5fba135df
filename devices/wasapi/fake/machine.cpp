// What happens to the machine as a whole, and who is told.
#include <fmt/format.h>

#include <algorithm>

#include "devices/wasapi/fake/endpoint.hpp"
#include "devices/wasapi/fake/world.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

std::u16string widen(const std::string& text) { return {text.begin(), text.end()}; }

std::size_t index_of(Flow flow) { return flow == Flow::render ? 0 : 1; }

}  // namespace

Endpoint& World::add_endpoint(EndpointSpec spec) {
  const std::lock_guard lock(mutex_);
  const std::size_t number = endpoints_.size() + 1;
  const bool renders = spec.flow == Flow::render;
  if (spec.id.empty()) {
    spec.id = widen(fmt::format("{{0.0.{}.00000000}}.{{5eed0000-0000-4000-8000-{:012x}}}",
                                renders ? 0 : 1, number));
  }
  if (spec.name.empty()) spec.name = renders ? u"Speakers" : u"Microphone";
  if (spec.adapter.empty()) spec.adapter = u"Fake Audio";
  if (!spec.container) {
    spec.container = Guid{0x5eedc0de, 0, 0x4000, {0x80, 0, 0, 0, 0, 0, 0, 1}};
  }
  endpoints_.push_back(std::make_unique<Endpoint>(*this, std::move(spec)));
  Endpoint& endpoint = *endpoints_.back();
  notify([&endpoint](NotificationClient& client) { client.on_added(endpoint.spec().id.c_str()); });
  choose_default(endpoint.flow());
  return endpoint;
}

void World::remove(Endpoint& endpoint) {
  const std::lock_guard lock(mutex_);
  endpoint.is_removed_ = true;
  endpoint.spec_.state = kNotPresent;
  endpoint.lose(hr_of(endpoint.knobs().loss), DisconnectReason::device_removal,
                Endpoint::Extent::device);
  notify(
      [&endpoint](NotificationClient& client) { client.on_removed(endpoint.spec().id.c_str()); });
  choose_default(endpoint.flow());
}

const std::vector<std::unique_ptr<Endpoint>>& World::endpoints() const { return endpoints_; }

Endpoint* World::find(std::u16string_view id) const {
  for (const auto& endpoint : endpoints_) {
    if (!endpoint->is_removed() && endpoint->spec().id == id) return endpoint.get();
  }
  return nullptr;
}

Endpoint* World::default_endpoint(Flow flow) const { return defaults_[index_of(flow)]; }

void World::set_default(Flow flow, Endpoint* endpoint) {
  const std::lock_guard lock(mutex_);
  defaults_[index_of(flow)] = endpoint;
  std::vector<Role> roles{Role::console, Role::multimedia, Role::communications};
  for (std::size_t i = roles.size() - 1; i > 0; --i) {
    std::swap(roles[i], roles[random_.below(i + 1)]);
  }
  // One call per role that moved; the one that devices are chosen by is among them.
  const auto console = std::find(roles.begin(), roles.end(), Role::console);
  const auto told = std::max<std::ptrdiff_t>(1 + static_cast<std::ptrdiff_t>(random_.below(3)),
                                             console - roles.begin() + 1);
  roles.resize(static_cast<std::size_t>(told));
  if (random_.chance(0.2)) roles.push_back(roles.front());
  for (const Role role : roles) {
    notify([flow, role, endpoint](NotificationClient& client) {
      client.on_default_changed(flow, role, endpoint ? endpoint->spec().id.c_str() : nullptr);
    });
  }
}

void World::choose_default(Flow flow) {
  const std::lock_guard lock(mutex_);
  const Endpoint* current = default_endpoint(flow);
  if (current != nullptr && current->state() == kActive) return;
  Endpoint* next = nullptr;
  for (const auto& endpoint : endpoints_) {
    const bool fits = endpoint->flow() == flow && endpoint->state() == kActive;
    if (next == nullptr && fits && !endpoint->is_removed()) next = endpoint.get();
  }
  if (next != current) set_default(flow, next);
}

void World::service_down(LossCode code) {
  const std::lock_guard lock(mutex_);
  service_is_up_ = false;
  for (const auto& endpoint : endpoints_) {
    endpoint->lose(hr_of(code), std::nullopt, Endpoint::Extent::device);
  }
}

void World::resume_storm() {
  const std::lock_guard lock(mutex_);
  constexpr int kCallbacks = 200;
  for (int i = 0; i < kCallbacks && !endpoints_.empty(); ++i) {
    const Endpoint& endpoint = *endpoints_[random_.below(endpoints_.size())];
    schedule(now() + milliseconds{50} * i / kCallbacks, [this, &endpoint] {
      notify([&endpoint](NotificationClient& client) {
        client.on_property_changed(endpoint.spec().id.c_str(), kFriendlyName);
      });
    });
  }
  for (const auto& endpoint : endpoints_) {
    Endpoint& absent = *endpoint;
    if (absent.knobs().absent_on_resume.count() == 0 || absent.state() != kActive) continue;
    absent.unplug(kNotPresent);
    schedule(now() + absent.knobs().absent_on_resume, [&absent] { absent.replug(); });
  }
}

void World::call_back(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  callbacks_.push_back(std::move(callback));
}

void World::notify(std::function<void(NotificationClient&)> call) {
  if (!options_.notifications) return;
  call_back([this, call = std::move(call)] {
    const std::vector<NotificationClient*> told = listeners_;
    for (NotificationClient* client : told) {
      // Nobody is told after the unregistration of somebody else's callback.
      if (std::find(listeners_.begin(), listeners_.end(), client) != listeners_.end()) {
        call(*client);
      }
    }
  });
}

}  // namespace asiodrv::devices::wasapi::fake
