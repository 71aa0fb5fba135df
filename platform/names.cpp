#include "platform/names.hpp"

#include <algorithm>

namespace asiodrv::platform {
namespace {

bool is_lower_or_digit(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

Result<> check_instance(std::string_view instance) {
  const bool fits =
      instance.size() <= kMaxInstanceLength &&
      std::all_of(instance.begin(), instance.end(), [](char c) {
        return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
      });
  if (fits) return {};
  return fail(ErrorCode::invalid_argument,
              "The instance name is not usable. Use at most 64 letters, digits, '.', '_' or '-'.");
}

Result<> check_doorbell_name(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= kMaxDoorbellNameLength &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) { return is_lower_or_digit(c) || c == '_'; });
  if (fits) return {};
  return fail(ErrorCode::invalid_argument,
              "The doorbell name is not usable. Use 1 to 16 lower-case letters, digits or '_'.");
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    text += kDigits[value >> 4U];
    text += kDigits[value & 15U];
  }
  return text;
}

}  // namespace asiodrv::platform
