#include "host/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace asiodrv::host {
namespace {

bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::filesystem::path utf8_path(const std::string& text) {
  return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

bool looks_like_path(std::string_view text) {
  return text.find_first_of("/\\") != std::string_view::npos || text.ends_with(".so") ||
         text.ends_with(".dll") || text.ends_with(".DLL");
}

std::string list_of_names(std::span<const DriverEntry> installed) {
  if (installed.empty()) return "No ASIO driver is installed for programs of this bitness";
  std::string text = "Installed:";
  for (const DriverEntry& entry : installed) text += fmt::format(" '{}'", entry.name);
  return text;
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::optional<asio::Guid> parse_guid(std::string_view text) {
  if (text.size() == 38 && text.front() == '{' && text.back() == '}') {
    text = text.substr(1, 36);
  }
  if (text.size() != 36) return std::nullopt;
  std::uint8_t bytes[16] = {};
  std::size_t digits = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (text[at] != '-') return std::nullopt;
      continue;
    }
    const std::optional<unsigned> digit = hex_digit(text[at]);
    if (!digit) return std::nullopt;
    bytes[digits / 2] = static_cast<std::uint8_t>((bytes[digits / 2] << 4) | *digit);
    ++digits;
  }
  asio::Guid guid{};
  guid.data1 = (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
               (std::uint32_t{bytes[2]} << 8) | bytes[3];
  guid.data2 = static_cast<std::uint16_t>((bytes[4] << 8) | bytes[5]);
  guid.data3 = static_cast<std::uint16_t>((bytes[6] << 8) | bytes[7]);
  std::copy(bytes + 8, bytes + 16, guid.data4);
  return guid;
}

std::string format_guid(const asio::Guid& guid) {
  const std::uint8_t* tail = guid.data4;
  return fmt::format("{{{:08X}-{:04X}-{:04X}-{:02X}{:02X}-{:02X}{:02X}{:02X}{:02X}{:02X}{:02X}}}",
                     guid.data1, guid.data2, guid.data3, tail[0], tail[1], tail[2], tail[3],
                     tail[4], tail[5], tail[6], tail[7]);
}

Result<DriverEntry> choose_driver(std::span<const DriverEntry> installed,
                                  const std::string& wanted) {
  if (wanted.empty()) {
    for (const DriverEntry& entry : installed) {
      if (same_text(entry.name, kPreferredDriver)) return entry;
    }
    if (installed.size() == 1) return installed.front();
    return fail(ErrorCode::not_found,
                fmt::format("No driver named and '{}' is not installed. {}. Choose one with "
                            "--driver NAME, CLSID or PATH.",
                            kPreferredDriver, list_of_names(installed)));
  }
  const std::optional<asio::Guid> guid = parse_guid(wanted);
  for (const DriverEntry& entry : installed) {
    if (same_text(entry.name, wanted) || same_text(entry.description, wanted)) return entry;
    if (guid && parse_guid(entry.clsid) == guid) return entry;
    if (!entry.path.empty() && same_text(entry.path, wanted)) return entry;
  }
  if (looks_like_path(wanted)) {
    DriverEntry entry;
    const std::filesystem::path path = std::filesystem::absolute(utf8_path(wanted));
    const std::u8string stem = path.stem().u8string();
    entry.name.assign(stem.begin(), stem.end());
    if (entry.name.starts_with("lib")) entry.name.erase(0, 3);
    const std::u8string full = path.u8string();
    entry.path.assign(full.begin(), full.end());
    entry.description = entry.name;
    std::error_code error;
    entry.exists = std::filesystem::exists(path, error);
    if (entry.exists) return entry;
    return fail(ErrorCode::not_found, fmt::format("There is no driver file '{}'.", entry.path));
  }
  return fail(ErrorCode::not_found,
              fmt::format("No driver answers to '{}'. {}.", wanted, list_of_names(installed)));
}

}  // namespace asiodrv::host
