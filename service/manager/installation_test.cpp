// The logic of registering and removing, against a service manager that keeps the documented rules.
#include "service/manager/installation.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/ports/virtual_clock.hpp"
#include "service/manager/names.hpp"
#include "service/manager/service_targets.hpp"
#include "service/manager/testing/fake_service_control.hpp"

namespace asiodrv::service::manager {
namespace {

using testing::FakeService;
using testing::FakeServiceControl;

constexpr const char* kProgram = "C:\\Program Files\\asio-driver\\asio-driver.exe";
constexpr const char* kCommand =
    "\"C:\\Program Files\\asio-driver\\asio-driver.exe\" run --service";

class installation : public ::testing::Test {
 protected:
  [[nodiscard]] const FakeService& registered() { return control.services.at(service_name()); }
  [[nodiscard]] bool is_there(const std::string& name) {
    return control.services.find(name) != control.services.end();
  }
  static std::string text_of(const Result<Sentences>& said) {
    if (!said) return said.error().message;
    std::string text;
    for (const std::string& line : *said) text += line + "\n";
    return text;
  }
  template <class Option>
  [[nodiscard]] const Option* option() {
    for (const ServiceOption& each : registered().options) {
      if (const auto* found = std::get_if<Option>(&each)) return found;
    }
    return nullptr;
  }
  std::vector<ServiceEntry> running_parts() { return service.status().value().services; }
  void install(StartMode mode) {
    const auto said = service.install(mode);
    ASSERT_TRUE(said) << text_of(said);
  }

