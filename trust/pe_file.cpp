#include "trust/pe_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "trust/byte_view.hpp"
#include "trust/pe_certificates.hpp"
#include "trust/pe_version.hpp"

namespace asiodrv::trust {
namespace {

constexpr std::size_t kExports = 0, kImports = 1, kResources = 2, kCertificates = 4;
constexpr std::size_t kDelayedImports = 13, kDirectories = 16;
constexpr std::size_t kMaxNameLength = 512;

struct Directory {
  std::uint32_t address = 0;  ///< relative to the image; of kCertificates: in the file
  std::uint32_t size = 0;
};

struct Section {
  std::uint64_t address = 0, memory_size = 0, offset = 0, file_size = 0;
};

/// The headers, and how addresses in memory become offsets in the file.
struct Layout {
  ByteView file;
  std::array<Directory, kDirectories> directories{};
  std::vector<Section> sections;
  std::uint32_t header_bytes = 0;

  [[nodiscard]] std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
    for (const Section& section : sections) {
      if (address >= section.address && address - section.address < section.file_size) {
        return section.offset + (address - section.address);
      }
    }
    if (address < header_bytes) return address;
    return std::nullopt;
  }
};

Result<std::uint64_t> find_headers(const ByteView& file) {
  if (file.size() > kMaxFileBytes) {
    return fail(ErrorCode::limit_reached,
                fmt::format("The file is larger than {} MiB.", kMaxFileBytes >> 20));
  }
  const auto start = file.u32(0x3C);
  if (file.u16(0) != 0x5A4D || !start) {
    return fail(ErrorCode::malformed, "The file is not a Windows program: it has no MZ header.");
  }
  if (file.u32(*start) != 0x00004550 || !file.holds(*start, 24)) {
    return fail(ErrorCode::malformed, "The file is not a Windows program: it has no PE header.");
  }
  return std::uint64_t{*start} + 4;
}

/// The optional header at `at`, `size` bytes long.
Result<> read_optional_header(Layout& layout, PeFile& pe, std::uint64_t at, std::uint16_t size) {
  const ByteView header = layout.file.part(at, size);
  const auto magic = header.u16(0);
  if (magic != 0x10B && magic != 0x20B) {
    return fail(ErrorCode::malformed, "The program's optional header is missing or unknown.");
  }
  pe.is_64 = magic == 0x20B;
  const std::uint64_t count_at = pe.is_64 ? 108 : 92;
  const auto header_bytes = header.u32(60);
  const auto count = header.u32(count_at);
  if (!header_bytes || !count) {
    return fail(ErrorCode::malformed, "The program's optional header ends too early.");
  }
  layout.header_bytes = *header_bytes;
  const std::size_t known = std::min<std::size_t>(*count, kDirectories);
  for (std::size_t index = 0; index < known; ++index) {
    const std::uint64_t entry = count_at + 4 + 8 * index;
    layout.directories[index] = {header.u32(entry).value_or(0), header.u32(entry + 4).value_or(0)};
  }
  return {};
}

Result<> read_sections(Layout& layout, std::uint64_t at, std::uint16_t count) {
  if (count > kMaxSections || !layout.file.holds(at, std::uint64_t{count} * 40)) {
    return fail(ErrorCode::malformed,
                fmt::format("The program's table of {} sections is broken.", count));
  }
  for (std::uint16_t index = 0; index < count; ++index) {
    const ByteView row = layout.file.part(at + std::uint64_t{index} * 40, 40);
    layout.sections.push_back({row.u32(12).value_or(0), row.u32(8).value_or(0),
                               row.u32(20).value_or(0), row.u32(16).value_or(0)});
  }
  return {};
}

bool overlap(std::uint64_t a, std::uint64_t a_size, std::uint64_t b, std::uint64_t b_size) {
  return a_size > 0 && b_size > 0 && a < b + b_size && b < a + a_size;
}

void judge_sections(const Layout& layout, PeFile& pe) {
  const auto& sections = layout.sections;
  std::uint64_t end = layout.header_bytes;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const Section& a = sections[i];
    for (std::size_t j = i + 1; j < sections.size(); ++j) {
      const Section& b = sections[j];
      if (overlap(a.offset, a.file_size, b.offset, b.file_size) ||
          overlap(a.address, a.memory_size, b.address, b.memory_size)) {
        pe.sections_overlap = true;
      }
    }
    if (a.file_size == 0) continue;
    if (a.offset < layout.header_bytes) pe.sections_overlap = true;
    if (!layout.file.holds(a.offset, a.file_size)) pe.sections_beyond_end = true;
    end = std::max(end, a.offset + a.file_size);
  }
  const Directory& table = layout.directories[kCertificates];
  std::uint64_t covered = layout.file.size();
  if (table.size != 0 && table.address < covered) covered = table.address;
  pe.overlay_bytes = covered > end ? covered - end : 0;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// A table of rows that each name a library, ended by a row without a name.
void read_imports(const Layout& layout, PeFile& pe, std::size_t which, std::uint64_t row_bytes,
                  std::uint64_t name_at) {
  const Directory& directory = layout.directories[which];
  if (directory.address == 0) return;
  const auto table = layout.offset_of(directory.address);
  for (std::size_t row = 0; table; ++row) {
    if (row >= kMaxNames || pe.imports.size() >= kMaxNames) break;
    const auto address = layout.file.u32(*table + row * row_bytes + name_at);
    if (!address) break;
    if (*address == 0) return;
    const auto name_offset = layout.offset_of(*address);
    const auto name = name_offset ? layout.file.text(*name_offset, kMaxNameLength) : std::nullopt;
    if (!name) break;
    pe.imports.push_back(lower(*name));
  }
  pe.tables_damaged = true;
}

void read_exports(const Layout& layout, PeFile& pe) {
  const Directory& directory = layout.directories[kExports];
  if (directory.address == 0) return;
  const auto at = layout.offset_of(directory.address);
  const ByteView header = at ? layout.file.part(*at, 40) : ByteView();
  const auto count = header.u32(24);
  const auto names = header.u32(32);
  if (!count || !names || *count > kMaxNames * 16) {
    pe.tables_damaged = true;
    return;
  }
  for (std::uint64_t index = 0; index < *count; ++index) {
    const auto slot = layout.offset_of(*names + index * 4);
    const auto address = slot ? layout.file.u32(*slot) : std::nullopt;
    const auto offset = address ? layout.offset_of(*address) : std::nullopt;
    if (!offset) {
      pe.tables_damaged = true;
      return;
    }
    // Longer names (of C++) exist and are not what is looked for.
    if (layout.file.text(*offset, 32) == "DllGetClassObject") pe.exports_com_server = true;
  }
}

void read_version(const Layout& layout, PeFile& pe) {
  const Directory& directory = layout.directories[kResources];
  if (directory.address == 0) return;
  const auto at = layout.offset_of(directory.address);
  if (!at) {
    pe.tables_damaged = true;
    return;
  }
  std::vector<VersionTexts> all;
  for (const ResourceData& entry :
       find_version_resources(layout.file.part(*at, layout.file.size()))) {
    const auto data = layout.offset_of(entry.address);
    if (!data || !layout.file.holds(*data, entry.size)) {
      pe.tables_damaged = true;
      continue;
    }
    const ByteView resource = layout.file.part(*data, entry.size);
    if (pe.version_number.empty()) pe.version_number = read_version_number(resource);
    for (VersionTexts& each : read_version_texts(resource)) {
      all.push_back(std::move(each));
    }
  }
  if (all.empty()) return;
  pe.version = all.front();
  for (const VersionTexts& each : all) {
    if (pe.version.company.empty()) pe.version.company = each.company;
    if (!each.company.empty() && each.company != pe.version.company) pe.several_makers = true;
  }
}

}  // namespace

