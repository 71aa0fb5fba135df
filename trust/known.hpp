// A fact that is known, or the reason why it is not. Nothing in between: what could not be looked
// at must never read as "nothing was found".
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace asiodrv::trust {

template <class T>
class Known {
 public:
  Known() = default;
  Known(T value) : value_(std::move(value)) {}  // NOLINT: a value is known by being given

  /// `why`: a part of a sentence, "the file may not be read".
  [[nodiscard]] static Known unknown(std::string why) {
    Known fact;
    fact.why_not_ = std::move(why);
    return fact;
  }

  explicit operator bool() const noexcept { return value_.has_value(); }
  [[nodiscard]] const T& operator*() const { return *value_; }
  [[nodiscard]] T& operator*() { return *value_; }
  [[nodiscard]] const T* operator->() const { return &*value_; }
  [[nodiscard]] T* operator->() { return &*value_; }
  [[nodiscard]] T value_or(T other) const { return value_.value_or(std::move(other)); }
  /// Meaningful only when there is no value.
  [[nodiscard]] const std::string& why_not() const noexcept { return why_not_; }

  bool operator==(const Known&) const = default;

 private:
  std::optional<T> value_;
  std::string why_not_ = "nobody looked";
};

}  // namespace asiodrv::trust