  FakeServiceControl control;
  ports::VirtualClock clock;
  Installation service{control, clock, kProgram};
};

TEST_F(installation, rule_6_what_create_service_is_given) {
  install(StartMode::demand);
  const ServiceConfiguration& made = registered().configuration;
  EXPECT_EQ(made.type, 0x50U);
  EXPECT_EQ(made.start, StartType::demand);
  EXPECT_EQ(made.account, std::nullopt);
  EXPECT_EQ(made.command, kCommand);
  EXPECT_EQ(made.display_name, display_name());
  const std::uint32_t wanted = rights::kChangeConfig | rights::kStart | rights::kDelete |
                               rights::kReadControl | rights::kWriteDac;
  EXPECT_EQ(rights::kRegister & wanted, wanted);
  EXPECT_EQ(control.event_sources.at(event_source()), kProgram);
}

TEST_F(installation, every_mode_is_what_the_design_says) {
  const struct {
    StartMode mode;
    std::uint32_t type;
    StartType start;
  } expected[] = {{StartMode::demand, 0x50, StartType::demand},
                  {StartMode::logon, 0x50, StartType::automatic},
                  {StartMode::machine, 0x10, StartType::automatic},
                  {StartMode::off, 0x50, StartType::disabled}};
  for (const auto& each : expected) {
    install(each.mode);
    EXPECT_EQ(registered().configuration.type, each.type) << mode_name(each.mode);
    EXPECT_EQ(registered().configuration.start, each.start) << mode_name(each.mode);
    EXPECT_EQ(service.status()->mode, each.mode);
    EXPECT_EQ(parse_mode(mode_name(each.mode)), each.mode);
  }
  EXPECT_EQ(parse_mode("manual"), std::nullopt);
}

TEST_F(installation, machine_mode_is_local_service_with_an_identity_and_few_privileges) {
  install(StartMode::machine);
  EXPECT_EQ(registered().configuration.account, "NT AUTHORITY\\LocalService");
  ASSERT_NE(option<OwnIdentity>(), nullptr);
  EXPECT_EQ(option<OwnIdentity>()->sid_type, 1U);
  ASSERT_NE(option<RequiredPrivileges>(), nullptr);
  EXPECT_EQ(option<RequiredPrivileges>()->names,
            (std::vector<std::string>{"SeChangeNotifyPrivilege", "SeCreateGlobalPrivilege"}));
}

TEST_F(installation, it_restarts_after_failures_and_has_a_description) {
  install(StartMode::demand);
  EXPECT_EQ(option<RequiredPrivileges>(), nullptr) << "a user's service has its user's rights";
  ASSERT_NE(option<Recovery>(), nullptr);
  EXPECT_EQ(option<Recovery>()->restart_after.size(), 3U);
  EXPECT_NE(option<RecoveryAfterErrors>(), nullptr);
  ASSERT_NE(option<Description>(), nullptr);
  EXPECT_EQ(option<Description>()->text, kServiceDescription);
}

TEST_F(installation, users_may_start_and_query_and_change_nothing) {
  install(StartMode::demand);
  ASSERT_NE(option<AccessList>(), nullptr);
  const std::string& sddl = option<AccessList>()->sddl;
  const std::size_t end = sddl.find(";;;IU)");
  ASSERT_NE(end, std::string::npos);
  const std::size_t begin = sddl.rfind("(A;;", end) + 4;
  std::vector<std::string> granted;
  for (std::size_t at = begin; at < end; at += 2) granted.push_back(sddl.substr(at, 2));
  const auto has = [&](const char* right) {
    return std::find(granted.begin(), granted.end(), right) != granted.end();
  };
  for (const char* const wanted : {"CC", "LC", "RP", "RC"}) EXPECT_TRUE(has(wanted)) << wanted;
  for (const char* const refused : {"DC", "WP", "DT", "CR", "SD", "WD", "WO", "GA", "GW"}) {
    EXPECT_FALSE(has(refused)) << refused;
  }
}

TEST_F(installation, rule_7_an_existing_registration_is_rewritten) {
  Installation earlier(control, clock, "C:\\Old\\asio-driver.exe");
  ASSERT_TRUE(earlier.install(StartMode::logon));
  control.services.at(service_name()).allows_instances = false;  // a removal was broken off
  control.calls.clear();
  const auto said = service.install(StartMode::demand);
  ASSERT_TRUE(said) << text_of(said);
  EXPECT_EQ(registered().configuration.command, kCommand);
  EXPECT_EQ(registered().configuration.start, StartType::demand);
  EXPECT_TRUE(registered().allows_instances);
  EXPECT_EQ(control.index_of("remove asio-driver"), control.calls.size());
}

TEST_F(installation, rule_7_a_registration_that_appears_meanwhile_is_rewritten) {
  control.after = [this](const std::string& call) {
    if (call != "create asio-driver") return;
    control.after = nullptr;
    FakeService foreign;
    foreign.configuration = {0x50, StartType::automatic, "\"C:\\x\\asio-driver.exe\"", "x", {}};
    control.services[service_name()] = foreign;
  };
  install(StartMode::demand);
  EXPECT_EQ(registered().configuration.command, kCommand);
}

TEST_F(installation, rule_8_removal_disables_then_takes_the_instances_then_the_template) {
  install(StartMode::logon);
  control.sign_in("a1b2");
  control.sign_in("c3d4");
  control.calls.clear();
  const auto said = service.remove();
  ASSERT_TRUE(said) << text_of(said);
  const std::size_t disabled = control.index_of("change asio-driver");
  const std::size_t blocked = control.index_of("block asio-driver");
  const std::size_t stopped = control.index_of("stop asio-driver_a1b2");
  const std::size_t first = control.index_of("remove asio-driver_a1b2");
  const std::size_t second = control.index_of("remove asio-driver_c3d4");
  const std::size_t last = control.index_of("remove asio-driver");
  EXPECT_LT(disabled, blocked);
  EXPECT_LT(blocked, control.index_of("enumerate"));
  EXPECT_LT(stopped, first);
  EXPECT_LT(first, second);
  EXPECT_LT(second, last);
  const auto again = std::find(control.calls.begin() + static_cast<std::ptrdiff_t>(last),
                               control.calls.end(), "enumerate");
  EXPECT_NE(again, control.calls.end()) << "nobody looked again";
  EXPECT_TRUE(control.services.empty());
  EXPECT_TRUE(control.event_sources.empty());
}

TEST_F(installation, rule_8_an_instance_that_appears_during_removal_fails_it_loudly) {
  install(StartMode::logon);
  control.after = [this](const std::string& call) {
    if (call != "block asio-driver") return;
    control.after = nullptr;
    FakeService late = control.services.at(service_name());  // a sign-in that was under way
    late.configuration.type = 0xD0;
    late.state.type = 0xD0;
    late.handles = 0;
    control.after = [this, late](const std::string& later) {
      if (later == "remove asio-driver") control.services["asio-driver_99"] = late;
    };
  };
  const auto said = service.remove();
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code, ErrorCode::invalid_state);
  EXPECT_NE(said.error().message.find("asio-driver_99"), std::string::npos);
  control.after = nullptr;
  ASSERT_TRUE(service.remove());
  EXPECT_TRUE(control.services.empty());
}

TEST_F(installation, rule_9_foreign_services_survive_and_ours_is_told_by_all_its_signs) {
  install(StartMode::demand);
  control.sign_in("1f");
  control.add_foreign("asio-driver_Other", 0xD0, kCommand);            // no hexadecimal number
  control.add_foreign("asio-driver_beef", 0x10, kCommand);             // no instance
  control.add_foreign("asio-driver_cafe", 0xD0, "\"C:\\other.exe\"");  // another program
  control.add_foreign("asio-driver2_1f", 0xD0, kCommand);              // another template's
  const auto said = service.remove();
  ASSERT_TRUE(said) << text_of(said);
  EXPECT_FALSE(is_there("asio-driver_1f"));
  for (const char* const foreign :
       {"asio-driver_Other", "asio-driver_beef", "asio-driver_cafe", "asio-driver2_1f"}) {
    EXPECT_TRUE(is_there(foreign)) << foreign;
    EXPECT_EQ(control.services.at(foreign).state.state, RunState::running) << foreign;
  }
}

TEST_F(installation, removal_names_the_copy_that_had_registered_the_service) {
  Installation elsewhere(control, clock, "D:\\Tried\\ASIO-Driver.exe");
  ASSERT_TRUE(elsewhere.install(StartMode::logon));
  control.sign_in("1f");
  const auto said = service.remove();
  ASSERT_TRUE(said) << text_of(said);
  EXPECT_NE(text_of(said).find("D:\\Tried"), std::string::npos) << text_of(said);
  EXPECT_TRUE(control.services.empty());
  install(StartMode::demand);
  EXPECT_EQ(text_of(service.remove()).find("another copy"), std::string::npos);
}

TEST_F(installation, rule_9_a_service_of_our_name_that_runs_another_program_is_left_alone) {
  control.add_foreign(service_name(), 0x10, "\"C:\\other.exe\"");
  const auto said = service.remove();
  ASSERT_TRUE(said) << text_of(said);
  EXPECT_NE(text_of(said).find("C:\\other.exe"), std::string::npos) << text_of(said);
  for (const StartMode mode : {StartMode::demand, StartMode::machine}) {
    const auto refused = service.install(mode);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("C:\\other.exe"), std::string::npos);
  }
  ASSERT_TRUE(is_there(service_name()));
  EXPECT_EQ(registered().configuration.command, "\"C:\\other.exe\"");
  EXPECT_EQ(registered().state.state, RunState::running);
  EXPECT_EQ(registered().configuration.start, StartType::demand);
}

