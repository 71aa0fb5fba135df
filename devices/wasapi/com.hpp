// Owners of what WASAPI hands out: references to interfaces, and memory.
#pragma once

#include <utility>

#include "devices/wasapi/abi.hpp"
#include "devices/wasapi/system.hpp"

namespace asiodrv::devices::wasapi {

/// Owns one reference. Released on the thread that destroys or resets it.
template <class Interface>
class ComPtr {
 public:
  ComPtr() noexcept = default;
  ComPtr(ComPtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  /// From an owner of a derived interface.
  template <class Derived>
  explicit ComPtr(ComPtr<Derived>&& other) noexcept : object_(other.detach()) {}
  ComPtr& operator=(ComPtr&& other) noexcept {
    if (this != &other) {
      reset();
      object_ = std::exchange(other.object_, nullptr);
    }
    return *this;
  }
  ~ComPtr() { reset(); }

  [[nodiscard]] Interface* get() const noexcept { return object_; }
  Interface* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  void reset() noexcept {
    if (object_ != nullptr) std::exchange(object_, nullptr)->release();
  }
  /// The caller owns the reference from now on.
  [[nodiscard]] Interface* detach() noexcept { return std::exchange(object_, nullptr); }
  /// For a method that returns an interface; what was owned before is released.
  [[nodiscard]] Interface** out() noexcept {
    reset();
    return &object_;
  }

 private:
  Interface* object_ = nullptr;
};

/// Activates `Interface` of an endpoint. `client` is empty on failure.
template <class Interface>
[[nodiscard]] Hr activate(MmDevice& device, ComPtr<Interface>& client) {
  constexpr std::uint32_t kAnyContext = 0x17;
  client.reset();  // first: it may be what holds the device
  void* object = nullptr;
  const Hr code = device.activate(Interface::kId, kAnyContext, nullptr, &object);
  if (failed(code)) return code;  // judged before the output is looked at
  *client.out() = static_cast<Interface*>(object);
  return client ? code : kNoInterface;
}

/// The same for a service of an initialised client.
template <class Interface>
[[nodiscard]] Hr get_service(AudioClient& client, ComPtr<Interface>& service) {
  service.reset();
  void* object = nullptr;
  const Hr code = client.service(Interface::kId, &object);
  if (failed(code)) return code;
  *service.out() = static_cast<Interface*>(object);
  return service ? code : kNoInterface;
}

/// Owns memory that a method returned.
template <class T>
class TaskMemory {
 public:
  explicit TaskMemory(System& system) noexcept : system_(system) {}
  TaskMemory(const TaskMemory&) = delete;
  TaskMemory& operator=(const TaskMemory&) = delete;
  ~TaskMemory() { reset(); }

  [[nodiscard]] T* get() const noexcept { return memory_; }
  void reset() noexcept {
    if (memory_ != nullptr) system_.free_task_memory(std::exchange(memory_, nullptr));
  }
  [[nodiscard]] T** out() noexcept {
    reset();
    return &memory_;
  }

 private:
  System& system_;
  T* memory_ = nullptr;
};

/// Owns an event of the system; null when the system refused one.
class Event {
 public:
  explicit Event(System& system) : system_(system), handle_(system.make_event()) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() {
    if (handle_ != nullptr) system_.close_event(handle_);
  }
  [[nodiscard]] EventHandle get() const noexcept { return handle_; }

 private:
  System& system_;
  EventHandle handle_;
};

}  // namespace asiodrv::devices::wasapi
