// The format: PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (central directory) and
// 4.3.16 (its end). All numbers are little-endian.
#include "doctor/zip_writer.hpp"

#include <algorithm>
#include <array>

namespace asiodrv::doctor {
namespace {

constexpr std::uint16_t kVersion = 20;  // of the format that is needed to read it: 2.0
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kTime = 0;
constexpr std::uint16_t kDate = (0U << 9) | (1U << 5) | 1U;  // years since 1980, month, day

void put16(std::string& into, std::uint16_t value) {
  into += static_cast<char>(value & 0xFF);
  into += static_cast<char>(value >> 8);
}
void put32(std::string& into, std::uint32_t value) {
  put16(into, static_cast<std::uint16_t>(value & 0xFFFF));
  put16(into, static_cast<std::uint16_t>(value >> 16));
}

bool safe_name(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '\\' && c != ':';
  });
  return plain && !name.empty() && name.size() < 200 && name.front() != '/' &&
         name.find("..") == std::string::npos;
}

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) * 0xEDB88320U);
    table[byte] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kTable = make_table();

/// What both headers of an entry have in the middle.
void put_common(std::string& into, std::uint32_t checksum, std::uint32_t size,
                const std::string& name) {
  put16(into, 0);  // flags
  put16(into, kStored);
  put16(into, kTime);
  put16(into, kDate);
  put32(into, checksum);
  put32(into, size);  // packed
  put32(into, size);
  put16(into, static_cast<std::uint16_t>(name.size()));
  put16(into, 0);  // extra fields
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) noexcept {
  std::uint32_t value = 0xFFFFFFFFU;
  for (const char c : bytes) {
    value = (value >> 8) ^ kTable[(value ^ static_cast<unsigned char>(c)) & 0xFF];
  }
  return value ^ 0xFFFFFFFFU;
}

Result<> ZipWriter::add(const std::string& name, std::string_view content) {
  const bool taken = std::any_of(entries_.begin(), entries_.end(),
                                 [&](const Entry& each) { return each.name == name; });
  if (!safe_name(name) || taken) {
    return fail(ErrorCode::invalid_argument, "'" + name + "' cannot be a file of an archive.");
  }
  if (entries_.size() >= kMostEntries || content.size() > kMostBytes ||
      archive_.size() > kMostBytes - content.size()) {
    return fail(ErrorCode::limit_reached, "The archive is full: '" + name + "' does not fit.");
  }
  Entry entry{name, crc32(content), static_cast<std::uint32_t>(content.size()),
              static_cast<std::uint32_t>(archive_.size())};
  put32(archive_, 0x04034B50);
  put16(archive_, kVersion);
  put_common(archive_, entry.checksum, entry.size, name);
  archive_ += name;
  archive_ += content;
  entries_.push_back(std::move(entry));
  return {};
}

std::string ZipWriter::finish() {
  const auto directory = static_cast<std::uint32_t>(archive_.size());
  for (const Entry& entry : entries_) {
    put32(archive_, 0x02014B50);
    put16(archive_, kVersion);  // made by
    put16(archive_, kVersion);
    put_common(archive_, entry.checksum, entry.size, entry.name);
    put16(archive_, 0);  // comment
    put16(archive_, 0);  // disk
    put16(archive_, 1);  // it is text
    put32(archive_, 0);  // attributes
    put32(archive_, entry.offset);
    archive_ += entry.name;
  }
  const auto size = static_cast<std::uint32_t>(archive_.size()) - directory;
  const auto count = static_cast<std::uint16_t>(entries_.size());
  put32(archive_, 0x06054B50);
  put16(archive_, 0);  // this disk
  put16(archive_, 0);  // the directory's
  put16(archive_, count);
  put16(archive_, count);
  put32(archive_, size);
  put32(archive_, directory);
  put16(archive_, 0);  // comment
  return std::move(archive_);
}

}  // namespace asiodrv::doctor
