// A fact that was found out, or why it was not.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace asiodrv::doctor {

/// Holds a value, or a sentence that says why there is none. What is not known is never taken for
/// "off", "absent" or 0.
template <class T>
class Known {
 public:
  Known() = default;
  Known(T value) : value_(std::move(value)) {}  // a fact is written down as what it is
  [[nodiscard]] static Known unknown(std::string why) {
    Known fact;
    fact.why_ = std::move(why);
    return fact;
  }

  [[nodiscard]] bool known() const noexcept { return value_.has_value(); }
  /// Only when known.
  [[nodiscard]] const T& operator*() const { return *value_; }
  [[nodiscard]] const T* operator->() const { return &*value_; }
  /// True when it is known for certain to be `value`.
  [[nodiscard]] bool is(const T& value) const { return value_ && *value_ == value; }
  [[nodiscard]] bool is_not(const T& value) const { return value_ && !(*value_ == value); }
  [[nodiscard]] T value_or(T otherwise) const { return value_.value_or(std::move(otherwise)); }
  [[nodiscard]] const std::string& why() const noexcept { return why_; }

 private:
  std::optional<T> value_;
  std::string why_ = "nobody has looked";
};

}  // namespace asiodrv::doctor
