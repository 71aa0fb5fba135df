#include "ipc/client/service_client.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "ipc/client/control_client.hpp"
#include "ipc/memory_transport.hpp"
#include "ipc/server/control_server.hpp"
#include "ipc/test_ports.hpp"

namespace asiodrv::ipc {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

wire::DriverDescription description() {
  wire::DriverDescription value;
  value.device_name = "Fake";
  value.rates = {SampleRate{48'000}};
  value.rate = SampleRate{48'000};
  value.buffer_sizes = {{{64}, {64}, {64}, {}}};
  value.clock_sources = {{"Internal", true}};
  return value;
}

/// A service that answers as a test tells it to.
class ScriptedService final : public ControlHandler {
 public:
  void on_connect(ConnectionId connection, const ports::PeerIdentity&) override {
    last = connection;
  }
  Result<json> on_request(ConnectionId, const std::string& method, const json& params) override {
    last_method = method;
    last_params = params;
    if (method == "hello") return hello;
    return answer;
  }
  void on_disconnect(ConnectionId) override {}

  Result<json> hello = wire::to_json(description());
  Result<json> answer = json::object();
  std::string last_method;
  json last_params;
  std::atomic<ConnectionId> last{0};
};

class service_client : public ::testing::Test {
 protected:
  Result<> start_server() {
    server = std::make_unique<ControlServer>(*ports.clock, *ports.threads, service);
    return server->start(transport.listen().value());
  }
  std::unique_ptr<ServiceClient> make_client() {
    return std::make_unique<ServiceClient>(*ports.clock, *ports.threads, transport,
                                           ServiceClientOptions{"host.exe", 42, 64,
                                                                [this](Need need) -> Result<> {
                                                                  needs.push_back(need);
                                                                  ++starts;
                                                                  return on_start();
                                                                },
                                                                [this] { ++reached; }});
  }

  TestPorts ports;
  MemoryTransport transport{*ports.clock, *ports.threads};
  ScriptedService service;
  std::unique_ptr<ControlServer> server;
  std::function<Result<>()> on_start = [this] { return start_server(); };
  int starts = 0;
  int reached = 0;
  std::vector<Need> needs;
};

TEST_F(service_client, says_hello_and_returns_the_description) {
  ASSERT_TRUE(start_server());
  const auto client = make_client();
  const auto connected = client->connect(false, ports.soon());
  ASSERT_TRUE(connected) << connected.error().message;
  EXPECT_EQ(connected->device_name, "Fake");
  EXPECT_EQ(service.last_params.at("program"), "host.exe");
  EXPECT_EQ(service.last_params.at("process_id"), 42);
  EXPECT_EQ(starts, 0);
}

TEST_F(service_client, starts_an_absent_service_and_connects_to_it) {
  const auto client = make_client();
  EXPECT_TRUE(client->connect(true, ports.soon()));
  EXPECT_EQ(starts, 1);
}

TEST_F(service_client, a_disconnect_before_a_prepared_connect_breaks_that_one_off) {
  const auto client = make_client();
  client->prepare_connect();
  client->disconnect();
  const auto refused = client->connect(true, ports.soon());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::disconnected);
  EXPECT_EQ(starts, 0);
  EXPECT_TRUE(client->connect(true, ports.soon()));
  client->disconnect();
  client->prepare_connect();
  EXPECT_TRUE(client->connect(true, ports.soon()));
}

TEST_F(service_client, starts_nothing_unless_it_may) {
  const auto client = make_client();
  const auto refused = client->connect(false, ports.soon());
  EXPECT_EQ(refused.error().code, ErrorCode::service_absent);
  EXPECT_EQ(starts, 0);
}

TEST_F(service_client, says_why_a_service_could_not_be_started) {
  on_start = [] { return fail(ErrorCode::not_found, "There is no program."); };
  const auto refused = make_client()->connect(true, ports.soon());
  EXPECT_EQ(refused.error().code, ErrorCode::service_absent);
  EXPECT_NE(refused.error().message.find("There is no program."), std::string::npos);
  EXPECT_EQ(starts, 1);
}

TEST_F(service_client, a_service_that_must_not_be_started_is_told_in_its_own_words) {
  for (const ErrorCode code : {ErrorCode::service_absent, ErrorCode::access_denied}) {
    on_start = [code] { return fail(code, "It must not."); };
    const auto refused = make_client()->connect(true, ports.soon());
    EXPECT_EQ(refused.error().code, code);
    EXPECT_EQ(refused.error().message, "It must not.");
    EXPECT_EQ(reached, 0);
  }
}

/// What a host shows ends after 123 characters.
TEST_F(service_client, the_cause_of_a_failed_start_fits_a_hosts_message_field) {
  const std::string cause = "asio-driver.exe could not be started: system error 1260.";
  on_start = [&] { return fail(ErrorCode::internal, cause); };
  const auto refused = make_client()->connect(true, ports.soon());
  EXPECT_TRUE(refused.error().message.ends_with(cause));
  EXPECT_LE(refused.error().message.size(), 123u);
}

TEST_F(service_client, after_the_systems_service_has_gone_the_need_is_another) {
  for (const bool managed : {false, true}) {
    auto answer = description();
    answer.managed = managed;
    service.hello = wire::to_json(answer);
    ASSERT_TRUE(start_server());
    const auto client = make_client();
    reached = 0;
    ASSERT_TRUE(client->connect(true, ports.soon()));
    EXPECT_EQ(reached, 1);
    server->stop(ports.soon());
    server.reset();
    needs.clear();
    ASSERT_TRUE(client->connect(true, ports.soon()));
    EXPECT_EQ(needs, std::vector{managed ? Need::again : Need::fresh});
    server->stop(ports.soon());
    server.reset();
  }
}

TEST_F(service_client, service_that_does_not_come_up_is_given_up_at_the_deadline) {
  on_start = [] { return Result<>{}; };
  const auto refused = make_client()->connect(true, ports.clock->now() + milliseconds{50});
  EXPECT_EQ(refused.error().code, ErrorCode::service_absent);
}

TEST_F(service_client, disconnect_ends_a_connect_that_waits_for_the_service) {
  const auto client = make_client();
  std::unique_ptr<ports::Thread> helper;
  on_start = [&]() -> Result<> {
    helper =
        *ports.threads->start("helper", ports::ThreadRole::control, [&] { client->disconnect(); });
    return {};
  };
  EXPECT_EQ(client->connect(true, ports.soon()).error().code, ErrorCode::disconnected);
  EXPECT_TRUE(helper->join(ports.soon()));
}

TEST_F(service_client, service_that_hangs_up_on_hello_while_leaving_is_replaced) {
  auto leaving = transport.listen().value();
  const auto helper = ports.threads->start("leaving", ports::ThreadRole::control, [&] {
    auto connection = leaving->accept(ports.soon());
    leaving.reset();
  });
  EXPECT_TRUE(make_client()->connect(true, ports.soon()));
  EXPECT_EQ(starts, 1);
  EXPECT_TRUE((*helper)->join(ports.soon()));
}

TEST_F(service_client, refusal_of_the_service_arrives_with_its_sentence) {
  ASSERT_TRUE(start_server());
  service.hello = fail(ErrorCode::version_mismatch, "Update the driver.");
  const auto refused = make_client()->connect(true, ports.soon());
  EXPECT_EQ(refused.error().code, ErrorCode::version_mismatch);
  EXPECT_EQ(refused.error().message, "Update the driver.");
}

TEST_F(service_client, description_of_another_version_or_malformed_is_refused) {
  ASSERT_TRUE(start_server());
  auto other = description();
  other.protocol = wire::kProtocolVersion + 1;
  service.hello = wire::to_json(other);
  EXPECT_EQ(make_client()->connect(true, ports.soon()).error().code, ErrorCode::version_mismatch);
  service.hello = json{{"protocol", 1}};
  EXPECT_EQ(make_client()->connect(true, ports.soon()).error().code, ErrorCode::malformed);
}

TEST_F(service_client, every_call_reaches_its_method) {
  ASSERT_TRUE(start_server());
  const auto client = make_client();
  ASSERT_TRUE(client->connect(false, ports.soon()));
  EXPECT_TRUE(client->start_session(ports.soon()));
  EXPECT_EQ(service.last_method, "session.start");
  EXPECT_TRUE(client->stop_session(ports.soon()));
  EXPECT_EQ(service.last_method, "session.stop");
  EXPECT_TRUE(client->dispose_session(ports.soon()));
  EXPECT_EQ(service.last_method, "session.dispose");
  EXPECT_TRUE(client->set_rate(SampleRate{96'000}, ports.soon()));
  EXPECT_EQ(service.last_params.at("hz"), 96'000);
  EXPECT_TRUE(client->select_clock(0, ports.soon()));
  EXPECT_EQ(service.last_params.at("index"), 0);
  service.answer = wire::to_json(
      wire::SessionGrant{3, "token", 4096, SampleRate{48'000}, Frames{64}, Frames{64}, false});
  const auto grant = client->create_session({Frames{64}, {0}, {1}}, ports.soon());
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->session_id, 3U);
}

TEST_F(service_client, malformed_grant_closes_the_link) {
  ASSERT_TRUE(start_server());
  const auto client = make_client();
  ASSERT_TRUE(client->connect(false, ports.soon()));
  EXPECT_EQ(client->create_session({Frames{64}, {0}, {}}, ports.soon()).error().code,
            ErrorCode::malformed);
  EXPECT_EQ(client->start_session(ports.soon()).error().code, ErrorCode::disconnected);
}

TEST_F(service_client, calls_before_connect_are_disconnected) {
  const auto client = make_client();
  EXPECT_EQ(client->start_session(ports.soon()).error().code, ErrorCode::disconnected);
  EXPECT_EQ(client->next_event(ports.soon()).error().code, ErrorCode::disconnected);
}

TEST_F(service_client, events_arrive_and_unknown_ones_are_ignored) {
  ASSERT_TRUE(start_server());
  const auto client = make_client();
  ASSERT_TRUE(client->connect(false, ports.soon()));
  server->notify(service.last, "later", json::object());
  server->notify(service.last, "event", {{"kind", "unknown"}});
  server->notify(service.last, "event", {{"kind", "rate_changed"}, {"rate_hz", 44'100}});
  const auto event = client->next_event(ports.soon());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, wire::HostEventKind::rate_changed);
  EXPECT_EQ(event->rate.hz, 44'100U);
}

TEST_F(service_client, lost_service_ends_calls_and_events_and_connect_works_anew) {
  ASSERT_TRUE(start_server());
  const auto client = make_client();
  ASSERT_TRUE(client->connect(false, ports.soon()));
  server.reset();
  EXPECT_EQ(client->next_event(ports.soon()).error().code, ErrorCode::disconnected);
  EXPECT_EQ(client->start_session(ports.soon()).error().code, ErrorCode::disconnected);
  ASSERT_TRUE(start_server());
  EXPECT_TRUE(client->connect(false, ports.soon()));
  EXPECT_TRUE(client->start_session(ports.soon()));
}

/// A server that accepts and then says what it is told, or nothing.
class service_client_alone : public service_client {
 protected:
  void SetUp() override { listener = transport.listen().value(); }
  std::unique_ptr<ports::Listener> listener;
};

TEST_F(service_client_alone, silent_service_times_out_and_late_answers_are_dropped) {
  const auto client = make_client();
  const auto refused = client->connect(true, ports.clock->now() + milliseconds{30});
  EXPECT_EQ(refused.error().code, ErrorCode::timed_out);
}

TEST_F(service_client_alone, disconnect_unblocks_a_call_and_an_event_wait) {
  const auto client = make_client();
  const auto caller = ports.threads->start("caller", ports::ThreadRole::control, [&] {
    EXPECT_EQ(client->connect(true, ports.soon()).error().code, ErrorCode::disconnected);
  });
  const auto served = listener->accept(ports.soon());  // the call is under way or about to be
  std::array<std::byte, 16> piece;
  ASSERT_TRUE((*served)->receive(piece, ports.soon()));
  const auto waiter = ports.threads->start("waiter", ports::ThreadRole::control, [&] {
    EXPECT_EQ(client->next_event(ports.soon()).error().code, ErrorCode::disconnected);
  });
  client->disconnect();
  EXPECT_TRUE((*caller)->join(ports.soon()));
  EXPECT_TRUE((*waiter)->join(ports.soon()));
}

TEST_F(service_client_alone, service_that_speaks_nonsense_is_malformed) {
  for (const std::string_view nonsense :
       {std::string_view("\xFF\xFF\xFF\xFF", 4), std::string_view("\x01\0\0\0x", 5)}) {
    const auto client = make_client();
    const auto caller = ports.threads->start("caller", ports::ThreadRole::control, [&] {
      EXPECT_EQ(client->connect(true, ports.soon()).error().code, ErrorCode::malformed);
    });
    const auto served = listener->accept(ports.soon()).value();
    ASSERT_TRUE(served->send(std::as_bytes(std::span(nonsense)), ports.soon()));
    EXPECT_TRUE((*caller)->join(ports.soon()));
  }
}

TEST_F(service_client, control_client_calls_any_method) {
  ASSERT_TRUE(start_server());
  ControlClient client(*ports.clock, *ports.threads, transport);
  EXPECT_EQ(client.call("status", json::object(), ports.soon()).error().code,
            ErrorCode::disconnected);
  ASSERT_TRUE(client.connect(ports.soon()));
  service.answer = json{{"fine", true}};
  EXPECT_EQ(client.call("status", json::object(), ports.soon()).value().at("fine"), true);
  service.answer = fail(ErrorCode::unsupported, "Unknown.");
  EXPECT_EQ(client.call("x", json::object(), ports.soon()).error().code, ErrorCode::unsupported);
}

TEST_F(service_client, control_client_does_not_start_a_service) {
  ControlClient client(*ports.clock, *ports.threads, transport);
  EXPECT_EQ(client.connect(ports.soon()).error().code, ErrorCode::service_absent);
}

}  // namespace
}  // namespace asiodrv::ipc
