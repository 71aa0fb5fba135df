#include "trust/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
