#include "trust/pe_certificates.hpp"

#include <algorithm>
#include <string_view>

#include "trust/der.hpp"

namespace asiodrv::trust {
namespace {

constexpr std::uint16_t kRevision2 = 0x0200, kPkcs7 = 0x0002;
constexpr std::uint32_t kMaxCertificates = 16;
constexpr std::size_t kMaxAttributes = 64;
constexpr int kMaxNesting = 4;  // of signatures inside of signatures

constexpr std::string_view kSignedData = "1.2.840.113549.1.7.2";
constexpr std::string_view kCountersignature = "1.2.840.113549.1.9.6";
constexpr std::string_view kTimestamp = "1.3.6.1.4.1.311.3.3.1";
constexpr std::string_view kNested = "1.3.6.1.4.1.311.2.4.1";

bool read_signed_data(const DerElement& outer, CertificateTable& table, int depth);

/// Others' signatures inside of this one: no time of theirs counts for it, and all that they carry.
void note_nested(const ByteView& values, CertificateTable& table, int depth) {
  DerReader signatures(values);
  while (!signatures.at_end()) {
    CertificateTable inner;
    const auto signature = signatures.next();
    if (!signature || depth >= kMaxNesting || !read_signed_data(*signature, inner, depth + 1) ||
        inner.unreadable) {
      table.unreadable = true;
    }
    if (!signature) return;
    table.nested_signatures += 1 + inner.entries + inner.nested_signatures;
    for (std::string& each : inner.unknown_attributes) {
      if (table.unknown_attributes.size() == kMaxAttributes) break;
      table.unknown_attributes.push_back(std::move(each));
    }
  }
}

void note_attribute(const DerElement& attribute, CertificateTable& table, int depth) {
  DerReader parts(attribute.content);
  const auto id = parts.next(kDerObjectId);
  const auto values = parts.next(kDerSet);
  const std::string text = id ? object_id_text(id->content) : std::string();
  if (text.empty() || !values || !parts.at_end()) {
    table.unreadable = true;
  } else if (text == kCountersignature || text == kTimestamp) {
    table.timestamped = true;
  } else if (text == kNested) {
    note_nested(values->content, table, depth);
  } else if (table.unknown_attributes.size() < kMaxAttributes) {
    table.unknown_attributes.push_back(text);
  }
}

/// SignerInfo: version, issuer, digest, [0] signed attributes, algorithm, value, [1] unsigned ones.
bool read_signer(const DerElement& signer, CertificateTable& table, int depth) {
  DerReader fields(signer.content);
  for (int fixed = 0; fixed < 3; ++fixed) {
    if (!fields.next()) return false;
  }
  fields.next(kDerContext0);
  if (!fields.next() || !fields.next()) return false;
  const auto unsigned_attributes = fields.next(kDerContext1);
  if (!fields.at_end()) return false;
  if (!unsigned_attributes) return true;
  DerReader attributes(unsigned_attributes->content);
  while (!attributes.at_end()) {
    const auto attribute = attributes.next(kDerSequence);
    if (!attribute) return false;
    note_attribute(*attribute, table, depth);
  }
  return true;
}

/// ContentInfo of SignedData: version, digests, content, [0] certificates, [1] lists, signers. A
/// program's signature has one signer; each further one counts as an entry of its own.
bool read_signed_data(const DerElement& outer, CertificateTable& table, int depth) {
  DerReader info(outer.content);
  const auto type = info.next(kDerObjectId);
  const auto wrapped = info.next(kDerContext0);
  if (outer.tag != kDerSequence || !type || !wrapped || !info.at_end() ||
      object_id_text(type->content) != kSignedData) {
    return false;
  }
  DerReader inside(wrapped->content);
  const auto data = inside.next(kDerSequence);
  DerReader fields(data ? data->content : ByteView());
  for (int fixed = 0; fixed < 3; ++fixed) {
    if (!fields.next()) return false;
  }
  fields.next(kDerContext0);
  fields.next(kDerContext1);
  const auto signers = fields.next(kDerSet);
  if (!signers || !fields.at_end() || !inside.at_end()) return false;
  DerReader list(signers->content);
  std::uint32_t count = 0;
  while (!list.at_end()) {
    const auto signer = list.next(kDerSequence);
    if (!signer || !read_signer(*signer, table, depth)) return false;
    if (count++ > 0) ++table.entries;
  }
  return count > 0;
}

void read_signature(const ByteView& content, CertificateTable& table) {
  const auto outer = der_element(content);
  if (!outer || !read_signed_data(*outer, table, 0)) {
    table.unreadable = true;
    return;
  }
  const auto padding = content.part(outer->whole.size(), content.size()).bytes();
  const bool zero = std::all_of(padding.begin(), padding.end(),
                                [](std::byte each) { return each == std::byte{0}; });
  if (padding.size() > 7 || !zero) table.data_in_padding = true;
}

}  // namespace

CertificateTable read_certificates(const ByteView& file, std::uint32_t offset, std::uint32_t size) {
  CertificateTable table;
  if (offset == 0 && size == 0) return table;
  table.misaligned = offset % 8 != 0;
  if (!file.holds(offset, size)) table.truncated = true;
  const ByteView rows = file.part(offset, size);
  table.bytes_after_table =
      table.truncated ? 0 : file.size() - (std::uint64_t{offset} + std::uint64_t{size});
  std::uint64_t at = 0;
  for (std::uint32_t row = 0; at < rows.size() && row < kMaxCertificates; ++row) {
    const auto length = rows.u32(at);
    if (!length || *length < 8 || !rows.holds(at, *length)) {
      table.truncated = true;
      break;
    }
    ++table.entries;
    if (rows.u16(at + 4) != kRevision2 || rows.u16(at + 6) != kPkcs7) {
      table.unknown_type = true;
    } else {
      read_signature(rows.part(at + 8, *length - 8), table);
    }
    at += (std::uint64_t{*length} + 7) / 8 * 8;
  }
  return table;
}

}  // namespace asiodrv::trust
