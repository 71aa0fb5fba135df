// What every interface of the fake has in common: a count of references, and a gate that each call
// passes before it does anything.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "devices/wasapi/fake/world.hpp"

namespace asiodrv::devices::wasapi::fake {

/// Owned by the world for ever; `references` is what the program under test holds.
class Object {
 public:
  Object(World& world, std::string kind) : world_(world), kind_(std::move(kind)) {}
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  [[nodiscard]] World& world() const { return world_; }
  [[nodiscard]] const std::string& kind() const { return kind_; }
  [[nodiscard]] std::uint32_t references() const { return references_; }
  std::uint32_t hold() { return ++references_; }

 protected:
  /// The program's release.
  std::uint32_t let_go();
  /// The last reference has just gone.
  virtual void end() {}

 private:
  World& world_;
  const std::string kind_;
  std::uint32_t references_ = 1;
};

/// The gate: one per call, first thing in it. Takes the world's lock, lets happen what is due, and
/// looks for what no code would tell (rules E1 and N2, use after release). The fake is not
/// real-time code, whoever calls it.
class Call {
 public:
  Call(Object& object, std::string_view method);
  /// True when the call must do nothing and return code().
  [[nodiscard]] bool refused() const { return code_.has_value(); }
  [[nodiscard]] Hr code() const { return *code_; }

 private:
  RtPermit permit_;
  std::unique_lock<std::recursive_mutex> lock_;
  std::optional<Hr> code_;
};

/// An object with one table of methods, which serves `Interface` and those that it extends.
template <class Interface, class... Extended>
class Com : public Interface, public Object {
 public:
  using Object::Object;

  Hr query_interface(const Guid& id, void** object) override {
    const Call call(*this, "query_interface");
    if (call.refused()) return call.code();
    if (object == nullptr) return kPointer;
    *object = nullptr;
    const bool known = id == Unknown::kId || id == Interface::kId || ((id == Extended::kId) || ...);
    if (!known || !offers(id)) return other_interface(id, object);
    hold();
    *object = static_cast<Interface*>(this);
    return kOk;
  }
  std::uint32_t add_ref() override {
    const Call call(*this, "add_ref");
    return call.refused() ? 0 : hold();
  }
  std::uint32_t release() override {
    if (world().on_release) world().on_release(kind());
    const Call call(*this, "release");
    return let_go();
  }

 protected:
  virtual bool offers(const Guid& /*id*/) { return true; }
  virtual Hr other_interface(const Guid& /*id*/, void** /*object*/) { return kNoInterface; }
};

}  // namespace asiodrv::devices::wasapi::fake
