// Security descriptors for tests, from the notation that Windows uses (SDDL), as bytes: the engine
// reads bytes, and tests read words. Knows as much of the notation as the tests write.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "trust/testing/pe_builder.hpp"

namespace asiodrv::trust::testing {

inline std::string sid_of(const std::string& name) {
  static const std::map<std::string, std::string> kNames = {
      {"WD", "S-1-1-0"},
      {"AU", "S-1-5-11"},
      {"IU", "S-1-5-4"},
      {"BU", "S-1-5-32-545"},
      {"BA", "S-1-5-32-544"},
      {"SY", "S-1-5-18"},
      {"LS", "S-1-5-19"},
      {"OW", "S-1-3-4"},
      {"CO", "S-1-3-0"},
      {"AC", "S-1-15-2-1"},
      {"HI", "S-1-16-12288"},
      {"ME", "S-1-16-8192"},
      {"TI", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"}};
  const auto found = kNames.find(name);
  return found == kNames.end() ? name : found->second;
}

inline Bytes sid_bytes(const std::string& name) {
  const std::string text = sid_of(name);
  if (text.rfind("S-1-", 0) != 0) throw std::invalid_argument("no SID: " + name);
  std::vector<std::uint32_t> numbers;
  for (std::size_t at = 4; at <= text.size();) {
    const std::size_t end = std::min(text.find('-', at), text.size());
    numbers.push_back(static_cast<std::uint32_t>(std::stoul(text.substr(at, end - at))));
    at = end + 1;
  }
  Bytes bytes = {1, static_cast<std::uint8_t>(numbers.size() - 1), 0, 0, 0, 0,
                 0, static_cast<std::uint8_t>(numbers.front())};
  for (std::size_t i = 1; i < numbers.size(); ++i) put(bytes, bytes.size(), numbers[i], 4);
  return bytes;
}

inline std::uint32_t rights_of(const std::string& words) {
  if (words.rfind("0x", 0) == 0) return static_cast<std::uint32_t>(std::stoul(words, nullptr, 16));
  static const std::map<std::string, std::uint32_t> kRights = {
      {"FA", 0x1F01FF}, {"FR", 0x120089}, {"FW", 0x120116}, {"FX", 0x1200A0},
      {"GA", 1U << 28}, {"GX", 1U << 29}, {"GW", 1U << 30}, {"GR", 1U << 31},
      {"SD", 0x10000},  {"RC", 0x20000},  {"WD", 0x40000},  {"WO", 0x80000},
      {"DC", 0x2},      {"LC", 0x4},      {"DT", 0x40},     {"NW", 0x1}};
  std::uint32_t mask = 0;
  for (std::size_t at = 0; at + 2 <= words.size(); at += 2) mask |= kRights.at(words.substr(at, 2));
  return mask;
}

/// "(A;OICI;FA;;;BU)"
inline Bytes ace_bytes(const std::string& text) {
  std::vector<std::string> fields(1);
  for (const char c : text) {
    if (c == ';') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  static const std::map<std::string, std::uint8_t> kTypes = {
      {"A", 0}, {"D", 1}, {"AU", 2}, {"OA", 5}, {"XA", 9}, {"XD", 10}, {"ML", 0x11}};
  static const std::map<std::string, std::uint8_t> kFlags = {
      {"OI", 1}, {"CI", 2}, {"NP", 4}, {"IO", 8}, {"ID", 16}};
  std::uint8_t flags = 0;
  for (std::size_t at = 0; at + 2 <= fields.at(1).size(); at += 2) {
    flags = static_cast<std::uint8_t>(flags | kFlags.at(fields[1].substr(at, 2)));
  }
  const std::uint8_t type = kTypes.at(fields[0]);
  Bytes bytes = {type, flags, 0, 0};
  put(bytes, 4, rights_of(fields.at(2)), 4);
  if (type == 5) put(bytes, 8, 0, 4);  // an object entry without any object
  put(bytes, bytes.size(), sid_bytes(fields.at(5)));
  if (type >= 9 && type <= 10) put(bytes, bytes.size(), Bytes{'a', 'r', 't', 'x'});  // a condition
  put(bytes, 2, bytes.size(), 2);
  return bytes;
}

inline Bytes list_bytes(std::string_view text) {
  Bytes list = {2, 0, 0, 0, 0, 0, 0, 0};
  std::uint16_t count = 0;
  for (std::size_t at = text.find('('); at != std::string_view::npos; at = text.find('(', at)) {
    const std::size_t end = text.find(')', at);
    put(list, list.size(), ace_bytes(std::string(text.substr(at + 1, end - at - 1))));
    ++count;
    at = end;
  }
  put(list, 2, list.size(), 2);
  put(list, 4, count, 2);
  return list;
}

/// "O:BAG:SYD:(A;;FA;;;SY)S:(ML;;NW;;;HI)". "D:NO_ACCESS_CONTROL" is a list that is not there;
/// without "D:" there is none at all.
inline Bytes descriptor(const std::string& sddl) {
  const auto part = [&](const char* name) -> std::string {
    const std::size_t at = sddl.find(name);
    if (at == std::string::npos) return {};
    std::size_t end = sddl.size();
    for (const char* const next : {"O:", "G:", "D:", "S:"}) {
      const std::size_t found = sddl.find(next, at + 2);
      if (found != std::string::npos) end = std::min(end, found);
    }
    return sddl.substr(at + 2, end - at - 2);
  };
  Bytes bytes(20, 0);
  bytes[0] = 1;
  std::uint32_t control = 0x8000;
  if (const std::string owner = part("O:"); !owner.empty()) {
    put(bytes, 4, bytes.size(), 4);
    put(bytes, bytes.size(), sid_bytes(owner));
  }
  if (const std::string labels = part("S:"); !labels.empty()) {
    control |= 0x10;
    put(bytes, 12, bytes.size(), 4);
    put(bytes, bytes.size(), list_bytes(labels));
  }
  if (sddl.find("D:") != std::string::npos) {
    control |= 0x4;
    if (part("D:") != "NO_ACCESS_CONTROL") {
      put(bytes, 16, bytes.size(), 4);
      put(bytes, bytes.size(), list_bytes(part("D:")));
    }
  }
  put(bytes, 2, control, 2);
  return bytes;
}

}  // namespace asiodrv::trust::testing
