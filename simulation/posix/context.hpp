// A stack of its own and the place on it where to go on: what lies below a fiber.
#pragma once

#include <cstddef>
#include <memory>

namespace asiodrv::simulation {

/// Switching is between contexts of one thread. What the C++ runtime keeps per thread about
/// exceptions, and the depth of RtScopes, is kept per context.
class Context {
 public:
  using Entry = void (*)(void* argument);

  /// The stack that the caller runs on already.
  Context();
  /// A fresh stack; the first switch to it calls `entry`, which must never return.
  Context(Entry entry, void* argument);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Leaves `from`, the running one, for `to`; returns when somebody switches back to `from`.
  /// `ends`: nobody will.
  static void switch_to(Context& from, Context& to, bool ends);

 private:
  struct State;
  static void begin();
  std::unique_ptr<State> state_;
};

}  // namespace asiodrv::simulation
