// Facts that were recorded are the facts that are judged.
#include "doctor/facts_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "doctor/diagnose.hpp"
#include "doctor/report.hpp"
#include "doctor/testing/healthy_facts.hpp"

namespace asiodrv::doctor {
namespace {

using nlohmann::json;
using testing::healthy_facts;

TEST(doctor_facts_json, facts_survive_being_written_and_read) {
  for (const Facts& facts : {healthy_facts(), Facts{}}) {
    const json written = to_json(facts);
    const auto read = parse_facts(written.dump());
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(to_json(*read), written);
  }
}

TEST(doctor_facts_json, a_whole_answer_is_read_for_the_facts_in_it) {
  const Facts facts = healthy_facts();
  const json answer = report_json(facts, diagnose(facts), {});
  const auto read = parse_facts(answer.dump());
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(facts));
}

TEST(doctor_facts_json, what_is_missing_is_not_known_and_why_survives) {
  const auto read = parse_facts(R"({"system": {"name": "windows",
      "audio_service": {"unknown": "nobody was allowed to look"}}})");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_FALSE(read->system.remote_session.known());
  EXPECT_EQ(read->system.audio_service.why(), "nobody was allowed to look");
  EXPECT_TRUE(diagnose(*read).findings.empty());
}

TEST(doctor_facts_json, a_mistake_is_named_with_its_place) {
  const struct {
    const char* text;
    const char* part;
  } wrong[] = {
      {"", "no JSON"},
      {"{\"system\":", "no JSON"},
      {R"({"system": 1e999})", "too large"},
      {"[]", "no facts"},
      {"{}", "no facts"},
      {R"({"system": {"name": 1}})", "facts/system/name must be text"},
      {R"({"system": {}, "clients": {}})", "facts/clients must be a list"},
      {R"({"system": {}, "clients": [{}, {"rate_hz": -1}]})", "facts/clients/1/rate_hz"},
      {R"({"system": {}, "clients": [{"rate_hz": 4294967296}]})", "at most 32 bits"},
      {R"({"system": {"elevated": "yes"}})", "facts/system/elevated must be true or false"},
      {R"({"system": {"elevated": {"unknown": 5}}})", "facts/system/elevated/unknown"},
      {R"({"system": {}, "registration_64": {"load": []}})", "facts/registration_64/load"},
  };
  for (const auto& each : wrong) {
    const auto read = parse_facts(each.text);
    ASSERT_FALSE(read.has_value()) << each.text;
    EXPECT_NE(read.error().message.find(each.part), std::string::npos) << read.error().message;
  }
}

TEST(doctor_facts_json, every_cut_of_a_recording_is_refused_or_read_without_harm) {
  const std::string text = to_json(healthy_facts()).dump();
  for (std::size_t length = 0; length < text.size(); length += 7) {
    EXPECT_FALSE(parse_facts(std::string_view(text).substr(0, length)).has_value());
  }
}

TEST(doctor_facts_json, what_is_too_large_or_too_deep_is_not_taken) {
  EXPECT_EQ(parse_facts(std::string(kMaxFactsBytes + 1, ' ')).error().code,
            ErrorCode::limit_reached);
  const std::string deep = R"({"system": {"name": )" + std::string(100'000, '[');
  EXPECT_FALSE(parse_facts(deep).has_value());
  std::string many = R"({"system": {}, "clients": [{})";
  for (int i = 0; i < 5000; ++i) many += ",{}";
  EXPECT_FALSE(parse_facts(many + "]}").has_value());
}

TEST(doctor_report, text_has_each_finding_with_its_fix_and_json_has_the_same) {
  Facts facts = healthy_facts();
  facts.registration[0].listed = false;
  facts.others[0].probe = ProbeResult{"hung", "it had not answered after 10 s and was ended"};
  const Diagnosis diagnosis = diagnose(facts);
  const std::string text = report_text(facts, diagnosis, {{"not_registered", false, "No rights."}});
  for (const char* const part :
       {" 1. The driver is not registered", " 2. Another ASIO driver hangs", "Example Audio",
        "To do: ", "Not repaired: No rights.", "Could not decide:"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    EXPECT_LE(text.find('\n', at) - at, 100U) << text;
  }
  const json answer = report_json(facts, diagnosis, {});
  EXPECT_FALSE(answer["ok"].get<bool>());
  EXPECT_EQ(answer["findings"][0]["id"], "not_registered");
  EXPECT_TRUE(answer["findings"][0]["can_fix"].get<bool>());
  EXPECT_EQ(answer["findings"].size(), 2U);
}

TEST(doctor_report, what_strangers_have_written_steers_no_terminal) {
  Facts facts = healthy_facts();
  facts.others[0].name = "Evil\x1b[2J\x07\x7f\xC2\x9B \xE2\x80\xAE\xE2\x81\xA6 Gerät Наушники";
  facts.others[0].file_exists = false;
  const std::string text = report_text(facts, diagnose(facts), {{"x", true, "Said\x1b[0m."}});
  for (const char* const part :
       {"\x1b", "\x07", "\x7f", "\xC2\x9B", "\xE2\x80\xAE", "\xE2\x81\xA6"}) {
    EXPECT_EQ(text.find(part), std::string::npos) << text;
  }
  EXPECT_NE(text.find("Gerät Наушники"), std::string::npos) << text;
  facts = healthy_facts();
  facts.device.name = "\x1b[2J";
  EXPECT_EQ(report_text(facts, diagnose(facts), {}).find('\x1b'), std::string::npos);
}

TEST(doctor_report, a_healthy_machine_is_told_so) {
  const Facts facts = healthy_facts();
  const std::string text = report_text(facts, diagnose(facts), {});
  EXPECT_NE(text.find("Nothing is wrong"), std::string::npos) << text;
  EXPECT_TRUE(report_json(facts, diagnose(facts), {})["ok"].get<bool>());
}

TEST(doctor_report, all_causes_are_listed) {
  const std::string text = causes_text();
  for (const Cause& cause : all_causes()) {
    EXPECT_NE(text.find(std::string(cause.id)), std::string::npos) << cause.id;
  }
  EXPECT_EQ(causes_json().size(), all_causes().size());
}

}  // namespace
}  // namespace asiodrv::doctor
