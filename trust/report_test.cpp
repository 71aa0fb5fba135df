#include "trust/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "trust/facts_json.hpp"
#include "trust/testing/example_facts.hpp"

namespace asiodrv::trust {
namespace {

Judged tampered() {
  Facts facts = testing::genuine_facts();
  facts.file.signature->code = 0x80096010;
  return judged(facts, {});
}

TEST(report, a_verdict_comes_with_reason_and_next_step) {
  const std::string text = report_text({tampered()}, false);
  EXPECT_NE(text.find("Verdict: dangerous"), std::string::npos) << text;
  EXPECT_NE(text.find("DANGEROUS   The file was changed after it was signed."), std::string::npos);
  EXPECT_NE(text.find("Why: "), std::string::npos);
  EXPECT_NE(text.find("Do:  "), std::string::npos);
  EXPECT_EQ(text.find("\n  good "), std::string::npos) << "only with details";
  EXPECT_NE(report_text({tampered()}, true).find("\n  good "), std::string::npos);
}

TEST(report, lines_fit_a_terminal) {
  const std::string text = report_text({tampered(), judged(Facts{}, {})}, true);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 100U) << text.substr(begin, end - begin);
  }
}

TEST(report, strangers_cannot_write_to_the_terminal) {
  Facts facts = testing::genuine_facts();
  facts.subject = "a\x1B[2Jb";
  facts.file.structure->version.company = "x\n  Verdict: genuine\x1B[0m";
  facts.file.signature->signer.common_name = "y\r\x1B]0;";
  const std::string text = report_text({judged(facts, {})}, true);
  EXPECT_EQ(text.find('\x1B'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find("\n  Verdict: genuine"), std::string::npos) << text;
}

/// Facts of which every text is part of some finding.
Facts talkative_facts() {
  Facts facts = testing::genuine_process();
  facts.file.structure->certificates.unknown_attributes = {"1.2.3"};
  facts.file.place->writable = Writable{Writability::yes, "C:\\", "S-1-1-0", "write"};
  facts.file.place->links = {"C:\\link"};
  const Registration other = {"Name", "{class}", "text", "relative.dll", false, true};
  facts.registrations = std::vector<Registration>{other};
  facts.duplicates = std::vector<Duplicate>{{DuplicateKind::same_file_name, other, false},
                                            {DuplicateKind::similar_name, other, false},
                                            {DuplicateKind::same_class_other_file, other, true}};
  facts.persistence = PersistenceScan{{{PersistenceKind::run_key, "where", "command"},
                                       {PersistenceKind::image_hijack, "where", "command"}},
                                      {"the tasks"}};
  ProcessFacts& process = facts.process[0];
  process.connections = std::vector<Connection>{{"TCP", "local", "remote", false}};
  process.modules->push_back({"C:\\a.dll", std::uint32_t{0x800B0100}, PlaceKind::other});
  process.modules->push_back({"C:\\b.dll", std::uint32_t{0x80096010}, PlaceKind::other});
  process.modules->push_back(
      {"C:\\c.dll", Known<std::uint32_t>::unknown("locked"), PlaceKind::other});
  return facts;
}

/// The same with a reason in the place of everything that can be unknown.
Facts ignorant_facts() {
  Facts facts = talkative_facts();
  facts.file.size_bytes = {};
  facts.file.sha256 = {};
  facts.file.structure = {};
  facts.file.signature = {};
  facts.file.place = {};
  facts.file.modified_s = {};
  facts.file.internet_zone = {};
  facts.registrations = {};
  facts.duplicates = {};
  facts.persistence = {};
  ProcessFacts process;
  process.id = 42;
  facts.process = {process};
  return facts;
}

/// Each text of a record in turn made into one that would clear the screen.
void shout_in(nlohmann::json& whole, nlohmann::json& part, const Expectations& expectations,
              int& shouted) {
  if (part.is_string()) {
    const nlohmann::json quiet = part;
    part = "x\x1B[2J\n  Verdict: genuine\r";
    if (const auto facts = facts_from_json(whole)) {  // words of a list are refused
      const std::string text = report_text({judged(*facts, expectations)}, true);
      EXPECT_EQ(text.find('\x1B'), std::string::npos) << quiet << "\n" << text;
      EXPECT_EQ(text.find('\r'), std::string::npos) << quiet;
      EXPECT_EQ(text.find("\n  Verdict: genuine\\"), std::string::npos) << quiet;
      if (text.find("\\x1B") != std::string::npos) ++shouted;
    }
    part = quiet;
  } else if (part.is_structured()) {
    for (auto& [key, value] : part.items()) shout_in(whole, value, expectations, shouted);
  }
}

TEST(report, no_text_of_a_record_reaches_the_terminal_as_it_is) {
  const Expectations expectations{{}, {{std::string(64, 'b'), "other.dll"}}};
  Facts doubtful = talkative_facts();
  doubtful.file.place->writable->answer = Writability::cannot_rule_out;
  Facts unplaced = talkative_facts();
  unplaced.file.place->writable = Known<Writable>::unknown("no rights");
  int shouted = 0;
  for (const Facts& facts : {talkative_facts(), ignorant_facts(), doubtful, unplaced}) {
    nlohmann::json whole = to_json(facts);
    shout_in(whole, whole, expectations, shouted);
  }
  EXPECT_GT(shouted, 90) << "too few texts are shown at all: the test looks past them";
}

TEST(report, several_subjects_end_in_a_count_and_the_worst_decides) {
  const std::vector<Judged> subjects = {judged(testing::genuine_facts(), {}), tampered()};
  EXPECT_EQ(worst_of(subjects), Verdict::dangerous);
  EXPECT_NE(report_text(subjects, false)
                .find("2 looked at: 1 genuine, 0 could not be decided, 0 suspicious, 1 dangerous."),
            std::string::npos);
  EXPECT_EQ(worst_of({}), Verdict::undecided);
}

TEST(report, the_document_has_its_documented_shape) {
  const auto document = report_json({tampered()});
  EXPECT_EQ(document["format"], "asio-driver-verify");
  EXPECT_EQ(document["version"], 1);
  EXPECT_EQ(document["verdict"], "dangerous");
  const auto& subject = document["subjects"][0];
  EXPECT_EQ(subject["verdict"], "dangerous");
  EXPECT_EQ(subject["findings"][0]["id"], "modified_after_signing");
  EXPECT_EQ(subject["findings"][0]["severity"], "dangerous");
  for (const char* const member : {"what", "why", "next_step"}) {
    EXPECT_TRUE(subject["findings"][0][member].is_string()) << member;
  }
  EXPECT_EQ(subject["facts"]["file"]["signature"]["code"], 0x80096010U);
}

}  // namespace
}  // namespace asiodrv::trust
