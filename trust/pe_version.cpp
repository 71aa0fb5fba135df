#include "trust/pe_version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "trust/place.hpp"

namespace asiodrv::trust {
namespace {

constexpr std::uint32_t kVersionType = 16;
constexpr std::uint32_t kSubfolder = 0x8000'0000;
constexpr std::size_t kMaxResourceEntries = 4096;
constexpr std::size_t kMaxBlocks = 1024;  // in one version resource
constexpr std::size_t kMaxTextBytes = 2048;
constexpr std::size_t kMaxVersions = 64;  // languages of the resource, tables in one

/// The offsets that the entries of the folder at `folder` hold; with `id`, those of that one.
std::vector<std::uint32_t> entries_of(const ByteView& tree, std::uint64_t folder,
                                      std::optional<std::uint32_t> id = std::nullopt) {
  std::vector<std::uint32_t> offsets;
  const auto named = tree.u16(folder + 12);
  const auto numbered = tree.u16(folder + 14);
  if (!named || !numbered) return offsets;
  const std::size_t count =
      std::min<std::size_t>(std::size_t{*named} + *numbered, kMaxResourceEntries);
  for (std::size_t index = 0; index < count && offsets.size() < kMaxVersions; ++index) {
    const std::uint64_t at = folder + 16 + 8 * index;
    const auto offset = tree.u32(at + 4);
    if (offset && (!id || tree.u32(at) == id)) offsets.push_back(*offset);
  }
  return offsets;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t value) { text.push_back(static_cast<char>(value)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::uint64_t align4(std::uint64_t offset) { return (offset + 3) / 4 * 4; }

/// One block: length, length of the value, type, a key, the value, blocks inside.
struct Block {
  std::string key;
  std::uint64_t value_at = 0;  ///< in the whole resource, as the two below
  std::uint64_t children_at = 0;
  std::uint64_t end = 0;
  std::uint64_t value_bytes = 0;
};

std::optional<Block> block_at(const ByteView& resource, std::uint64_t at, std::uint64_t limit) {
  const auto length = resource.u16(at);
  const auto value_length = resource.u16(at + 2);
  const auto type = resource.u16(at + 4);
  if (!length || !value_length || !type || *length < 8 || at + *length > limit) return std::nullopt;
  Block block;
  block.end = at + *length;
  std::uint64_t key_end = at + 6;
  while (key_end + 1 < block.end && resource.u16(key_end).value_or(0) != 0) key_end += 2;
  if (key_end + 2 > block.end || key_end - at > kMaxTextBytes) return std::nullopt;
  block.key = utf8_of_utf16(resource.part(at + 6, key_end - at - 6));
  block.value_at = std::min(align4(key_end + 2), block.end);
  // Of texts the length counts characters; some compilers count bytes, which the end bounds.
  const std::uint64_t bytes = std::uint64_t{*value_length} * (*type == 1 ? 2 : 1);
  block.value_bytes = std::min(bytes, block.end - block.value_at);
  block.children_at = std::min(align4(block.value_at + block.value_bytes), block.end);
  return block;
}

/// The first block inside `parent` whose key begins with `prefix`.
std::optional<Block> child_of(const ByteView& resource, const Block& parent,
                              std::string_view prefix) {
  std::uint64_t at = parent.children_at;
  for (std::size_t count = 0; at < parent.end && count < kMaxBlocks; ++count) {
    const auto block = block_at(resource, at, parent.end);
    if (!block) return std::nullopt;
    if (std::string_view(block->key).substr(0, prefix.size()) == prefix) return block;
    at = align4(block->end);
  }
  return std::nullopt;
}

/// Where the text of that key belongs. Neither the system nor we look at the case of keys.
std::string* place_for(std::string_view key, VersionTexts& texts) {
  const std::string name = folded(key);
  if (name == "companyname") return &texts.company;
  if (name == "productname") return &texts.product;
  if (name == "filedescription") return &texts.description;
  if (name == "fileversion") return &texts.file_version;
  if (name == "originalfilename") return &texts.original_name;
  return nullptr;
}

/// Of a key that stands there twice the first counts, as for the system.
VersionTexts texts_of_table(const ByteView& resource, const Block& table) {
  VersionTexts texts;
  std::uint64_t at = table.children_at;
  for (std::size_t count = 0; at < table.end && count < kMaxBlocks; ++count) {
    const auto block = block_at(resource, at, table.end);
    if (!block) break;
    std::string* const place = place_for(block->key, texts);
    if (place != nullptr && place->empty()) {
      *place = utf8_of_utf16(resource.part(
          block->value_at, std::min<std::uint64_t>(block->value_bytes, kMaxTextBytes)));
    }
    at = align4(block->end);
  }
  return texts;
}

}  // namespace

std::vector<ResourceData> find_version_resources(const ByteView& resources) {
  std::vector<ResourceData> found;
  for (const std::uint32_t type : entries_of(resources, 0, kVersionType)) {
    if ((type & kSubfolder) == 0) continue;
    for (const std::uint32_t name : entries_of(resources, type & ~kSubfolder)) {
      if ((name & kSubfolder) == 0) continue;
      for (const std::uint32_t language : entries_of(resources, name & ~kSubfolder)) {
        if (found.size() == kMaxVersions) return found;
        const auto address = resources.u32(language);
        const auto size = resources.u32(std::uint64_t{language} + 4);
        if (address && size) found.push_back({*address, *size});
      }
    }
  }
  return found;
}

std::vector<VersionTexts> read_version_texts(const ByteView& resource) {
  std::vector<VersionTexts> all;
  const auto root = block_at(resource, 0, resource.size());
  const auto strings = root ? child_of(resource, *root, "StringFileInfo") : std::nullopt;
  if (!strings) return all;
  std::uint64_t at = strings->children_at;
  while (at < strings->end && all.size() < kMaxVersions) {
    const auto table = block_at(resource, at, strings->end);
    if (!table) break;
    all.push_back(texts_of_table(resource, *table));
    at = align4(table->end);
  }
  return all;
}

std::string read_version_number(const ByteView& resource) {
  constexpr std::uint32_t kSignature = 0xFEEF04BD;  // of VS_FIXEDFILEINFO
  const auto root = block_at(resource, 0, resource.size());
  if (!root) return {};
  const ByteView fixed = resource.part(root->value_at, root->value_bytes);
  const auto high = fixed.u32(8), low = fixed.u32(12);
  if (fixed.u32(0) != kSignature || !high || !low) return {};
  return fmt::format("{}.{}.{}.{}", *high >> 16, *high & 0xFFFF, *low >> 16, *low & 0xFFFF);
}

std::string utf8_of_utf16(const ByteView& text) {
  std::string utf8;
  for (std::uint64_t at = 0;; at += 2) {
    const auto unit = text.u16(at);
    if (!unit || *unit == 0) return utf8;
    std::uint32_t code = *unit;
    if (code >= 0xD800 && code < 0xDC00) {
      const std::uint32_t low = text.u16(at + 2).value_or(0);
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        at += 2;
      }
    }
    append_utf8(utf8, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
  }
}

}  // namespace asiodrv::trust
