// Makes program files for tests: small, well formed, and then as broken as a test wants them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace asiodrv::trust::testing {

using Bytes = std::vector<std::uint8_t>;

inline std::span<const std::byte> view(const Bytes& bytes) {
  return std::as_bytes(std::span(bytes));
}

inline void put(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  if (bytes.size() < at + width) bytes.resize(at + width);
  for (std::size_t i = 0; i < width; ++i) {
    bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}
inline void put(Bytes& bytes, std::size_t at, const Bytes& more) {
  if (bytes.size() < at + more.size()) bytes.resize(at + more.size());
  std::copy(more.begin(), more.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}
inline void put(Bytes& bytes, std::size_t at, std::string_view text) {
  put(bytes, at, Bytes(text.begin(), text.end()));
  put(bytes, at + text.size(), 0, 1);
}

// --- DER -----------------------------------------------------------------------------------------

inline Bytes der(std::uint8_t tag, const std::vector<Bytes>& parts) {
  Bytes content;
  for (const Bytes& each : parts) content.insert(content.end(), each.begin(), each.end());
  Bytes made{tag};
  if (content.size() < 0x80) {
    made.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    made.push_back(0x82);
    made.push_back(static_cast<std::uint8_t>(content.size() >> 8));
    made.push_back(static_cast<std::uint8_t>(content.size()));
  }
  made.insert(made.end(), content.begin(), content.end());
  return made;
}

inline const Bytes kSignedDataId = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                    0xF7, 0x0D, 0x01, 0x07, 0x02};
inline const Bytes kTimestampId = {0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04,
                                   0x01, 0x82, 0x37, 0x03, 0x03, 0x01};
inline const Bytes kNestedId = {0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04,
                                0x01, 0x82, 0x37, 0x02, 0x04, 0x01};
/// 1.3.6.1.4.1.42921.1.2.1: what a signing tool adds as unsigned data of its own.
inline const Bytes kStrangeId = {0x06, 0x0B, 0x2B, 0x06, 0x01, 0x04, 0x01,
                                 0x82, 0xCF, 0x29, 0x01, 0x02, 0x01};

/// A PKCS#7 signature without any cryptography in it, carrying these unsigned attributes; in a
/// nested one lies `nested`, or else a signature without any. All its signers are the same.
inline Bytes signature(const std::vector<Bytes>& attribute_ids = {}, const Bytes& nested = {},
                       std::size_t signers = 1) {
  const Bytes none = der(0x30, {});
  const Bytes one = {0x02, 0x01, 0x01};
  std::vector<Bytes> attributes;
  for (const Bytes& id : attribute_ids) {
    const Bytes value = id != kNestedId  ? der(0x30, {Bytes(20, 0x55)})
                        : nested.empty() ? signature()
                                         : nested;
    attributes.push_back(der(0x30, {id, der(0x31, {value})}));
  }
  std::vector<Bytes> signer = {one, none, none, der(0xA0, {none}), none, der(0x04, {Bytes(64, 1)})};
  if (!attributes.empty()) signer.push_back(der(0xA1, attributes));
  return der(0x30,
             {kSignedDataId,
              der(0xA0, {der(0x30, {one, der(0x31, {none}), none, der(0xA0, {none}),
                                    der(0x31, std::vector<Bytes>(signers, der(0x30, signer)))})})});
}

/// An entry of the certificate table; `padding` follows the signature inside of it.
inline Bytes certificate(const Bytes& content, const Bytes& padding = {}, std::uint16_t type = 2) {
  Bytes entry;
  put(entry, 0, 8 + content.size() + padding.size(), 4);
  put(entry, 4, 0x0200, 2);
  put(entry, 6, type, 2);
  put(entry, 8, content);
  put(entry, entry.size(), padding);
  return entry;
}

// --- the version resource ------------------------------------------------------------------------

inline Bytes utf16(std::u16string_view text) {
  Bytes bytes;
  for (const char16_t unit : text) put(bytes, bytes.size(), unit, 2);
  put(bytes, bytes.size(), 0, 2);
  return bytes;
}

/// A block of the version resource; `characters` is what its value's length says.
inline Bytes block(std::u16string_view key, const Bytes& value, std::uint16_t characters,
                   std::uint16_t type, const std::vector<Bytes>& children) {
  Bytes bytes;
  put(bytes, 0, 0, 6);
  put(bytes, 6, utf16(key));
  bytes.resize((bytes.size() + 3) / 4 * 4);
  put(bytes, bytes.size(), value);
  for (const Bytes& child : children) {
    bytes.resize((bytes.size() + 3) / 4 * 4);
    put(bytes, bytes.size(), child);
  }
  put(bytes, 0, bytes.size(), 2);
  put(bytes, 2, characters, 2);
  put(bytes, 4, type, 2);
  return bytes;
}

inline Bytes version_text(std::u16string_view key, std::u16string_view value) {
  return block(key, utf16(value), static_cast<std::uint16_t>(value.size() + 1), 1, {});
}

/// The texts of one language, with more to begin them.
inline Bytes version_table(std::vector<Bytes> texts = {}) {
  for (const Bytes& each :
       {version_text(u"CompanyName", u"Example Audio GmbH"),
        version_text(u"ProductName", u"Example ASIO"), version_text(u"FileVersion", u"1.2.3"),
        version_text(u"OriginalFilename", u"example.dll")}) {
    texts.push_back(each);
  }
  return block(u"040904B0", {}, 0, 1, texts);
}

inline Bytes version_resource(const std::vector<Bytes>& tables = {version_table()}) {
  Bytes fixed(52, 0);
  put(fixed, 0, 0xFEEF'04BD, 4);
  put(fixed, 8, 0x0001'0002, 4);
  put(fixed, 12, 0x0003'0004, 4);
  return block(u"VS_VERSION_INFO", fixed, 52, 0, {block(u"StringFileInfo", {}, 0, 1, tables)});
}

// --- the file ------------------------------------------------------------------------------------

inline constexpr std::size_t kPeAt = 0x80, kSectionTable = kPeAt + 24 + 240;
inline constexpr std::size_t kCertificateDirectory = kPeAt + 24 + 112 + 8 * 4;
inline constexpr std::size_t kImageEnd = 0xE00;

inline void put_section(Bytes& file, std::size_t index, std::uint32_t address, std::uint32_t offset,
                        std::uint32_t size) {
  const std::size_t at = kSectionTable + 40 * index;
  put(file, at + 8, size, 4);
  put(file, at + 12, address, 4);
  put(file, at + 16, size, 4);
  put(file, at + 20, offset, 4);
}

/// A 64-bit library with one import, the exports of a COM server and a version, without signature.
inline Bytes library(const Bytes& version = version_resource()) {
  Bytes file(kImageEnd, 0);
  put(file, 0, 0x5A4D, 2);
  put(file, 0x3C, kPeAt, 4);
  put(file, kPeAt, 0x4550, 4);
  put(file, kPeAt + 4, 0x8664, 2);
  put(file, kPeAt + 6, 3, 2);        // sections
  put(file, kPeAt + 20, 240, 2);     // bytes of the optional header
  put(file, kPeAt + 22, 0x2022, 2);  // a library
  const std::size_t optional = kPeAt + 24;
  put(file, optional, 0x20B, 2);
  put(file, optional + 60, 0x400, 4);  // bytes of all headers
  put(file, optional + 108, 16, 4);    // directories
  put(file, optional + 112, 0x2000, 4);
  put(file, optional + 112 + 4, 0x100, 4);
  put(file, optional + 120, 0x2100, 4);
  put(file, optional + 120 + 4, 40, 4);
  put(file, optional + 128, 0x3000, 4);
  put(file, optional + 128 + 4, 0x400, 4);
  put_section(file, 0, 0x1000, 0x400, 0x200);
  put_section(file, 1, 0x2000, 0x600, 0x400);
  put_section(file, 2, 0x3000, 0xA00, 0x400);
  // exports: one name
  put(file, 0x600 + 24, 1, 4);
  put(file, 0x600 + 32, 0x2040, 4);
  put(file, 0x640, 0x2050, 4);
  put(file, 0x650, "DllGetClassObject");
  // imports: one row, then an empty one
  put(file, 0x700 + 12, 0x2180, 4);
  put(file, 0x780, "KERNEL32.dll");
  // resources: type 16, name 1, language 0x409, data
  put(file, 0xA00 + 14, 1, 2);
  put(file, 0xA10, 16, 4);
  put(file, 0xA14, 0x8000'0018, 4);
  put(file, 0xA18 + 14, 1, 2);
  put(file, 0xA28, 1, 4);
  put(file, 0xA2C, 0x8000'0030, 4);
  put(file, 0xA30 + 14, 1, 2);
  put(file, 0xA40, 0x409, 4);
  put(file, 0xA44, 0x48, 4);
  put(file, 0xA48, 0x3060, 4);
  put(file, 0xA4C, version.size(), 4);
  put(file, 0xA60, version);
  return file;
}

/// `library` with these entries in its certificate table, each on 8 bytes.
inline Bytes with_certificates(const std::vector<Bytes>& entries) {
  Bytes file = library();
  for (const Bytes& entry : entries) {
    file.resize((file.size() + 7) / 8 * 8);
    put(file, file.size(), entry);
  }
  file.resize((file.size() + 7) / 8 * 8);
  put(file, kCertificateDirectory, kImageEnd, 4);
  put(file, kCertificateDirectory + 4, file.size() - kImageEnd, 4);
  return file;
}

/// `content` with as many zeros behind it as align an entry.
inline Bytes aligned_certificate(const Bytes& content) {
  return certificate(content, Bytes((8 - content.size() % 8) % 8, 0));
}

}  // namespace asiodrv::trust::testing
