#include "trust/facts_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "trust/judge.hpp"
#include "trust/testing/example_facts.hpp"

namespace asiodrv::trust {
namespace {

using nlohmann::json;

/// Every member away from its default.
Facts full_facts() {
  Facts facts = testing::genuine_process();
  PeFile& pe = *facts.file.structure;
  pe.sections_overlap = pe.sections_beyond_end = pe.tables_damaged = pe.several_makers = true;
  pe.overlay_bytes = 7;
  pe.version_number = "1.2.3.0";
  pe.certificates = {2, true, true, 9, true, true, true, {"1.2.3"}, 3, true};
  facts.file.signature->code = 0x800B0109;
  facts.file.signature->chain_errors = 0x20;
  facts.file.signature->from_catalog = facts.file.signature->self_signed = true;
  facts.file.place->writable = Writable{Writability::cannot_rule_out, "C:\\", "S-1-1-0", "write"};
  facts.file.place->links = {"C:\\link"};
  facts.file.place->hard_links = 2;
  facts.file.internet_zone = std::uint32_t{3};
  facts.registrations = std::vector<Registration>{{"n", "{c}", "d", "p", true, true}};
  facts.duplicates =
      std::vector<Duplicate>{{DuplicateKind::similar_name, facts.registrations->front(), true},
                             {DuplicateKind::same_class_other_file, facts.registrations->front(),
                              Known<bool>::unknown("locked")}};
  facts.persistence =
      PersistenceScan{{{PersistenceKind::image_hijack, "where", "command"}}, {"tasks"}};
  facts.process[0].connections = std::vector<Connection>{{"UDP", "a", "b", true}};
  facts.process[0].modules->push_back(
      {"m", Known<std::uint32_t>::unknown("locked"), PlaceKind::network});
  facts.process[0].clients = Known<std::uint32_t>::unknown("not ours");
  return facts;
}

TEST(facts_json, facts_survive_the_way_out_and_back) {
  for (const Facts& facts : {full_facts(), testing::genuine_facts(), testing::genuine_process()}) {
    const auto again = facts_from_json(to_json(facts));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, facts);
  }
}

TEST(facts_json, what_is_missing_is_not_known_and_never_good) {
  const auto facts = facts_from_json(json::parse(R"({"file": {"path": "C:\\x.dll"}})"));
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_FALSE(facts->file.signature);
  EXPECT_EQ(facts->file.signature.why_not(), "it is not in the record");
  EXPECT_EQ(verdict_of(judge(*facts, {})), Verdict::undecided);
}

/// Every member of a full record once with each wrong type: an error that says where, or the
/// member's right type by chance.
void break_members(json& whole, json& part, const std::string& where, int& broken) {
  if (!part.is_structured()) return;
  for (auto& [key, value] : part.items()) {
    const json good = value;
    for (const json& wrong : {json(-1), json("x"), json::array({1}), json(true), json(1.5)}) {
      if (wrong.type() == good.type()) continue;
      value = wrong;
      const auto facts = facts_from_json(whole);
      if (!facts) {
        ++broken;
        EXPECT_EQ(facts.error().code, ErrorCode::malformed);
        EXPECT_NE(facts.error().message.find(" must be "), std::string::npos);
      }
    }
    value = good;
    break_members(whole, value, where + "." + key, broken);
  }
}

TEST(facts_json, wrong_types_are_refused_by_name) {
  json whole = to_json(full_facts());
  int broken = 0;
  break_members(whole, whole, "", broken);
  EXPECT_GT(broken, 300);
  whole["file"]["structure"]["version"]["company"] = 5;
  const auto facts = facts_from_json(whole);
  ASSERT_FALSE(facts);
  EXPECT_NE(facts.error().message.find("file.structure.version.company must be a text"),
            std::string::npos)
      << facts.error().message;
}

TEST(facts_json, a_signature_without_a_code_is_refused) {
  json whole = to_json(full_facts());
  whole["file"]["signature"].erase("code");
  const auto facts = facts_from_json(whole);
  ASSERT_FALSE(facts);
  EXPECT_NE(facts.error().message.find("file.signature.code"), std::string::npos);
  whole["file"]["signature"]["code"] = -1;
  EXPECT_FALSE(facts_from_json(whole));
}

TEST(facts_json, what_would_read_as_good_when_it_is_missing_must_be_there) {
  const json whole = to_json(full_facts());
  for (const char* const member :
       {"/file/structure/sections_overlap", "/file/structure/sections_beyond_end",
        "/file/structure/version", "/file/structure/certificates",
        "/file/structure/certificates/truncated", "/file/structure/certificates/data_in_padding",
        "/file/structure/certificates/bytes_after_table",
        "/file/structure/certificates/unknown_attributes", "/file/signature/chain_errors",
        "/registrations/0/name", "/registrations/0/clsid", "/registrations/0/path",
        "/registrations/0/per_user", "/persistence/found", "/persistence/not_seen"}) {
    const json::json_pointer at(member);
    json less = whole;
    less.at(at.parent_pointer()).erase(at.back());
    const auto facts = facts_from_json(less);
    ASSERT_FALSE(facts) << member;
    EXPECT_NE(facts.error().message.find(" must be there"), std::string::npos)
        << facts.error().message;
  }
}

TEST(facts_json, words_that_are_not_in_the_list_are_refused) {
  json whole = to_json(full_facts());
  whole["file"]["place"]["writable"]["answer"] = "never";
  EXPECT_FALSE(facts_from_json(whole));
}

TEST(parse_record, only_records_are_taken) {
  for (const char* const text :
       {"", "nonsense", "[]", "5", R"({"subjects": []})", R"({"subjects": 5})",
        R"({"subjects": [5]})", R"({"subjects": [{"facts": {}}]})", "{}", "{\"a\": \"\xFF\"}"}) {
    EXPECT_FALSE(parse_record(text)) << text;
  }
  EXPECT_FALSE(parse_record(std::string(1'000'000, '['))) << "deep nesting";
  EXPECT_TRUE(parse_record(to_json(testing::genuine_facts()).dump()));
}

TEST(parse_record, other_formats_and_versions_are_refused) {
  json whole = {{"format", kRecordFormat}, {"version", kRecordVersion}};
  whole["subjects"] = json::array();
  whole["subjects"].push_back(to_json(testing::genuine_facts()));
  EXPECT_TRUE(parse_record(whole.dump()));
  whole["version"] = kRecordVersion + 1;
  ASSERT_FALSE(parse_record(whole.dump()));
  EXPECT_EQ(parse_record(whole.dump()).error().code, ErrorCode::unsupported);
  whole["version"] = kRecordVersion;
  whole["format"] = "asio-driver-doctor";
  EXPECT_FALSE(parse_record(whole.dump()));
}

TEST(parse_record, endless_lists_and_records_are_refused) {
  json whole = to_json(testing::genuine_facts());
  whole["file"]["place"]["links"] = std::vector<std::string>(kMaxListed + 1, "x");
  EXPECT_FALSE(parse_record(whole.dump()));
  EXPECT_FALSE(parse_record(std::string(kMaxRecordBytes + 1, ' ')));
}

}  // namespace
}  // namespace asiodrv::trust
