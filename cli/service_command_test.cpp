#include "cli/service_command.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/command_line.hpp"
#include "core/ports/virtual_clock.hpp"
#include "service/manager/testing/fake_service_control.hpp"

namespace asiodrv::cli {
namespace {

using service::manager::StartMode;

std::optional<ServiceOptions> g_asked;

int ask_service(std::vector<std::string> arguments) {
  Actions actions{};
  actions.service = [](const ServiceOptions& options) {
    g_asked = options;
    return kDone;
  };
  g_asked.reset();
  arguments.insert(arguments.begin(), "service");
  return run_command_line(std::move(arguments), actions);
}

TEST(service_command, every_verb_and_its_mode_arrive) {
  EXPECT_EQ(ask_service({"install"}), kDone);
  EXPECT_EQ(g_asked->verb, ServiceVerb::install);
  EXPECT_EQ(g_asked->mode, StartMode::demand);
  EXPECT_EQ(ask_service({"install", "--start", "machine"}), kDone);
  EXPECT_EQ(g_asked->mode, StartMode::machine);
  EXPECT_EQ(ask_service({"set-start", "off"}), kDone);
  EXPECT_EQ(g_asked->verb, ServiceVerb::set_start);
  EXPECT_EQ(g_asked->mode, StartMode::off);
  EXPECT_EQ(ask_service({"status", "--json"}), kDone);
  EXPECT_TRUE(g_asked->json);
  const struct {
    const char* word;
    ServiceVerb verb;
  } plain[] = {{"remove", ServiceVerb::remove},
               {"start", ServiceVerb::start},
               {"stop", ServiceVerb::stop},
               {"restart", ServiceVerb::restart},
               {"status", ServiceVerb::status}};
  for (const auto& each : plain) {
    EXPECT_EQ(ask_service({each.word}), kDone);
    EXPECT_EQ(g_asked->verb, each.verb) << each.word;
  }
}

TEST(service_command, wrong_usage_reaches_nothing) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"dance"},
                                             {"install", "--start", "manual"},
                                             {"set-start"},
                                             {"set-start", "auto"},
                                             {"stop", "--json"},
                                             {"start", "stop"}}) {
    EXPECT_EQ(ask_service(arguments), kWrongUsage);
    EXPECT_FALSE(g_asked);
  }
}

class service_answers : public ::testing::Test {
 protected:
  ServiceAnswer ask(ServiceVerb verb, StartMode mode = StartMode::demand, bool as_json = false) {
    return answer_service_command({verb, mode, as_json}, installation);
  }

  service::manager::testing::FakeServiceControl control;
  ports::VirtualClock clock;
  service::manager::Installation installation{control, clock, "C:\\Apps\\asio-driver.exe"};
};

TEST_F(service_answers, without_rights_it_is_one_sentence_and_code_4) {
  control.elevated = false;
  const ServiceAnswer refused = ask(ServiceVerb::install);
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.error.find("Run as administrator"), std::string::npos);
  EXPECT_EQ(refused.error.find('\n'), refused.error.size() - 1);
}

TEST_F(service_answers, status_is_one_json_document_with_the_documented_members) {
  const auto absent = nlohmann::json::parse(ask(ServiceVerb::status, {}, true).out);
  EXPECT_EQ(absent.at("installed"), false);
  EXPECT_EQ(absent.at("start"), nullptr);
  EXPECT_EQ(ask(ServiceVerb::install, StartMode::logon).exit_code, 0);
  control.sign_in("ab12");
  const auto present = nlohmann::json::parse(ask(ServiceVerb::status, {}, true).out);
  EXPECT_EQ(present.at("installed"), true);
  EXPECT_EQ(present.at("name"), "asio-driver");
  EXPECT_EQ(present.at("start"), "logon");
  EXPECT_EQ(present.at("per_user"), true);
  EXPECT_EQ(present.at("command"), "\"C:\\Apps\\asio-driver.exe\" run --service");
  ASSERT_EQ(present.at("services").size(), 1U);
  EXPECT_EQ(present.at("services")[0].at("name"), "asio-driver_ab12");
  EXPECT_EQ(present.at("services")[0].at("state"), "running");
}

TEST_F(service_answers, failures_are_code_1_and_say_the_next_step) {
  const ServiceAnswer refused = ask(ServiceVerb::start);
  EXPECT_EQ(refused.exit_code, kFailed);
  EXPECT_NE(refused.error.find("service install"), std::string::npos);
  const ServiceAnswer text = ask(ServiceVerb::status);
  EXPECT_EQ(text.exit_code, kDone);
  EXPECT_NE(text.out.find("not registered"), std::string::npos);
}

}  // namespace
}  // namespace asiodrv::cli
