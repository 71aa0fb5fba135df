#include "platform/service_instances.hpp"

#include <algorithm>

namespace asiodrv::platform {
namespace {

constexpr std::uint32_t kInstanceBit = 0x80;

char lower_letter(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_letters(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_letter(x) == lower_letter(y); });
}

bool is_hex(char c) noexcept {
  const char small = lower_letter(c);
  return (small >= '0' && small <= '9') || (small >= 'a' && small <= 'f');
}

/// The last part of an instance's name, whatever its template.
std::optional<std::string_view> any_suffix(std::string_view name) noexcept {
  const std::size_t mark = name.rfind('_');
  if (mark == std::string_view::npos) return std::nullopt;
  return instance_suffix(name, name.substr(0, mark));
}

}  // namespace

std::optional<std::string_view> instance_suffix(std::string_view name,
                                                std::string_view template_name) noexcept {
  const std::size_t mark = template_name.size();
  if (name.size() <= mark + 1 || name[mark] != '_') return std::nullopt;
  if (!same_letters(name.substr(0, mark), template_name)) return std::nullopt;
  const std::string_view suffix = name.substr(mark + 1);
  if (!std::all_of(suffix.begin(), suffix.end(), is_hex)) return std::nullopt;
  return suffix;
}

std::optional<std::string> instance_of_session(
    std::span<const ListedService> services, std::string_view template_name, std::uint32_t session,
    const std::function<std::optional<std::uint32_t>(std::uint32_t process_id)>& session_of) {
  for (const ListedService& neighbour : services) {
    if ((neighbour.type & kInstanceBit) == 0 || neighbour.process_id == 0) continue;
    const auto sign_in = any_suffix(neighbour.name);
    if (!sign_in || session_of(neighbour.process_id) != session) continue;
    for (const ListedService& each : services) {
      const auto suffix = instance_suffix(each.name, template_name);
      if ((each.type & kInstanceBit) != 0 && suffix && same_letters(*suffix, *sign_in)) {
        return each.name;
      }
    }
  }
  return std::nullopt;
}

}  // namespace asiodrv::platform