TEST_F(installation, rule_10_the_list_is_read_page_by_page_and_may_have_holes) {
  install(StartMode::demand);
  for (const char* const suffix : {"1", "2", "3", "4", "5"}) control.sign_in(suffix);
  control.page_entries = 2;
  control.vanishing.insert("asio-driver_3");
  const auto found = find_instances(control, service_name(), {kCommand});
  ASSERT_TRUE(found);
  std::vector<std::string> names;
  for (const ServiceEntry& each : *found) names.push_back(each.name);
  EXPECT_EQ(names, (std::vector<std::string>{"asio-driver_1", "asio-driver_2", "asio-driver_4",
                                             "asio-driver_5"}));
}

TEST_F(installation, rule_10_a_list_that_gives_nothing_and_promises_more_ends) {
  install(StartMode::demand);
  control.sign_in("1");
  control.page_entries = 0;
  const auto found = list_services(control, service_type::kAny);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().number, system_errors::kMoreData);
}

TEST_F(installation, a_system_without_user_services_gets_an_ordinary_one_and_says_so) {
  control.knows_user_services = false;
  const auto said = service.install(StartMode::demand);
  ASSERT_TRUE(said) << text_of(said);
  EXPECT_EQ(registered().configuration.type, 0x10U);
  EXPECT_EQ(registered().configuration.account, "NT AUTHORITY\\LocalService");
  EXPECT_NE(option<OwnIdentity>(), nullptr);
  EXPECT_NE(option<RequiredPrivileges>(), nullptr);
  EXPECT_NE(text_of(said).find("ordinary service"), std::string::npos);
  EXPECT_NE(text_of(said).find("87"), std::string::npos);
  // It stays one: changing its mode does not remove it.
  for (const StartMode mode : {StartMode::logon, StartMode::off, StartMode::demand}) {
    control.calls.clear();
    ASSERT_TRUE(service.set_start(mode));
    EXPECT_EQ(service.status()->mode, mode);
    EXPECT_EQ(control.index_of("remove asio-driver"), control.calls.size());
  }
}

TEST_F(installation, an_option_that_the_system_does_not_know_is_said_and_left_out) {
  for (std::size_t each = 1; each <= 4; ++each) control.unknown_options.insert(each);
  const auto said = service.install(StartMode::machine);
  ASSERT_TRUE(said) << text_of(said);
  EXPECT_NE(text_of(said).find("124"), std::string::npos);
  EXPECT_NE(text_of(said).find("privileges"), std::string::npos);
  EXPECT_NE(option<Description>(), nullptr);
  EXPECT_NE(option<AccessList>(), nullptr);
}

TEST_F(installation, users_are_told_that_an_administrator_is_needed_and_nothing_changes) {
  install(StartMode::demand);
  control.sign_in("a1");
  ASSERT_TRUE(service.start());
  control.elevated = false;
  const auto before = registered().configuration;
  for (const auto& refused : {service.install(StartMode::off), service.remove(), service.stop(),
                              service.restart(), service.set_start(StartMode::off)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::access_denied) << refused.error().message;
    EXPECT_NE(refused.error().message.find("administrator"), std::string::npos);
  }
  EXPECT_EQ(registered().configuration.start, before.start);
  EXPECT_EQ(control.services.at("asio-driver_a1").state.state, RunState::running);
  EXPECT_TRUE(service.status());  // looking is free
  EXPECT_TRUE(service.start());   // and so is starting
}

