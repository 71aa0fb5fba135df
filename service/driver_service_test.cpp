// The rules between clients, and what the service tells about itself.
#include "service/driver_service.hpp"

#include <gtest/gtest.h>

#include "service/testing/test_world.hpp"
#include "service/version.hpp"
#include "tests/support/text.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using test::contains;
using testing::TestWorld;
using wire::HostEventKind;
using wire::SessionRequest;

class driver_service : public ::testing::Test {
 protected:
  void SetUp() override { world.begin(); }

  Result<wire::SessionGrant> create(ipc::ServiceClient& client, std::uint32_t frames = 64) {
    return client.create_session({Frames{frames}, {0, 1}, {0}}, world.soon());
  }

  /// A connection on which a test says anything.
  std::unique_ptr<ipc::ControlClient> raw() {
    auto client =
        std::make_unique<ipc::ControlClient>(*world.clock, *world.threads, world.transport);
    EXPECT_TRUE(client->connect(world.soon()));
    return client;
  }

  TestWorld world;
};

TEST_F(driver_service, hello_describes_the_device_without_opening_it) {
  const auto client = world.make_client("host.exe");
  const auto description = client->connect(false, world.soon());
  ASSERT_TRUE(description) << description.error().message;
  EXPECT_EQ(description->service_version, kVersion);
  EXPECT_EQ(description->device_name, "Step device");
  EXPECT_EQ(description->input_names.size(), 4U);
  EXPECT_EQ(description->rate.hz, 8'000U);
  EXPECT_EQ(description->sizes().least.count, 32U);
  EXPECT_EQ(description->sizes().most.count, 8192U);
  EXPECT_EQ(description->sizes().preferred.count, 64U);
  EXPECT_FALSE(description->deferred);
  EXPECT_EQ(world.device->opens, 0);
}

TEST_F(driver_service, buffers_for_which_there_is_no_memory_leave_nothing_behind) {
  const auto poor = world.connected("poor.exe");
  const auto other = world.connected("other.exe");
  world.device->no_memory = true;
  EXPECT_EQ(create(*poor).error().code, ErrorCode::internal);
  const auto theirs = create(*other);
  ASSERT_TRUE(theirs) << theirs.error().message;
  const auto later = create(*poor);
  ASSERT_TRUE(later) << later.error().message;
  EXPECT_NE(later->session_id, theirs->session_id);
}

TEST_F(driver_service, who_left_when_there_was_no_memory_is_forgotten_as_soon_as_there_is_some) {
  constexpr ipc::ConnectionId kPoor = 1000;
  const auto call = [&](const char* method, const json& params) {
    return world.service->on_request(kPoor, method, params);
  };
  world.service->on_connect(kPoor, {});
  ASSERT_TRUE(call("hello", wire::to_json(wire::HelloRequest{1, "poor.exe", 1, 64})));
  ASSERT_TRUE(call("session.create", wire::to_json(SessionRequest{Frames{64}, {0}, {0}})));
  ASSERT_TRUE(call("session.start", json::object()));
  world.no_memory_to_log = true;  // that it left while it was streaming
  world.service->on_disconnect(kPoor);
  ASSERT_FALSE(world.no_memory_to_log);
  EXPECT_FALSE(world.service->idle_since().has_value());
  (void)world.service->chores();
  EXPECT_TRUE(world.service->idle_since().has_value());
  EXPECT_EQ(world.device->closes, 1);
  const auto later = create(*world.connected("later.exe"));
  EXPECT_TRUE(later) << later.error().message;
}

TEST_F(driver_service, a_start_for_which_there_is_no_memory_leaves_no_run_behind) {
  const auto client = world.connected("poor.exe");
  ASSERT_TRUE(create(*client));
  const auto runs = [this] { return world.ask("flight.sessions").value().at("sessions").size(); };
  world.no_memory_to_stream = true;
  ASSERT_FALSE(client->start_session(world.soon()));
  EXPECT_EQ(runs(), 0U);
  ASSERT_TRUE(client->start_session(world.soon()));
  EXPECT_EQ(runs(), 1U);
}

TEST_F(driver_service, session_calls_before_hello_are_refused) {
  const auto client = raw();
  for (const char* const method : {"session.create", "session.start", "session.stop",
                                   "session.dispose", "rate.set", "clock.select"}) {
    EXPECT_EQ(client->call(method, json::object(), world.soon()).error().code,
              ErrorCode::invalid_state);
  }
}

TEST_F(driver_service, second_hello_is_refused_and_the_first_stays) {
  const auto client = raw();
  const json hello = wire::to_json(wire::HelloRequest{1, "a.exe", 1, 64});
  ASSERT_TRUE(client->call("hello", hello, world.soon()));
  EXPECT_EQ(client->call("hello", hello, world.soon()).error().code, ErrorCode::invalid_state);
  EXPECT_TRUE(client->call("session.stop", json::object(), world.soon()));
}

TEST_F(driver_service, hello_of_another_version_is_refused_whatever_else_it_holds) {
  const auto refused = raw()->call("hello", {{"protocol", 2}, {"program", 7}}, world.soon());
  EXPECT_EQ(refused.error().code, ErrorCode::version_mismatch);
  EXPECT_TRUE(contains(refused.error().message, "version 2"));
}

TEST_F(driver_service, unknown_methods_and_malformed_params_are_refused) {
  const auto client = raw();
  EXPECT_EQ(client->call("dance", json::object(), world.soon()).error().code,
            ErrorCode::unsupported);
  EXPECT_EQ(client->call("hello", json::object(), world.soon()).error().code, ErrorCode::malformed);
  EXPECT_EQ(client->call("flight.xruns", {{"from", -1}}, world.soon()).error().code,
            ErrorCode::malformed);
  ASSERT_TRUE(client->call("hello", wire::to_json(wire::HelloRequest{}), world.soon()));
  EXPECT_EQ(client->call("rate.set", {{"hz", "x"}}, world.soon()).error().code,
            ErrorCode::malformed);
  EXPECT_EQ(client->call("clock.select", {{"index", 2}}, world.soon()).error().code,
            ErrorCode::invalid_argument);
  EXPECT_TRUE(client->call("clock.select", {{"index", 0}}, world.soon()));
}

TEST_F(driver_service, grant_reports_latencies_with_the_double_buffer) {
  const auto client = world.connected("host.exe");
  const auto grant = create(*client);
  ASSERT_TRUE(grant) << grant.error().message;
  EXPECT_EQ(grant->input_latency.count, 64U + 3U);
  EXPECT_EQ(grant->output_latency.count, 64U + 5U);
  EXPECT_FALSE(grant->deferred);
  EXPECT_EQ(grant->rate.hz, 8'000U);
}

TEST_F(driver_service, deferred_program_pays_one_more_buffer_of_output_latency) {
  const auto grant = create(*world.connected("LAZY.EXE"));
  ASSERT_TRUE(grant) << grant.error().message;
  EXPECT_TRUE(grant->deferred);
  EXPECT_EQ(grant->input_latency.count, 64U + 3U);
  EXPECT_EQ(grant->output_latency.count, 2 * 64U + 5U);
}

TEST_F(driver_service, buffer_sizes_and_channels_outside_the_offer_are_refused) {
  const auto client = world.connected("host.exe");
  EXPECT_EQ(create(*client, 16).error().code, ErrorCode::format_refused);
  const auto channels = client->create_session({Frames{64}, {4}, {}}, world.soon());
  EXPECT_EQ(channels.error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(contains(channels.error().message, "4 inputs"));
  EXPECT_TRUE(create(*client));
  EXPECT_EQ(create(*client).error().code, ErrorCode::invalid_state);
}

TEST_F(driver_service, calls_without_buffers) {
  const auto client = world.connected("host.exe");
  EXPECT_EQ(client->start_session(world.soon()).error().code, ErrorCode::invalid_state);
  EXPECT_TRUE(client->stop_session(world.soon()));
  EXPECT_TRUE(client->dispose_session(world.soon()));
}

TEST_F(driver_service, another_buffer_size_beside_a_program_is_adapted_and_costs_only_itself) {
  const auto first = world.connected("first.exe");
  const auto second = world.connected("second.exe");
  ASSERT_TRUE(create(*first, 128));
  const auto adapted = create(*second, 64);
  ASSERT_TRUE(adapted) << adapted.error().message;
  // Two blocks of 64 per period of 128: both wait for the whole period, each way.
  EXPECT_EQ(adapted->input_latency.count + adapted->output_latency.count, 2 * 128U + 3U + 5U);
  EXPECT_EQ(world.ask("status").value().at("device").at("period_frames"), 128);
}

TEST_F(driver_service, another_rate_beside_a_program_is_adapted_and_reported) {
  const auto first = world.connected("first.exe");
  const auto second = world.connected("second.exe");
  ASSERT_TRUE(create(*first, 64));
  ASSERT_TRUE(second->set_rate(SampleRate{48'000}, world.soon()));
  const auto adapted = create(*second, 64);
  ASSERT_TRUE(adapted) << adapted.error().message;
  EXPECT_EQ(adapted->rate.hz, 48'000U);
  EXPECT_EQ(world.ask("status").value().at("device").at("rate_hz"), 8'000);
  EXPECT_EQ(first->next_event(world.clock->now()).error().code, ErrorCode::timed_out);
}

TEST_F(driver_service, device_follows_whoever_starts_alone) {
  const auto first = world.connected("first.exe");
  const auto second = world.connected("second.exe");
  ASSERT_TRUE(create(*first, 128));
  ASSERT_TRUE(create(*second, 64));
  ASSERT_TRUE(first->dispose_session(world.soon()));
  ASSERT_TRUE(second->start_session(world.soon()));
  EXPECT_EQ(world.ask("status").value().at("device").at("period_frames"), 64);
  const auto event = second->next_event(world.soon());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, HostEventKind::latencies_changed);
  EXPECT_EQ(event->input_latency.count, 64U + 3U);
}

TEST_F(driver_service, device_moves_under_programs_that_keep_their_format) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(create(*client, 64));
  EXPECT_EQ(world.ask("device.set", {{"rate_hz", 44'100}}).error().code, ErrorCode::format_refused);
  EXPECT_EQ(world.ask("device.set", {{"frames", 100}}).error().code, ErrorCode::format_refused);
  const auto moved = world.ask("device.set", {{"rate_hz", 48'000}, {"frames", 32}});
  ASSERT_TRUE(moved) << moved.error().message;
  const auto event = client->next_event(world.soon());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, HostEventKind::latencies_changed);
  const json status = world.ask("status").value();
  EXPECT_EQ(status.at("device").at("rate_hz"), 48'000);
  EXPECT_EQ(status.at("device").at("period_frames"), 32);
}

TEST_F(driver_service, a_closed_device_keeps_the_rate_that_is_set_and_claims_no_period) {
  const auto kept = world.ask("device.set", {{"rate_hz", 48'000}, {"frames", 32}});
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->at("rate_hz"), 48'000);
  EXPECT_EQ(kept->at("frames"), world.config.config.preferred_frames.count);
}

TEST_F(driver_service, another_buffer_size_is_refused_with_name_and_size_where_policy_says_so) {
  world.next_config = world.config;
  world.next_config.config.formats = Formats::refuse;
  ASSERT_TRUE(world.ask("config.reload"));
  const auto first = world.connected("first.exe");
  const auto second = world.connected("second.exe");
  ASSERT_TRUE(create(*first, 128));
  const auto refused = create(*second, 64);
  EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
  EXPECT_TRUE(contains(refused.error().message, "first.exe"));
  EXPECT_TRUE(contains(refused.error().message, "128"));
  EXPECT_TRUE(create(*second, 128));
}

TEST_F(driver_service, device_follows_a_program_that_is_alone) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(create(*client, 128));
  ASSERT_TRUE(client->dispose_session(world.soon()));
  ASSERT_TRUE(create(*client, 256));
  EXPECT_EQ(world.ask("status").value().at("device").at("period_frames"), 256);
}

TEST_F(driver_service, disconnect_frees_what_the_client_had) {
  const auto first = world.connected("first.exe");
  ASSERT_TRUE(create(*first, 128));
  first->disconnect();
  const auto second = world.connected("second.exe");
  Result<wire::SessionGrant> grant = create(*second, 64);
  // The disconnect may still be on its way to the service.
  while (!grant && grant.error().code == ErrorCode::format_refused) grant = create(*second, 64);
  EXPECT_TRUE(grant);
}

TEST_F(driver_service, rate_change_is_told_to_everyone_but_the_client_that_asked) {
  const auto asker = world.connected("asker.exe");
  const auto looking = world.connected("looking.exe");
  const auto probing = world.connected("probing.exe");
  ASSERT_TRUE(create(*asker));
  ASSERT_TRUE(asker->set_rate(SampleRate{48'000}, world.soon()));
  for (const auto& other : {looking.get(), probing.get()}) {
    const auto event = other->next_event(world.soon());
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, HostEventKind::rate_changed);
    EXPECT_EQ(event->rate.hz, 48'000U);
  }
  ASSERT_TRUE(asker->stop_session(world.soon()));  // whatever was sent to it has arrived now
  EXPECT_EQ(asker->next_event(world.clock->now()).error().code, ErrorCode::timed_out);
}

TEST_F(driver_service, unchanged_rate_disturbs_nobody) {
  const auto asker = world.connected("asker.exe");
  ASSERT_TRUE(create(*asker));
  ASSERT_TRUE(asker->set_rate(SampleRate{8'000}, world.soon()));
  EXPECT_EQ(world.device->opens, 1);
}

TEST_F(driver_service, rate_that_is_not_on_offer_is_refused_with_the_list) {
  const auto refused = world.connected("a.exe")->set_rate(SampleRate{44'000}, world.soon());
  EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
  EXPECT_TRUE(contains(refused.error().message, "8000, 44100, 48000"));
}

TEST_F(driver_service, rate_is_not_changed_beside_another_program_where_policy_says_so) {
  world.next_config = world.config;
  world.next_config.config.formats = Formats::refuse;
  ASSERT_TRUE(world.ask("config.reload"));
  const auto streaming = world.connected("streaming.exe");
  const auto other = world.connected("other.exe");
  ASSERT_TRUE(create(*streaming));
  ASSERT_TRUE(streaming->start_session(world.soon()));
  const auto refused = other->set_rate(SampleRate{48'000}, world.soon());
  EXPECT_EQ(refused.error().code, ErrorCode::format_refused);
  EXPECT_TRUE(contains(refused.error().message, "streaming.exe"));
}

TEST_F(driver_service, rate_without_buffers_holds_for_the_next_program) {
  const auto first = world.connected("first.exe");
  ASSERT_TRUE(first->set_rate(SampleRate{48'000}, world.soon()));
  first->disconnect();
  EXPECT_EQ(create(*world.connected("second.exe"))->rate.hz, 48'000U);
}

TEST_F(driver_service, busy_device_is_an_error_of_the_program_that_asked) {
  const auto client = world.connected("host.exe");
  world.device->refuse_open = true;
  EXPECT_EQ(create(*client).error().code, ErrorCode::device_busy);
  world.device->refuse_open = false;
  EXPECT_TRUE(create(*client));
}

TEST_F(driver_service, a_program_plays_on_when_a_device_that_refused_every_rate_opens_again) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(create(*client));
  ASSERT_TRUE(client->start_session(world.soon()));
  const auto running = [this] {
    return world.ask("status").value().at("device").at("running").get<bool>();
  };
  ASSERT_TRUE(running());
  world.device->refuse_open = true;  // taken between the close at one rate and the open at another
  EXPECT_EQ(client->set_rate(SampleRate{48'000}, world.soon()).error().code,
            ErrorCode::device_busy);
  EXPECT_FALSE(running());
  world.device->refuse_open = false;
  world.do_chores();
  EXPECT_TRUE(running()) << world.log_text();
  const json status = world.ask("status").value();
  EXPECT_EQ(status.at("device").at("rate_hz"), status.at("clients").at(0).at("rate_hz"));
}

TEST_F(driver_service, a_rate_for_which_there_is_no_memory_leaves_the_old_one_playing) {
  const auto client = world.connected("host.exe");
  ASSERT_TRUE(create(*client));
  ASSERT_TRUE(client->start_session(world.soon()));
  world.device->no_memory = true;
  EXPECT_EQ(client->set_rate(SampleRate{48'000}, world.soon()).error().code,
            ErrorCode::out_of_memory);
  const json status = world.ask("status").value();
  EXPECT_TRUE(status.at("device").at("running"));
  EXPECT_EQ(status.at("device").at("rate_hz"), 8'000);
  EXPECT_EQ(status.at("clients").at(0).at("rate_hz"), 8'000);
  EXPECT_TRUE(client->set_rate(SampleRate{48'000}, world.soon()));
}

TEST_F(driver_service, a_program_whose_buffers_do_not_fit_a_moved_device_is_asked_for_others) {
  const auto lazy = world.connected("lazy.exe");  // defers: it needs a whole period
  ASSERT_TRUE(create(*lazy));
  ASSERT_TRUE(lazy->start_session(world.soon()));
  ASSERT_TRUE(world.ask("device.set", {{"frames", 128}}));
  const auto event = lazy->next_event(world.soon());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, HostEventKind::reset_request);
}

TEST_F(driver_service, status_shows_the_systems_word_on_the_process) {
  world.transport.set_client_identity({1234, true, ""});
  const auto client = world.connected("host\x1b[31m.exe");
  ASSERT_TRUE(create(*client));
  const json status = world.ask("status").value();
  EXPECT_EQ(status.at("service").at("process_id"), 4711);
  EXPECT_EQ(status.at("device").at("open"), true);
  const json& shown = status.at("clients").at(0);
  EXPECT_EQ(shown.at("process_id"), 1234);
  EXPECT_EQ(shown.at("program"), "host?[31m.exe");
  EXPECT_EQ(shown.at("sample_type"), "float32");
  EXPECT_EQ(shown.at("running"), false);
}

TEST_F(driver_service, device_list_and_configuration_are_told) {
  const json devices = world.ask("devices.list").value().at("devices");
  EXPECT_EQ(devices.at(0).at("inputs"), 4);
  const json config = world.ask("config.get").value();
  EXPECT_EQ(config.at("path"), "/etc/test.toml");
  EXPECT_EQ(config.at("values").at("driver").at("max_frames"), 8192);
  EXPECT_EQ(config.at("error"), nullptr);
}

TEST_F(driver_service, wrong_file_at_reload_leaves_the_configuration_in_force) {
  world.next_config.error = "/etc/test.toml:3: no.";
  const auto refused = world.ask("config.reload");
  EXPECT_EQ(refused.error().code, ErrorCode::malformed);
  const json config = world.ask("config.get").value();
  EXPECT_EQ(config.at("values").at("driver").at("max_frames"), 8192);
  EXPECT_EQ(config.at("error"), "/etc/test.toml:3: no.");
}

TEST_F(driver_service, drivers_keep_it_busy_and_those_who_only_ask_do_not) {
  const auto idle = [this] {
    std::optional<Instant> since;
    world.server->run_serialised([&] { since = world.service->idle_since(); });
    return since;
  };
  const auto asking = raw();
  ASSERT_TRUE(asking->call("status", json::object(), world.soon()));
  const auto before = idle();
  EXPECT_TRUE(before);
  const auto client = world.connected("host.exe");
  EXPECT_FALSE(idle());
  client->disconnect();
  ASSERT_TRUE(world.idle->wait(world.soon()));
  ASSERT_TRUE(idle());
  EXPECT_GE(*idle(), *before);
}

TEST_F(driver_service, shutdown_asks_the_program_to_leave) {
  EXPECT_TRUE(world.ask("shutdown"));
  EXPECT_EQ(world.leaves, 1);
}

TEST_F(driver_service, sixty_four_programs_at_once_and_their_history) {
  std::vector<std::unique_ptr<ipc::ServiceClient>> clients;
  for (int i = 0; i < 63; ++i) {
    clients.push_back(world.connected("host" + std::to_string(i)));
    ASSERT_TRUE(create(*clients.back()));
    ASSERT_TRUE(clients.back()->start_session(world.soon()));
    ASSERT_TRUE(clients.back()->stop_session(world.soon()));
  }
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(clients.back()->start_session(world.soon()));
    ASSERT_TRUE(clients.back()->stop_session(world.soon()));
  }
  const json runs = world.ask("flight.sessions").value().at("sessions");
  EXPECT_EQ(runs.size(), SessionHistory::kKept);
  EXPECT_EQ(runs.back().at("program"), "host62");
  EXPECT_EQ(runs.back().at("ended"), true);
}

}  // namespace
}  // namespace asiodrv::service
