#include "devices/wasapi/fake/object.hpp"

#include <fmt/format.h>

#include <array>

namespace asiodrv::devices::wasapi::fake {

std::uint32_t Object::let_go() {
  if (references_ == 0) return 0;  // the gate has written it down
  if (--references_ > 0) return references_;
  if (world_.current_thread() == kCallbackThread) {
    world_.violate(fmt::format("N2: the last release of a {} inside a callback", kind_));
  }
  end();
  return 0;
}

Call::Call(Object& object, std::string_view method) : lock_(object.world().mutex_) {
  World& world = object.world();
  world.pump();
  std::string name = object.kind() + '.';
  name += method;
  ++world.calls_[name];
  ++world.all_calls_;
  const ThreadId thread = world.current_thread();
  if (object.references() == 0) {
    world.violate(fmt::format("use after release: {}", name));
    code_ = kUnexpected;
    return;
  }
  if (thread != kCallbackThread && world.com_holds_[thread] == 0) {
    world.violate(fmt::format("E1: {} on a thread without COM", name));
  }
  constexpr std::array kForbidden{"enumerator.register_notifications",
                                  "enumerator.unregister_notifications",
                                  "session.register_events",
                                  "session.unregister_events",
                                  "device.activate",
                                  "client.initialize",
                                  "client.initialize_shared"};
  if (thread == kCallbackThread) {
    for (const char* forbidden : kForbidden) {
      if (name == forbidden) world.violate(fmt::format("N2: {} inside a callback", name));
    }
  }
  for (std::size_t i = 0; i < world.ambushes_.size(); ++i) {
    World::Ambush& ambush = world.ambushes_[i];
    if (ambush.call.empty() ? ambush.number != world.all_calls_ : ambush.call != name) continue;
    const std::function<void()> action = std::move(ambush.action);
    world.ambushes_.erase(world.ambushes_.begin() + static_cast<std::ptrdiff_t>(i));
    action();
    break;
  }
  for (World::Injected& injected : world.injected_) {
    if (injected.call != name || injected.times == 0) continue;
    --injected.times;
    code_ = injected.code;
    return;
  }
}

}  // namespace asiodrv::devices::wasapi::fake