Result<PeFile> parse_pe(std::span<const std::byte> bytes) {
  Layout layout;
  layout.file = ByteView(bytes);
  const auto headers = find_headers(layout.file);
  if (!headers) return refusal(headers);
  const ByteView coff = layout.file.part(*headers, 20);
  PeFile pe;
  pe.machine = coff.u16(0).value_or(0);
  pe.is_library = (coff.u16(18).value_or(0) & 0x2000) != 0;
  const std::uint16_t optional_bytes = coff.u16(16).value_or(0);
  if (const auto read = read_optional_header(layout, pe, *headers + 20, optional_bytes); !read) {
    return refusal(read);
  }
  if (const auto read =
          read_sections(layout, *headers + 20 + optional_bytes, coff.u16(2).value_or(0));
      !read) {
    return refusal(read);
  }
  judge_sections(layout, pe);
  read_imports(layout, pe, kImports, 20, 12);
  read_imports(layout, pe, kDelayedImports, 32, 4);
  read_exports(layout, pe);
  read_version(layout, pe);
  const Directory& table = layout.directories[kCertificates];
  pe.certificates = read_certificates(layout.file, table.address, table.size);
  return pe;
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case 0x8664: return "64-bit (x64)";
    case 0x014C: return "32-bit (x86)";
    case 0xAA64: return "64-bit (ARM)";
    default: return fmt::format("machine 0x{:04X}", machine);
  }
}

}  // namespace asiodrv::trust
