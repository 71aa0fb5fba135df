#include "core/wire/member_reader.hpp"

#include <fmt/format.h>

namespace asiodrv::wire {
namespace {

/// The value of a JSON whole number that is not negative, however the library stores it.
std::optional<std::uint64_t> whole_number(const nlohmann::json& value) {
  if (const auto* positive = value.get_ptr<const nlohmann::json::number_unsigned_t*>()) {
    return *positive;
  }
  const auto* number = value.get_ptr<const nlohmann::json::number_integer_t*>();
  if (number == nullptr || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

MemberReader::MemberReader(const nlohmann::json& object, std::string_view what)
    : object_(object), what_(what) {
  if (!object.is_object()) {
    error_ = Error{ErrorCode::malformed, fmt::format("{}: an object is expected.", what_)};
  }
}

void MemberReader::refuse(std::string_view member, std::string_view reason) {
  if (error_) return;
  error_ = Error{ErrorCode::malformed, fmt::format("{}: member \"{}\" {}.", what_, member, reason)};
}

const nlohmann::json* MemberReader::find(const char* member) {
  if (error_) return nullptr;
  const auto found = object_.find(member);
  if (found != object_.end()) return &*found;
  refuse(member, "is missing");
  return nullptr;
}

std::uint32_t MemberReader::number(const char* member, std::uint32_t low, std::uint32_t high) {
  const nlohmann::json* const value = find(member);
  if (value == nullptr) return 0;
  const auto whole = whole_number(*value);
  if (whole && *whole >= low && *whole <= high) return static_cast<std::uint32_t>(*whole);
  refuse(member, fmt::format("must be a whole number from {} to {}", low, high));
  return 0;
}

std::uint32_t MemberReader::number_or(const char* member, std::uint32_t low, std::uint32_t high,
                                      std::uint32_t otherwise) {
  if (error_ || !object_.contains(member)) return otherwise;
  return number(member, low, high);
}

bool MemberReader::flag(const char* member) {
  const nlohmann::json* const value = find(member);
  if (value == nullptr) return false;
  if (const auto* yes = value->get_ptr<const bool*>()) return *yes;
  refuse(member, "must be true or false");
  return false;
}

std::string MemberReader::text(const char* member, std::size_t most) {
  const nlohmann::json* const value = find(member);
  if (value == nullptr) return {};
  const auto* text = value->get_ptr<const std::string*>();
  if (text != nullptr && text->size() <= most) return *text;
  refuse(member, fmt::format("must be text of at most {} bytes", most));
  return {};
}

const nlohmann::json* MemberReader::list(const char* member, std::size_t most) {
  const nlohmann::json* const value = find(member);
  if (value == nullptr) return nullptr;
  if (value->is_array() && value->size() <= most) return value;
  refuse(member, fmt::format("must be a list of at most {} elements", most));
  return nullptr;
}

std::vector<std::string> MemberReader::texts(const char* member, std::size_t most) {
  std::vector<std::string> all;
  const nlohmann::json* const elements = list(member, most);
  if (elements == nullptr) return all;
  all.reserve(elements->size());
  for (const auto& element : *elements) {
    const auto* text = element.get_ptr<const std::string*>();
    if (text == nullptr || text->size() > kMaxNameBytes) {
      refuse(member, fmt::format("must hold texts of at most {} bytes", kMaxNameBytes));
      return {};
    }
    all.push_back(*text);
  }
  return all;
}

std::vector<std::uint32_t> MemberReader::numbers(const char* member, std::size_t most,
                                                 std::uint32_t low, std::uint32_t high) {
  std::vector<std::uint32_t> all;
  const nlohmann::json* const elements = list(member, most);
  if (elements == nullptr) return all;
  all.reserve(elements->size());
  for (const auto& element : *elements) {
    const auto whole = whole_number(element);
    if (!whole || *whole < low || *whole > high) {
      refuse(member, fmt::format("must hold whole numbers from {} to {}", low, high));
      return {};
    }
    all.push_back(static_cast<std::uint32_t>(*whole));
  }
  return all;
}

}  // namespace asiodrv::wire
