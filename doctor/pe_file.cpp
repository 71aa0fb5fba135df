#include "doctor/pe_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "service/paths.hpp"

namespace asiodrv::doctor {
namespace {

constexpr std::size_t kMostFileBytes = std::size_t{64} << 20;

/// Little-endian numbers at any place; nothing beyond the end.
template <class T>
std::optional<T> number_at(std::span<const std::byte> bytes, std::size_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    value = static_cast<T>((std::uint64_t{value} << 8) |
                           std::to_integer<std::uint64_t>(bytes[offset + i]));
  }
  return value;
}

/// Where the COFF header begins: after "MZ", its pointer, and "PE\0\0".
std::optional<std::size_t> coff_header(std::span<const std::byte> bytes) {
  if (number_at<std::uint16_t>(bytes, 0) != std::uint16_t{0x5A4D}) return std::nullopt;
  const auto at = number_at<std::uint32_t>(bytes, 0x3C);
  if (!at || number_at<std::uint32_t>(bytes, *at) != std::uint32_t{0x00004550}) return std::nullopt;
  return std::size_t{*at} + 4;
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case 0x8664: return "x64";
    case 0x014C: return "x86";
    case 0xAA64: return "arm64";
    default: return "other";
  }
}

/// The raw bytes of the section of that name, cut where the file ends.
std::span<const std::byte> section(std::span<const std::byte> bytes, std::size_t coff,
                                   std::string_view name) {
  constexpr std::size_t kEntry = 40;
  const auto count = number_at<std::uint16_t>(bytes, coff + 2);
  const auto optional_header = number_at<std::uint16_t>(bytes, coff + 16);
  if (!count || !optional_header) return {};
  const std::size_t table = coff + 20 + *optional_header;
  for (std::size_t i = 0; i < *count; ++i) {
    const std::size_t entry = table + i * kEntry;
    const auto size = number_at<std::uint32_t>(bytes, entry + 16);
    const auto start = number_at<std::uint32_t>(bytes, entry + 20);
    if (!size || !start) return {};
    std::string found;
    for (std::size_t c = 0; c < 8 && bytes[entry + c] != std::byte{0}; ++c) {
      found += std::to_integer<char>(bytes[entry + c]);
    }
    if (found != name || *start > bytes.size()) continue;
    return bytes.subspan(*start, std::min<std::size_t>(*size, bytes.size() - *start));
  }
  return {};
}

/// The fixed part of the version resource has a signature of its own, and lies on a multiple of 4.
std::string version_in(std::span<const std::byte> resources) {
  constexpr std::uint32_t kSignature = 0xFEEF04BD;
  for (std::size_t at = 0; at + 16 <= resources.size(); at += 4) {
    if (number_at<std::uint32_t>(resources, at) != kSignature) continue;
    const std::uint32_t high = *number_at<std::uint32_t>(resources, at + 8);
    const std::uint32_t low = *number_at<std::uint32_t>(resources, at + 12);
    return fmt::format("{}.{}.{}.{}", high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF);
  }
  return {};
}

}  // namespace

PeFile inspect_pe(std::span<const std::byte> bytes) {
  PeFile file;
  const auto coff = coff_header(bytes);
  if (!coff) return file;
  const auto machine = number_at<std::uint16_t>(bytes, *coff);
  if (!machine) return file;
  file.machine = machine_name(*machine);
  file.version = version_in(section(bytes, *coff, ".rsrc"));
  return file;
}

Result<PeFile> read_pe(const std::string& path) {
  std::error_code problem;
  const std::filesystem::path file = service::path_of(path);
  if (!std::filesystem::is_regular_file(file, problem)) {
    return fail(ErrorCode::not_found, path + " is no file.");
  }
  std::ifstream stream(file, std::ios::binary);
  const std::uintmax_t size = std::filesystem::file_size(file, problem);
  if (!stream || problem) return fail(ErrorCode::access_denied, path + " cannot be read.");
  std::vector<std::byte> bytes(
      static_cast<std::size_t>(std::min<std::uintmax_t>(size, kMostFileBytes)));
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return inspect_pe(bytes);
}

std::string short_version(const std::string& version) {
  const std::size_t dots =
      static_cast<std::size_t>(std::count(version.begin(), version.end(), '.'));
  return dots == 3 && version.ends_with(".0") ? version.substr(0, version.size() - 2) : version;
}

}  // namespace asiodrv::doctor
