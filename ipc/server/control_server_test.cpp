#include "ipc/server/control_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <set>

#include "ipc/memory_transport.hpp"
#include "ipc/test_ports.hpp"

namespace asiodrv::ipc {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::Response;

/// Answers "echo" with its params, "fail" with a refusal, "throw" with an exception.
class EchoHandler final : public ControlHandler {
 public:
  explicit EchoHandler(ports::Threads& threads) : left(threads.make_signal()) {}

  void on_connect(ConnectionId connection, const ports::PeerIdentity&) override {
    entered();
    ++connects;
    last = connection;
    leave();
    if (no_memory.exchange(false)) throw std::bad_alloc();
  }
  Result<json> on_request(ConnectionId, const std::string& method, const json& params) override {
    entered();
    Result<json> result = params;
    if (method == "fail") result = fail(ErrorCode::device_busy, "It is taken.");
    if (method == "throw") leave(), throw std::bad_alloc();
    if (method == "huge") result = json{{"text", std::string(wire::kMaxMessageBytes, 'x')}};
    if (method == "block") result = json{{"text", std::string(100'000, 'x')}};
    leave();
    return result;
  }
  void on_disconnect(ConnectionId connection) override {
    entered();
    gone.insert(connection);
    ++disconnects;
    leave();
    left->signal();
  }

  std::unique_ptr<ports::Signal> left;
  std::atomic<int> connects{0}, disconnects{0}, overlaps{0};
  std::atomic<ConnectionId> last{0};
  std::atomic<bool> no_memory{false};  // for the next one who connects
  std::set<ConnectionId> gone;

 private:
  void entered() { overlaps += inside_.exchange(true) ? 1 : 0; }
  void leave() { inside_ = false; }
  std::atomic<bool> inside_{false};
};

class control_server : public ::testing::Test {
 protected:
  void serve(ControlServerOptions options = {}) {
    server = std::make_unique<ControlServer>(*ports.clock, *ports.threads, handler, options);
    ASSERT_TRUE(server->start(transport.listen().value()));
  }
  /// Patience that a test never has to use up.
  static ControlServerOptions patient() {
    ControlServerOptions options;
    options.first_message = options.whole_message = options.send = hours{1};
    return options;
  }
  void expect_alive() {
    RawClient client(ports, transport);
    client.call(1, "echo");
    EXPECT_TRUE(client.receive());
  }
  void wait_for_disconnects(int count) {
    while (handler.disconnects < count) ASSERT_TRUE(handler.left->wait(ports.soon()));
  }

  TestPorts ports;
  MemoryTransport transport{*ports.clock, *ports.threads};
  EchoHandler handler{*ports.threads};
  std::unique_ptr<ControlServer> server;
};

TEST_F(control_server, answers_results_and_refusals_under_the_request_id) {
  serve(patient());
  RawClient client(ports, transport);
  client.send(wire::request_text(5, "echo", {{"a", 1}}));
  const auto echoed = std::get<Response>(*client.receive());
  EXPECT_EQ(echoed.id, 5);
  EXPECT_EQ(echoed.outcome.value().at("a"), 1);
  client.call(6, "fail");
  const auto failed = std::get<Response>(*client.receive());
  EXPECT_EQ(failed.id, 6);
  EXPECT_EQ(failed.outcome.error().code, ErrorCode::device_busy);
  EXPECT_EQ(failed.outcome.error().message, "It is taken.");
}

TEST_F(control_server, exception_of_a_handler_fails_that_request_only) {
  serve(patient());
  RawClient client(ports, transport);
  client.call(1, "throw");
  EXPECT_EQ(client.refused(), ErrorCode::internal);
  client.call(2, "echo");
  EXPECT_TRUE(client.receive());
}

TEST_F(control_server, who_comes_when_there_is_no_memory_is_hung_up_on_alone) {
  serve(patient());
  handler.no_memory = true;
  const RawClient poor(ports, transport);
  wait_for_disconnects(1);
  expect_alive();
}

TEST_F(control_server, a_door_that_found_no_memory_opens_again) {
  ControlServerOptions options = patient();
  options.max_connections = 1;
  const auto no_memory = std::make_shared<std::atomic<bool>>(true);
  options.log = [no_memory](const std::string&) {
    if (no_memory->exchange(false)) throw std::bad_alloc();
  };
  serve(options);
  {
    RawClient first(ports, transport);
    first.call(1, "echo");
    EXPECT_TRUE(first.receive());
    RawClient one_too_many(ports, transport);
    EXPECT_FALSE(one_too_many.receive());
  }
  wait_for_disconnects(1);
  expect_alive();
  EXPECT_FALSE(*no_memory);
}

TEST_F(control_server, several_requests_in_one_piece_are_answered_in_order) {
  serve(patient());
  RawClient client(ports, transport);
  std::string stream;
  for (int i = 0; i < 50; ++i) {
    const auto frame = wire::encode_frame(wire::request_text(i, "echo", json::object())).value();
    stream.append(reinterpret_cast<const char*>(frame.data()), frame.size());
  }
  client.send_bytes(stream);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(std::get<Response>(*client.receive()).id, i);
}

TEST_F(control_server, client_of_another_user_is_hung_up_on_unread) {
  serve(patient());
  transport.set_client_identity({9, false, ""});
  RawClient client(ports, transport);
  client.call(1, "echo");
  EXPECT_FALSE(client.receive());
  EXPECT_EQ(handler.connects, 0);
}

TEST_F(control_server, clients_of_another_user_are_logged_one_line_at_a_time) {
  ports::Mutex mutex;
  std::vector<std::string> lines, foreign;
  ControlServerOptions options = patient();
  options.log = [&](const std::string& line) {
    const ports::MutexLock lock(mutex);
    lines.push_back(line);
  };
  options.log_foreign = [&](const std::string& line) {
    const ports::MutexLock lock(mutex);
    foreign.push_back(line);
  };
  options.foreign_pause = std::chrono::hours{1};
  serve(options);
  transport.set_client_identity({9, false, "C:\\nosy.exe"});
  for (int i = 0; i < 5; ++i) {
    RawClient client(ports, transport);
    EXPECT_FALSE(client.receive());  // hung up on: it was judged by now
  }
  const ports::MutexLock lock(mutex);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(foreign, lines);
  EXPECT_NE(lines[0].find("Process 9 (C:\\nosy.exe)"), std::string::npos) << lines[0];
}

TEST_F(control_server, the_next_line_about_another_users_clients_counts_those_between) {
  ports::Mutex mutex;
  std::vector<std::string> foreign;
  ControlServerOptions options = patient();
  options.log_foreign = [&](const std::string& line) {
    const ports::MutexLock lock(mutex);
    foreign.push_back(line);
  };
  options.foreign_pause = std::chrono::milliseconds{300};
  serve(options);
  transport.set_client_identity({9, false, ""});
  const auto lines = [&] {
    const ports::MutexLock lock(mutex);
    return foreign.size();
  };
  std::uint64_t tries = 0;
  while (lines() < 2) {  // bounded by the test's time limit
    RawClient client(ports, transport);
    EXPECT_FALSE(client.receive());
    ++tries;
  }
  const ports::MutexLock lock(mutex);
  EXPECT_NE(foreign[1].find(std::to_string(tries - 2) + " more"), std::string::npos) << foreign[1];
}

TEST_F(control_server, malformed_messages_are_refused_and_the_conversation_goes_on) {
  serve(patient());
  RawClient client(ports, transport);
  for (const char* const text :
       {"x", "{}", "[1]", "{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"a\"}", "\xFF\xFF\xFF\xFF",
        "{\"jsonrpc\":\"2.0\",\"id\":1,"}) {
    client.send(text);
    EXPECT_EQ(client.refused(), ErrorCode::malformed) << text;
  }
  client.send(std::string(100'000, '['));
  EXPECT_EQ(client.refused(), ErrorCode::malformed);
  client.call(1, "echo");
  EXPECT_TRUE(client.receive());
}

TEST_F(control_server, oversize_and_empty_lengths_are_refused_and_hung_up_on) {
  serve(patient());
  for (const std::string_view header :
       {std::string_view("\xFF\xFF\xFF\xFF", 4), std::string_view("\0\0\0\0", 4),
        std::string_view("\x01\x00\x04\x00", 4)}) {
    RawClient client(ports, transport);
    client.send_bytes(header);
    EXPECT_EQ(client.refused(), ErrorCode::malformed);
    EXPECT_FALSE(client.receive());
  }
  wait_for_disconnects(3);
}

TEST_F(control_server, binary_junk_never_stops_the_server) {
  serve(patient());
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    std::mt19937 random(seed);
    RawClient client(ports, transport);
    std::string junk(1 + random() % 2000, '\0');
    for (char& c : junk) c = static_cast<char>(random());
    if (seed % 2 == 0) junk[2] = junk[3] = 0;  // a length that is believed
    client.send_bytes(junk);
    client.stream().shutdown();
  }
  wait_for_disconnects(100);
  expect_alive();
}

TEST_F(control_server, silent_client_is_told_and_dropped) {
  auto options = patient();
  options.first_message = milliseconds{30};
  serve(options);
  RawClient client(ports, transport);
  EXPECT_EQ(client.refused(), ErrorCode::timed_out);
  EXPECT_FALSE(client.receive());
}

TEST_F(control_server, client_that_trickles_its_first_message_is_dropped) {
  auto options = patient();
  options.first_message = milliseconds{30};
  serve(options);
  RawClient client(ports, transport);
  client.send_bytes({"\x40\0\0\0{\"json", 10});
  EXPECT_EQ(client.refused(), ErrorCode::timed_out);
  EXPECT_FALSE(client.receive());
}

TEST_F(control_server, half_written_later_message_is_dropped_and_an_idle_client_is_not) {
  auto options = patient();
  options.first_message = hours{1};
  options.whole_message = milliseconds{30};
  serve(options);
  RawClient idle(ports, transport), half(ports, transport);
  idle.call(1, "echo");
  EXPECT_TRUE(idle.receive());
  half.call(1, "echo");
  EXPECT_TRUE(half.receive());
  half.send_bytes({"\x40\0", 2});
  EXPECT_EQ(half.refused(), ErrorCode::timed_out);
  EXPECT_FALSE(half.receive());
  idle.call(2, "echo");
  EXPECT_TRUE(idle.receive());
}

TEST_F(control_server, client_that_does_not_read_is_hung_up_on_and_others_are_served) {
  auto options = patient();
  options.send = milliseconds{30};
  serve(options);
  RawClient deaf(ports, transport);
  for (int i = 0; i < 4; ++i) deaf.call(i, "block");
  wait_for_disconnects(1);
  expect_alive();
}

TEST_F(control_server, answer_over_the_limit_ends_that_connection_only) {
  serve(patient());
  RawClient client(ports, transport);
  client.call(1, "huge");
  EXPECT_FALSE(client.receive());
  expect_alive();
}

TEST_F(control_server, client_over_the_limit_hears_busy_and_a_place_becomes_free_again) {
  auto options = patient();
  options.max_connections = 3;
  serve(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(ports, transport));
    clients.back()->call(1, "echo");
    ASSERT_TRUE(clients.back()->receive());
  }
  RawClient fourth(ports, transport);
  EXPECT_EQ(fourth.refused(), ErrorCode::limit_reached);
  EXPECT_EQ(server->connections(), 3U);
  clients.clear();
  wait_for_disconnects(3);
  expect_alive();
}

TEST_F(control_server, two_hundred_parallel_clients_are_each_served_or_told_busy) {
  serve(patient());
  std::atomic<int> served{0}, busy{0}, other{0};
  std::vector<std::unique_ptr<ports::Thread>> threads;
  for (int i = 0; i < 200; ++i) {
    threads.push_back(*ports.threads->start("client", ports::ThreadRole::control, [&] {
      RawClient client(ports, transport);
      client.call(1, "echo");
      const auto message = client.receive();
      const auto* response = message ? std::get_if<Response>(&*message) : nullptr;
      const bool refused = response != nullptr && !response->outcome &&
                           response->outcome.error().code == ErrorCode::limit_reached;
      if (response != nullptr && response->outcome)
        ++served;
      else if (refused)
        ++busy;
      else
        ++other;
    }));
  }
  for (const auto& thread : threads) ASSERT_TRUE(thread->join(ports.soon()));
  EXPECT_EQ(other, 0);
  EXPECT_GE(served, 64);
  EXPECT_EQ(handler.overlaps, 0);
}

TEST_F(control_server, a_thousand_clients_that_stay_are_each_served_or_told_busy) {
  constexpr std::size_t kClients = 1000;
  serve(patient());
  std::vector<std::unique_ptr<RawClient>> clients;
  std::size_t served = 0;
  std::size_t busy = 0;
  while (clients.size() < kClients) {
    clients.push_back(std::make_unique<RawClient>(ports, transport));
    clients.back()->call(1, "echo");
    const auto message = clients.back()->receive();
    const auto* response = message ? std::get_if<Response>(&*message) : nullptr;
    ASSERT_NE(response, nullptr) << "client " << clients.size();
    if (response->outcome) {
      ++served;
    } else if (response->outcome.error().code == ErrorCode::limit_reached) {
      ++busy;
    }
  }
  EXPECT_EQ(served, ControlServerOptions{}.max_connections);
  EXPECT_EQ(served + busy, kClients);
  clients.clear();
  wait_for_disconnects(static_cast<int>(served));
  expect_alive();
}

TEST_F(control_server, disconnect_reaches_the_handler_once_and_ids_are_not_reused) {
  serve(patient());
  for (int i = 0; i < 20; ++i) {
    RawClient client(ports, transport);
    client.call(1, "echo");
    EXPECT_TRUE(client.receive());
  }
  wait_for_disconnects(20);
  EXPECT_EQ(handler.gone.size(), 20U);
}

TEST_F(control_server, notification_reaches_its_client_and_unknown_ids_are_ignored) {
  serve(patient());
  RawClient client(ports, transport);
  client.call(1, "echo");
  ASSERT_TRUE(client.receive());
  server->notify(handler.last + 1, "event", json::object());
  server->notify(handler.last, "event", {{"kind", "resync"}});
  const auto message = client.receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<wire::Notification>(*message).params.at("kind"), "resync");
}

TEST_F(control_server, stop_ends_every_connection_and_leaves_the_endpoint_free) {
  serve(patient());
  RawClient one(ports, transport), two(ports, transport);
  one.call(1, "echo");
  ASSERT_TRUE(one.receive());
  two.call(1, "echo");
  ASSERT_TRUE(two.receive());
  server->stop(ports.soon());
  EXPECT_FALSE(one.receive());
  EXPECT_FALSE(two.receive());
  EXPECT_EQ(handler.disconnects, 2);
  EXPECT_TRUE(transport.listen());
}

}  // namespace
}  // namespace asiodrv::ipc
