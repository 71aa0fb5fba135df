#include "trust/pe_file.hpp"

#include <gtest/gtest.h>

#include "trust/certificate.hpp"
#include "trust/der.hpp"
#include "trust/testing/pe_builder.hpp"

namespace asiodrv::trust {
namespace {

using namespace testing;

PeFile parsed(const Bytes& file) {
  const auto pe = parse_pe(view(file));
  EXPECT_TRUE(pe) << (pe ? "" : pe.error().message);
  return pe.value_or(PeFile{});
}

TEST(pe_file, a_library_is_read_whole) {
  const PeFile pe = parsed(library());
  EXPECT_EQ(pe.machine, 0x8664);
  EXPECT_EQ(machine_name(pe.machine), "64-bit (x64)");
  EXPECT_TRUE(pe.is_64);
  EXPECT_TRUE(pe.is_library);
  EXPECT_TRUE(pe.exports_com_server);
  EXPECT_EQ(pe.imports, std::vector<std::string>{"kernel32.dll"});
  EXPECT_EQ(pe.version.company, "Example Audio GmbH");
  EXPECT_EQ(pe.version.product, "Example ASIO");
  EXPECT_EQ(pe.version.file_version, "1.2.3");
  EXPECT_EQ(pe.version_number, "1.2.3.4");
  EXPECT_EQ(pe.version.original_name, "example.dll");
  EXPECT_FALSE(pe.sections_overlap);
  EXPECT_FALSE(pe.sections_beyond_end);
  EXPECT_FALSE(pe.tables_damaged);
  EXPECT_EQ(pe.overlay_bytes, 0U);
  EXPECT_EQ(pe.certificates, CertificateTable{});
}

TEST(pe_file, of_a_text_that_stands_there_twice_the_first_counts_as_for_the_system) {
  const PeFile pe =
      parsed(library(version_resource({version_table({version_text(u"COMPANYNAME", u"First")})})));
  EXPECT_EQ(pe.version.company, "First");
  EXPECT_FALSE(pe.several_makers);
}

TEST(pe_file, another_maker_in_another_table_or_language_is_seen) {
  const Bytes other = version_table({version_text(u"CompanyName", u"Other")});
  EXPECT_FALSE(
      parsed(library(version_resource({version_table(), version_table()}))).several_makers);
  const PeFile tables = parsed(library(version_resource({version_table(), other})));
  EXPECT_TRUE(tables.several_makers);
  EXPECT_EQ(tables.version.company, "Example Audio GmbH");
  // A second language in the tree: its data lies behind that of the first.
  Bytes languages = library();
  const std::size_t size = version_resource().size();
  const std::size_t at = (0xA60 + 16 + size + 7) / 8 * 8;
  const Bytes second = version_resource({other});
  ASSERT_LE(at + second.size(), kImageEnd);
  put(languages, 0xA30 + 14, 2, 2);
  put(languages, 0xA48, 0x407, 4);
  put(languages, 0xA4C, 0x58, 4);
  put(languages, 0xA44, 0x50, 4);
  put(languages, 0xA50, 0x3070, 4);
  put(languages, 0xA54, size, 4);
  put(languages, 0xA58, 0x3000 + at - 0xA00, 4);
  put(languages, 0xA5C, second.size(), 4);
  put(languages, 0xA60, Bytes(16, 0));
  put(languages, 0xA70, version_resource());
  put(languages, at, second);
  const PeFile pe = parsed(languages);
  EXPECT_FALSE(pe.tables_damaged);
  EXPECT_EQ(pe.version.company, "Example Audio GmbH");
  EXPECT_TRUE(pe.several_makers);
}

TEST(pe_file, what_is_no_program_is_refused_in_words) {
  for (const Bytes& file : {Bytes{}, Bytes{'M', 'Z'}, Bytes(4096, 'x')}) {
    const auto pe = parse_pe(view(file));
    ASSERT_FALSE(pe);
    EXPECT_EQ(pe.error().code, ErrorCode::malformed);
    EXPECT_NE(pe.error().message.find("not a Windows program"), std::string::npos);
  }
  Bytes many = library();
  put(many, kPeAt + 6, kMaxSections + 1, 2);
  EXPECT_FALSE(parse_pe(view(many)));
  Bytes strange = library();
  put(strange, kPeAt + 24, 0x107, 2);
  EXPECT_FALSE(parse_pe(view(strange)));
}

TEST(pe_file, overlapping_sections_are_found_in_file_and_memory) {
  Bytes in_file = library();
  put_section(in_file, 1, 0x2000, 0x5FF, 0x400);
  EXPECT_TRUE(parsed(in_file).sections_overlap);
  Bytes in_memory = library();
  put_section(in_memory, 2, 0x23FF, 0xA00, 0x400);
  EXPECT_TRUE(parsed(in_memory).sections_overlap);
  Bytes over_headers = library();
  put_section(over_headers, 0, 0x1000, 0x200, 0x200);
  EXPECT_TRUE(parsed(over_headers).sections_overlap);
}

TEST(pe_file, a_section_beyond_the_end_is_found_without_overflow) {
  Bytes file = library();
  put_section(file, 2, 0x3000, 0xFFFF'FF00, 0xFFFF'FFFF);
  EXPECT_TRUE(parsed(file).sections_beyond_end);
}

TEST(pe_file, an_overlay_is_counted_up_to_the_certificates) {
  Bytes file = library();
  file.resize(file.size() + 24, 0xAB);
  EXPECT_EQ(parsed(file).overlay_bytes, 24U);
  put(file, kCertificateDirectory, kImageEnd + 8, 4);
  put(file, kCertificateDirectory + 4, 16, 4);
  EXPECT_EQ(parsed(file).overlay_bytes, 8U);
}

TEST(pe_certificates, a_usual_signature_has_nothing_to_complain_about) {
  const auto table =
      parsed(with_certificates({aligned_certificate(signature({kTimestampId, kNestedId}))}))
          .certificates;
  EXPECT_EQ(table.entries, 1U);
  EXPECT_TRUE(table.timestamped);
  EXPECT_EQ(table.nested_signatures, 1U);
  CertificateTable rest = table;
  rest.entries = rest.nested_signatures = 0;
  rest.timestamped = false;
  EXPECT_EQ(rest, CertificateTable{});
}

TEST(pe_certificates, bytes_behind_the_table_are_counted) {
  Bytes file = with_certificates({aligned_certificate(signature())});
  file.resize(file.size() + 8, 0);
  EXPECT_EQ(parsed(file).certificates.bytes_after_table, 8U);
}

TEST(pe_certificates, data_in_the_padding_is_found) {
  EXPECT_FALSE(parsed(with_certificates({certificate(signature(), Bytes(7, 0))}))
                   .certificates.data_in_padding);
  EXPECT_TRUE(parsed(with_certificates({certificate(signature(), Bytes(8, 0))}))
                  .certificates.data_in_padding);
  EXPECT_TRUE(parsed(with_certificates({certificate(signature(), Bytes{0, 1})}))
                  .certificates.data_in_padding);
}

TEST(pe_certificates, unsigned_attributes_of_a_strange_kind_are_named) {
  const auto table =
      parsed(with_certificates({aligned_certificate(signature({kTimestampId, kStrangeId}))}))
          .certificates;
  EXPECT_EQ(table.unknown_attributes, std::vector<std::string>{"1.3.6.1.4.1.42921.1.2.1"});
}

TEST(pe_certificates, what_a_nested_signature_carries_is_named_and_its_time_does_not_count) {
  const auto table =
      parsed(with_certificates({aligned_certificate(signature(
                 {kNestedId}, signature({kNestedId}, signature({kTimestampId, kStrangeId}))))}))
          .certificates;
  EXPECT_EQ(table.nested_signatures, 2U);
  EXPECT_EQ(table.unknown_attributes, std::vector<std::string>{"1.3.6.1.4.1.42921.1.2.1"});
  EXPECT_FALSE(table.timestamped);
  EXPECT_FALSE(table.unreadable);
}

TEST(pe_certificates, what_is_no_signature_or_nested_without_end_is_unreadable) {
  const auto unreadable = [](const Bytes& whole) {
    return parsed(with_certificates({aligned_certificate(whole)})).certificates.unreadable;
  };
  EXPECT_TRUE(unreadable(signature({kNestedId}, der(0x30, {Bytes(20, 0x55)}))));
  Bytes deep = signature();
  for (int level = 0; level < 20; ++level) deep = signature({kNestedId}, deep);
  EXPECT_TRUE(unreadable(deep));
}

TEST(pe_certificates, data_behind_the_parts_of_a_signature_is_unreadable) {
  const Bytes none = der(0x30, {}), one = {0x02, 0x01, 0x01}, more = der(0x04, {Bytes(9, 7)});
  const Bytes signers = der(0x31, {der(0x30, {one, none, none, none, more})});
  const auto unreadable = [&](const std::vector<Bytes>& fields, const std::vector<Bytes>& around,
                              const std::vector<Bytes>& outside) {
    std::vector<Bytes> inside{der(0x30, fields)};
    inside.insert(inside.end(), around.begin(), around.end());
    std::vector<Bytes> info{kSignedDataId, der(0xA0, inside)};
    info.insert(info.end(), outside.begin(), outside.end());
    return parsed(with_certificates({aligned_certificate(der(0x30, info))}))
        .certificates.unreadable;
  };
  const std::vector<Bytes> plain = {one, der(0x31, {none}), none, signers};
  std::vector<Bytes> longer = plain;
  longer.push_back(more);
  EXPECT_FALSE(unreadable(plain, {}, {}));
  EXPECT_TRUE(unreadable(longer, {}, {}));
  EXPECT_TRUE(unreadable(plain, {more}, {}));
  EXPECT_TRUE(unreadable(plain, {}, {more}));
}

TEST(pe_certificates, several_entries_and_strange_types_are_seen) {
  const Bytes entry = aligned_certificate(signature());
  EXPECT_EQ(parsed(with_certificates({entry, entry})).certificates.entries, 2U);
  EXPECT_TRUE(
      parsed(with_certificates({certificate(signature(), {}, 1)})).certificates.unknown_type);
}

TEST(pe_certificates, several_signers_of_one_signature_are_several_signatures) {
  const auto table = [](const Bytes& whole) {
    return parsed(with_certificates({aligned_certificate(whole)})).certificates;
  };
  EXPECT_EQ(table(signature({}, {}, 3)).entries, 3U);
  EXPECT_EQ(table(signature({kNestedId}, signature({}, {}, 2))).entries, 1U);
  EXPECT_EQ(table(signature({kNestedId}, signature({}, {}, 2))).nested_signatures, 2U);
  EXPECT_TRUE(table(signature({}, {}, 0)).unreadable);
}

TEST(pe_certificates, a_truncated_table_is_seen) {
  const Bytes whole = with_certificates({aligned_certificate(signature())});
  Bytes file = whole;
  file.resize(file.size() - 9);
  EXPECT_TRUE(parsed(file).certificates.truncated);
  Bytes lying = whole;
  put(lying, kImageEnd, 0xFFFF'FFF8, 4);  // the entry's own length
  EXPECT_TRUE(parsed(lying).certificates.truncated);
  Bytes tiny = whole;
  put(tiny, kImageEnd, 7, 4);
  EXPECT_TRUE(parsed(tiny).certificates.truncated);
  Bytes far = whole;
  put(far, kCertificateDirectory, 0xFFFF'FFF0, 4);
  EXPECT_TRUE(parsed(far).certificates.truncated);
  EXPECT_EQ(parsed(far).certificates.bytes_after_table, 0U);
}

TEST(pe_certificates, a_broken_signature_is_unreadable) {
  Bytes broken = signature();
  broken[1] = 0x80;  // indefinite length
  EXPECT_TRUE(parsed(with_certificates({aligned_certificate(broken)})).certificates.unreadable);
  EXPECT_TRUE(parsed(with_certificates({certificate(Bytes(16, 0x30))})).certificates.unreadable);
}

TEST(der, object_identifiers_are_written_with_dots) {
  EXPECT_EQ(object_id_text(ByteView(view({0x55, 0x04, 0x03}))), "2.5.4.3");
  EXPECT_EQ(object_id_text(ByteView(view({0x88, 0x37}))), "2.999");
  EXPECT_EQ(object_id_text(ByteView(view({0x55, 0x84}))), "") << "it ends within a number";
  EXPECT_EQ(object_id_text(ByteView(view(Bytes(12, 0xFF)))), "") << "it does not fit";
}

TEST(certificate, the_public_key_is_the_seventh_field) {
  const Bytes none = der(0x30, {}), serial = {0x02, 0x01, 0x07};
  const Bytes key = der(0x30, {none, der(0x03, {Bytes(10, 0x11)})});
  const Bytes made =
      der(0x30, {der(0x30, {der(0xA0, {serial}), serial, none, none, none, none, key}), none});
  const auto found = public_key_of(ByteView(view(made)));
  ASSERT_TRUE(found);
  EXPECT_TRUE(std::ranges::equal(found->bytes(), view(key)));
  EXPECT_FALSE(public_key_of(ByteView(view(none))));
  EXPECT_FALSE(public_key_of(ByteView(view(Bytes(made.begin(), made.end() - 1)))));
}

}  // namespace
}  // namespace asiodrv::trust
