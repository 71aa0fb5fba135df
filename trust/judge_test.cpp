#include "trust/judge.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "trust/judge_parts.hpp"
#include "trust/signature_codes.hpp"
#include "trust/testing/example_facts.hpp"

namespace asiodrv::trust {
namespace {

TEST(signature_codes, every_code_of_the_table_has_its_meaning) {
  const struct {
    std::uint32_t code;
    SignatureMeaning meaning;
  } table[] = {{0, SignatureMeaning::valid},
               {0x800B0100, SignatureMeaning::none},
               {0x80096010, SignatureMeaning::modified},
               {0x800B0109, SignatureMeaning::signer_unknown},
               {0x800B010A, SignatureMeaning::signer_unknown},
               {0x800B0101, SignatureMeaning::expired},
               {0x800B010C, SignatureMeaning::withdrawn},
               {0x800B0111, SignatureMeaning::distrusted},
               {0x800B0110, SignatureMeaning::wrong_usage},
               {0x80092026, SignatureMeaning::policy},
               {0x800B0003, SignatureMeaning::not_signable},
               {0x800B0001, SignatureMeaning::undecided}};
  for (const auto& each : table) {
    EXPECT_EQ(meaning_of(each.code), each.meaning) << code_text(each.code);
    EXPECT_FALSE(sentence(each.meaning).empty());
  }
}

TEST(signature_codes, a_code_outside_of_the_table_is_neither_good_nor_bad) {
  for (const std::uint32_t code : {1U, 5U, 0x80070005U, 0x800B0102U, 0x80096004U, 0xFFFFFFFFU}) {
    EXPECT_EQ(meaning_of(code), SignatureMeaning::undecided) << code_text(code);
  }
}

TEST(signature_codes, the_chain_has_a_say_only_where_the_check_had_no_complaint) {
  Signature signature;
  signature.code = 0x80096010;
  signature.chain_errors = 0x20;
  EXPECT_EQ(effective_code(signature), 0x80096010U);
  const struct {
    std::uint32_t errors;
    bool timestamped;
    std::uint32_t code;
  } cases[] = {{0x20, false, 0x800B0109},
               {0x10000, false, 0x800B010A},
               {0x10020, false, 0x800B0109},
               {0x1, false, 0x800B0101},
               {0x1, true, 0},
               {0x21, true, 0x800B0109},
               {0x4, false, 0x800B010C},
               {0x4000000, false, 0x800B0111},
               {0x10, false, 0x800B0110},
               {0x8, false, 0x800B010B},
               {0x40 | 0x1000000, false, 0}};
  for (const auto& each : cases) {
    signature.code = 0;
    signature.chain_errors = each.errors;
    signature.timestamped = each.timestamped;
    EXPECT_EQ(code_text(effective_code(signature)), code_text(each.code)) << each.errors;
  }
}

TEST(judge, nothing_known_is_could_not_decide) {
  Facts facts;
  facts.file.path = "C:\\x.dll";
  EXPECT_EQ(verdict_of(judge(facts, {})), Verdict::undecided);
  EXPECT_EQ(verdict_of({}), Verdict::undecided);
}

/// Each fact taken away alone: nothing may be genuine by default.
TEST(judge, each_missing_fact_alone_keeps_it_from_being_genuine) {
  const auto without = [](auto&& take_away) {
    Facts facts = testing::genuine_process();
    take_away(facts);
    return verdict_of(judge(facts, {}));
  };
  EXPECT_EQ(without([](Facts&) {}), Verdict::genuine);
  EXPECT_EQ(without([](Facts& f) { f.file.signature = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.file.structure = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.file.place = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.file.place->writable = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.registrations = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.duplicates = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.persistence = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.process[0].modules = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.process[0].connections = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.process[0].processor = {}; }), Verdict::undecided);
  EXPECT_EQ(without([](Facts& f) { f.process[0].modules->back().signature_code = {}; }),
            Verdict::undecided);
}

TEST(judge, times_at_the_ends_of_their_range_are_survived) {
  constexpr std::int64_t kEnds[] = {std::numeric_limits<std::int64_t>::min(),
                                    std::numeric_limits<std::int64_t>::max(), 1};
  for (const std::int64_t modified : kEnds) {
    for (const std::int64_t recorded : kEnds) {
      Facts facts = testing::genuine_facts();
      facts.file.modified_s = modified;
      facts.recorded_at_s = recorded;
      EXPECT_EQ(verdict_of(judge(facts, {})), Verdict::genuine) << modified << " " << recorded;
    }
  }
}

TEST(judge, the_worst_finding_comes_first_and_decides) {
  Facts facts = testing::genuine_facts();
  facts.file.signature->code = 0x80096010;
  facts.file.place->kind = PlaceKind::temporary;
  const auto findings = judge(facts, {});
  EXPECT_EQ(findings.front().id, "modified_after_signing");
  EXPECT_EQ(verdict_of(findings), Verdict::dangerous);
  EXPECT_TRUE(std::is_sorted(findings.begin(), findings.end(),
                             [](const auto& a, const auto& b) { return a.severity > b.severity; }));
}

TEST(judge, what_claims_to_be_ours) {
  EXPECT_FALSE(claims_to_be_ours(testing::genuine_facts()));
  EXPECT_TRUE(claims_to_be_ours(testing::genuine_process()));
  Facts by_class = testing::genuine_facts();
  by_class.registrations->front().clsid = "{5e0c7b0a-93d4-4c1f-8b62-1fa47d2e9c35}";
  EXPECT_TRUE(claims_to_be_ours(by_class));
  Facts by_look = testing::genuine_facts();
  by_look.registrations->front().name = "ASI0 Driver";
  EXPECT_TRUE(claims_to_be_ours(by_look));
}

TEST(judge, another_vendors_build_of_this_kit_is_not_ours_and_a_nameless_one_is) {
  Facts other = testing::genuine_facts();
  other.file.path = "C:\\Program Files\\Example\\asio-driver.dll";
  other.file.structure->version.original_name = "asio-driver.dll";
  EXPECT_FALSE(claims_to_be_ours(other));
  EXPECT_EQ(verdict_of(judge(other, {{"Somebody Else"}, {}})), Verdict::genuine);
  other.file.structure->version.product.clear();
  EXPECT_TRUE(claims_to_be_ours(other));
  other.file.structure = {};
  EXPECT_TRUE(claims_to_be_ours(other));
}

TEST(judge, an_accepted_name_without_a_chain_is_not_called_accepted) {
  for (const bool self_signed : {false, true}) {
    Facts facts = testing::genuine_process();  // it says that it is ours
    facts.file.signature->code = 0x800B0109;
    facts.file.signature->self_signed = self_signed;
    const auto findings = judge(facts, {{"Example Audio GmbH"}, {}});
    EXPECT_EQ(verdict_of(findings), Verdict::suspicious);
    for (const Finding& each : findings) EXPECT_NE(each.id, "signer_expected") << each.what;
  }
}

TEST(judge, a_tampered_file_with_an_accepted_key_stays_tampered) {
  Facts facts = testing::genuine_facts();
  facts.file.signature->code = 0x80096010;
  EXPECT_EQ(verdict_of(judge(facts, {{std::string(64, 'd')}, {}})), Verdict::dangerous);
}

TEST(judge, a_class_that_the_user_leads_elsewhere_is_told_of_both_files) {
  Facts facts = testing::genuine_facts();
  Registration away = facts.registrations->front();
  away.per_user = true;
  away.path = "evil.dll";
  facts.registrations->push_back(away);
  const auto findings = judge(facts, {});
  EXPECT_EQ(verdict_of(findings), Verdict::dangerous);
  EXPECT_EQ(findings.front().id, "class_overridden");
  for (const Finding& each : findings) EXPECT_NE(each.id, "relative_path") << "of the other file";
}

TEST(judge, a_users_class_for_32_bit_programs_is_to_be_deleted_in_their_view) {
  for (const bool view_32 : {false, true}) {
    Facts facts = testing::genuine_facts();
    facts.registrations->front().per_user = true;
    facts.registrations->front().view_32 = view_32;
    const auto findings = judge(facts, {});
    ASSERT_EQ(findings.front().id, "class_overridden");
    EXPECT_EQ(findings.front().next_step.find("/reg:32") != std::string::npos, view_32);
  }
}

TEST(judge, connections_are_counted_in_words) {
  Facts facts = testing::genuine_process();
  const auto said = [&] { return judge(facts, {}).front().what; };
  facts.process[0].connections->push_back({"TCP", "10.0.0.2:50000", "9.9.9.9:443", false});
  EXPECT_EQ(said(), "The process has one network connection: TCP 10.0.0.2:50000 to 9.9.9.9:443.");
  facts.process[0].connections->push_back({"UDP", "10.0.0.2:50001", "", false});
  EXPECT_EQ(said(),
            "The process has 2 network connections, the first: TCP 10.0.0.2:50000 to 9.9.9.9:443.");
}

TEST(judge, firms_are_compared_by_their_words) {
  const struct {
    const char* vendor;
    const char* signer;
    bool agree;
  } cases[] = {{"Example Audio", "Example Audio GmbH", true},
               {"EXAMPLE AUDIO, INC.", "Example Audio", true},
               {"Example", "Example Audio Engineering Ltd", true},
               {"Example Audio", "Sample Audio", false},
               {"Steinway Media Technologies GmbH", "Media Technologies Ltd", false},
               {"Audio", "Stranger Audio LLC", false},
               {"Sound Systems Inc.", "Systems Sound", true},
               {"Example", "Examples", false},
               {"GmbH", "Other GmbH", false},
               {"", "Example", false},
               {"Example", "", false}};
  for (const auto& each : cases) {
    EXPECT_EQ(names_agree(each.vendor, each.signer), each.agree) << each.vendor;
  }
}

TEST(judge, bitness_and_architecture_in_a_name_are_no_renaming) {
  Facts facts = testing::genuine_facts();
  facts.file.path = "C:\\Program Files\\Example\\example_x64.dll";
  facts.file.structure->version.original_name = "Example.dll";
  EXPECT_EQ(verdict_of(judge(facts, {})), Verdict::genuine);
}

}  // namespace
}  // namespace asiodrv::trust