TEST_F(installation, a_fresh_install_by_a_user_is_refused_before_anything_is_made) {
  control.elevated = false;
  EXPECT_EQ(service.install(StartMode::demand).error().code, ErrorCode::access_denied);
  EXPECT_TRUE(control.services.empty());
  EXPECT_TRUE(control.event_sources.empty());
}

TEST_F(installation, a_template_is_never_started_and_the_next_step_is_said) {
  install(StartMode::demand);
  control.calls.clear();
  const auto said = service.start();
  ASSERT_FALSE(said);
  EXPECT_NE(said.error().message.find("Sign out and in"), std::string::npos);
  EXPECT_EQ(control.index_of("start asio-driver"), control.calls.size());
}

TEST_F(installation, start_and_stop_act_on_every_users_instance) {
  install(StartMode::demand);
  control.sign_in("a1");
  control.sign_in("b2");
  ASSERT_TRUE(service.start());
  EXPECT_EQ(running_parts().size(), 2U);
  for (const ServiceEntry& each : running_parts()) {
    EXPECT_EQ(each.state.state, RunState::running);
  }
  ASSERT_TRUE(service.start());  // again is fine
  ASSERT_TRUE(service.stop());
  for (const ServiceEntry& each : running_parts()) {
    EXPECT_EQ(each.state.state, RunState::stopped);
  }
  ASSERT_TRUE(service.stop());
}

TEST_F(installation, stop_returns_when_the_process_has_gone_and_watches_it_from_before) {
  install(StartMode::machine);
  ASSERT_TRUE(service.start());
  control.looks_until_stopped = 5;
  control.looks_until_gone = 7;
  control.calls.clear();
  const Instant before = clock.now();
  ASSERT_TRUE(service.stop());
  EXPECT_LT(control.index_of("watch"), control.index_of("stop asio-driver"));
  EXPECT_GE((clock.now() - before).count(), 10 * 50'000'000LL);  // 12 looks, 50 ms apart
}

TEST_F(installation, a_service_that_does_not_stop_is_given_up_after_a_bounded_time) {
  install(StartMode::machine);
  ASSERT_TRUE(service.start());
  control.looks_until_stopped = 1'000'000;
  const Instant before = clock.now();
  const auto said = service.stop();
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code, ErrorCode::timed_out);
  EXPECT_LE(clock.now() - before, std::chrono::seconds{31});
}

TEST_F(installation, off_stops_what_runs_and_start_then_says_how_to_switch_it_on) {
  install(StartMode::logon);
  control.sign_in("a1");
  ASSERT_TRUE(service.set_start(StartMode::off));
  EXPECT_EQ(control.services.at("asio-driver_a1").state.state, RunState::stopped);
  const auto said = service.start();
  ASSERT_FALSE(said);
  EXPECT_NE(said.error().message.find("set-start demand"), std::string::npos);
}

TEST_F(installation, to_machine_and_back_replaces_the_service_with_its_instances) {
  install(StartMode::demand);
  control.sign_in("a1");
  ASSERT_TRUE(service.set_start(StartMode::machine));
  EXPECT_EQ(registered().configuration.type, 0x10U);
  EXPECT_FALSE(is_there("asio-driver_a1"));
  ASSERT_TRUE(service.set_start(StartMode::demand));
  EXPECT_EQ(registered().configuration.type, 0x50U);
  EXPECT_EQ(control.event_sources.size(), 1U);
}

TEST_F(installation, without_a_service_every_command_says_what_to_do) {
  for (const auto& refused :
       {service.start(), service.stop(), service.restart(), service.set_start(StartMode::off)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::not_found);
    EXPECT_NE(refused.error().message.find("service install"), std::string::npos);
  }
  EXPECT_FALSE(service.status()->registered);
  EXPECT_TRUE(service.remove());  // what is not there is removed
}

TEST_F(installation, a_name_that_is_still_being_removed_is_waited_for) {
  install(StartMode::demand);
  auto window = control.open(service_name(), rights::kQueryStatus);  // the Services window
  ASSERT_TRUE(window);
  const auto said = service.remove();
  ASSERT_TRUE(said);
  EXPECT_NE(text_of(said).find("Services window"), std::string::npos);
  const auto refused = service.install(StartMode::demand);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::timed_out);
  window->reset();
  EXPECT_TRUE(service.install(StartMode::demand));
}

}  // namespace
}  // namespace asiodrv::service::manager
