// Reads the members of one JSON object that a peer sent, and names the first one that is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/wire/control.hpp"

namespace asiodrv::wire {

/// The upper end of a number without one.
inline constexpr std::uint32_t kAnyNumber = std::numeric_limits<std::uint32_t>::max();

/// A getter whose member is missing, mistyped or out of range returns an empty value and remembers
/// the refusal; result() reports the first one. So a parser reads as a list of its members.
/// Never throws but for memory. Single thread; borrows the object.
class MemberReader {
 public:
  /// `what` names the message in refusals, like "session.create".
  MemberReader(const nlohmann::json& object, std::string_view what);

  /// A whole number from `low` to `high`.
  std::uint32_t number(const char* member, std::uint32_t low, std::uint32_t high);
  /// As number(), or `otherwise` when the member is absent.
  std::uint32_t number_or(const char* member, std::uint32_t low, std::uint32_t high,
                          std::uint32_t otherwise);
  bool flag(const char* member);
  /// Text of at most `most` bytes.
  std::string text(const char* member, std::size_t most = kMaxNameBytes);
  /// At most `most` texts, each as text().
  std::vector<std::string> texts(const char* member, std::size_t most);
  /// At most `most` whole numbers from `low` to `high`.
  std::vector<std::uint32_t> numbers(const char* member, std::size_t most, std::uint32_t low,
                                     std::uint32_t high);
  /// The elements of a list of at most `most`; null when refused.
  const nlohmann::json* list(const char* member, std::size_t most);

  /// Refuses `member` for a reason that only the caller knows. The first refusal stays.
  void refuse(std::string_view member, std::string_view reason);

  [[nodiscard]] bool good() const noexcept { return !error_; }

  /// `value`, or the first refusal (malformed).
  template <class T>
  [[nodiscard]] Result<T> result(T value) const {
    if (error_) return tl::unexpected<Error>(*error_);
    return value;
  }

 private:
  const nlohmann::json* find(const char* member);

  const nlohmann::json& object_;
  std::string what_;
  std::optional<Error> error_;
};

}  // namespace asiodrv::wire
