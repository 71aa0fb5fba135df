// The control stream: addresses, identities, time bounds, and ways to end it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <vector>

#include "platform/monotonic.hpp"
#include "platform/platform.hpp"
#include "platform/test_peer.hpp"

namespace asiodrv::platform {
namespace {

using namespace std::chrono_literals;
using ports::ThreadRole;
using test::patience;

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

Result<std::string> receive_exactly(ports::Connection& from, std::size_t count) {
  std::string text;
  while (text.size() < count) {
    std::vector<std::byte> part(count - text.size());
    const auto got = from.receive(part, patience());
    if (!got) return tl::unexpected(got.error());
    text.append(reinterpret_cast<const char*>(part.data()), *got);
  }
  return text;
}

/// A listener of this test's own, and ways to make connected pairs.
class transport : public testing::Test {
 protected:
  void SetUp() override {
    auto listener = transport_->listen();
    ASSERT_TRUE(listener) << listener.error().message;
    listener_ = std::move(*listener);
  }

  struct Pair {
    std::unique_ptr<ports::Connection> server, client;
  };
  Pair connect() {
    auto client = transport_->connect(patience());
    EXPECT_TRUE(client) << client.error().message;
    auto server = listener_->accept(patience());
    EXPECT_TRUE(server) << server.error().message;
    return {std::move(*server), std::move(*client)};
  }

  std::unique_ptr<ports::Thread> start(std::function<void()> body) {
    auto thread = threads_->start("test", ThreadRole::control, std::move(body));
    EXPECT_TRUE(thread);
    return std::move(*thread);
  }

  static ErrorCode code_of_receive(ports::Connection& connection, Instant deadline) {
    std::byte byte{};
    const auto got = connection.receive({&byte, 1}, deadline);
    return got ? ErrorCode::internal : got.error().code;
  }

  std::string instance_ = test::unique_instance();
  std::unique_ptr<ports::Threads> threads_ = make_threads();
  std::unique_ptr<ports::Transport> transport_ = make_transport(instance_);
  std::unique_ptr<ports::Listener> listener_;
};

TEST_F(transport, carries_bytes_both_ways_and_says_who_is_there) {
  const Pair pair = connect();
  ASSERT_TRUE(pair.client->send(bytes_of("to the server"), patience()));
  ASSERT_TRUE(pair.server->send(bytes_of("to the client"), patience()));
  EXPECT_EQ(*receive_exactly(*pair.server, 13), "to the server");
  EXPECT_EQ(*receive_exactly(*pair.client, 13), "to the client");
  for (const ports::Connection* side : {pair.client.get(), pair.server.get()}) {
    EXPECT_EQ(side->peer().process_id, process_id());
    EXPECT_TRUE(side->peer().same_user);
    EXPECT_EQ(side->peer().image_path, program_path());
  }
}

TEST_F(transport, without_a_listener_the_service_is_absent) {
  const auto other = make_transport(test::unique_instance());
  const auto connection = other->connect(patience());
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, ErrorCode::service_absent);
}

TEST_F(transport, an_unusable_instance_name_is_refused) {
  const auto bad = make_transport("../../tmp/x");
  EXPECT_EQ(bad->listen().error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(bad->connect(patience()).error().code, ErrorCode::invalid_argument);
}

TEST_F(transport, a_second_listener_is_refused_until_the_first_has_gone) {
  const auto second = make_transport(instance_)->listen();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::already_exists);
  (void)connect();  // the first one still serves
  listener_.reset();
  EXPECT_EQ(transport_->connect(patience()).error().code, ErrorCode::service_absent);
  const auto third = make_transport(instance_)->listen();
  EXPECT_TRUE(third) << third.error().message;
}

/// Listens; reports as the exit code: 0 listening (until killed), 1 already_exists, 2 other.
/// Arguments: instance, instance of the transport on which it says "up".
const test::RegisterRole serve{
    "serve", [](const std::vector<std::string>& arguments) {
      const auto own = make_transport(arguments.at(0));
      const auto listener = own->listen();
      if (!listener) return listener.error().code == ErrorCode::already_exists ? 1 : 2;
      const auto line = make_transport(arguments.at(1))->connect(patience());
      if (!line || !(*line)->send(bytes_of("up"), patience())) return 3;
      for (;;) {
        const auto client = (*listener)->accept(patience());
        if (!client) return 4;
        std::byte byte{};
        (void)(*client)->receive({&byte, 1}, patience());  // holds it until it leaves
      }
    }};

TEST_F(transport, another_process_cannot_take_the_endpoint) {
  const auto peer = test::start_peer("serve", {instance_, instance_});
  EXPECT_EQ(peer->wait(patience()), 1);
}

TEST_F(transport, the_endpoint_of_a_killed_service_is_taken_over) {
  const std::string instance = test::unique_instance();
  const auto peer = test::start_peer("serve", {instance, instance_});
  const auto line = listener_->accept(patience());
  ASSERT_TRUE(line) << line.error().message;
  ASSERT_EQ(*receive_exactly(**line, 2), "up");
  const auto other = make_transport(instance);
  const auto client = other->connect(patience());
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_EQ(other->listen().error().code, ErrorCode::already_exists);

  peer->kill();
  (void)peer->wait(patience());
  EXPECT_EQ(code_of_receive(**client, patience()), ErrorCode::disconnected);
  EXPECT_EQ(other->connect(patience()).error().code, ErrorCode::service_absent);
  const auto successor = other->listen();
  ASSERT_TRUE(successor) << successor.error().message;
  EXPECT_TRUE(other->connect(patience()));
}

TEST_F(transport, receive_times_out_and_loses_nothing) {
  const Pair pair = connect();
  const Instant deadline = monotonic_now() + 20ms;
  EXPECT_EQ(code_of_receive(*pair.server, deadline), ErrorCode::timed_out);
  EXPECT_GE(monotonic_now(), deadline);
  EXPECT_EQ(code_of_receive(*pair.server, {0}), ErrorCode::timed_out);
  ASSERT_TRUE(pair.client->send(bytes_of("x"), patience()));
  EXPECT_EQ(*receive_exactly(*pair.server, 1), "x");
}

TEST_F(transport, accept_times_out_and_goes_on) {
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(listener_->accept(monotonic_now() + 5ms).error().code, ErrorCode::timed_out);
  }
  (void)connect();
}

TEST_F(transport, a_silent_client_stands_in_nobodys_way) {
  const Pair silent = connect();
  for (int turn = 0; turn < 5; ++turn) {
    const Pair pair = connect();
    ASSERT_TRUE(pair.client->send(bytes_of("hello"), patience()));
    EXPECT_EQ(*receive_exactly(*pair.server, 5), "hello");
  }
  EXPECT_EQ(code_of_receive(*silent.server, monotonic_now()), ErrorCode::timed_out);
}

TEST_F(transport, a_client_that_leaves_before_accept_does_no_harm) {
  for (int turn = 0; turn < 5; ++turn) {
    const auto client = transport_->connect(monotonic_now() + 2s);
    EXPECT_TRUE(client || client.error().code == ErrorCode::timed_out);
  }
  // Each of the dead ones may still be handed out; none may end the listener.
  for (int turn = 0; turn < 6; ++turn) {
    const auto accepted = listener_->accept(monotonic_now() + 50ms);
    EXPECT_TRUE(accepted || accepted.error().code == ErrorCode::timed_out);
  }
  (void)connect();
}

TEST_F(transport, a_peer_that_never_reads_makes_send_time_out) {
  const Pair pair = connect();
  const std::vector<std::byte> flood(64U << 20U);
  const auto sent = pair.client->send(flood, monotonic_now() + 50ms);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::timed_out);
  EXPECT_EQ(pair.client->send(bytes_of("more"), patience()).error().code, ErrorCode::disconnected);
}

TEST_F(transport, a_message_larger_than_the_buffers_arrives_whole) {
  const Pair pair = connect();
  std::string text(4U << 20U, ' ');
  for (std::size_t at = 0; at < text.size(); ++at) text[at] = static_cast<char>(at * 31 >> 7U);
  const auto sender = start([&] { EXPECT_TRUE(pair.client->send(bytes_of(text), patience())); });
  const auto received = receive_exactly(*pair.server, text.size());
  ASSERT_TRUE(received) << received.error().message;
  EXPECT_TRUE(*received == text);
  ASSERT_TRUE(sender->join(patience()));
}

TEST_F(transport, shutdown_ends_a_pending_receive_on_both_sides) {
  const Pair pair = connect();
  std::atomic<int> ended{0};
  const auto wait = [&ended](ports::Connection& connection) {
    EXPECT_EQ(code_of_receive(connection, patience()), ErrorCode::disconnected);
    ++ended;
  };
  const auto client = start([&] { wait(*pair.client); });
  const auto server = start([&] { wait(*pair.server); });
  pair.server->shutdown();
  ASSERT_TRUE(client->join(patience()));
  ASSERT_TRUE(server->join(patience()));
  EXPECT_EQ(ended, 2);
  pair.server->shutdown();
  EXPECT_EQ(code_of_receive(*pair.server, patience()), ErrorCode::disconnected);
  EXPECT_EQ(pair.server->send(bytes_of("x"), patience()).error().code, ErrorCode::disconnected);
}

TEST_F(transport, shutdown_ends_a_pending_send) {
  const Pair pair = connect();
  const std::vector<std::byte> flood(64U << 20U);
  const auto sender = start([&] {
    EXPECT_EQ(pair.client->send(flood, patience()).error().code, ErrorCode::disconnected);
  });
  std::byte first{};
  ASSERT_TRUE(pair.server->receive({&first, 1}, patience()));  // it is sending now
  pair.client->shutdown();
  ASSERT_TRUE(sender->join(patience()));
}

TEST_F(transport, what_was_sent_before_a_shutdown_still_arrives) {
  const Pair pair = connect();
  ASSERT_TRUE(pair.server->send(bytes_of("farewell"), patience()));
  pair.server->shutdown();
  EXPECT_EQ(*receive_exactly(*pair.client, 8), "farewell");
  EXPECT_EQ(code_of_receive(*pair.client, patience()), ErrorCode::disconnected);
}

TEST_F(transport, a_connection_that_is_destroyed_disconnects_its_peer) {
  Pair pair = connect();
  pair.client.reset();
  EXPECT_EQ(code_of_receive(*pair.server, patience()), ErrorCode::disconnected);
}

TEST_F(transport, shutdown_ends_accept_now_and_later) {
  const auto waiting = start(
      [&] { EXPECT_EQ(listener_->accept(patience()).error().code, ErrorCode::disconnected); });
  listener_->shutdown();
  ASSERT_TRUE(waiting->join(patience()));
  EXPECT_EQ(listener_->accept(patience()).error().code, ErrorCode::disconnected);
}

TEST_F(transport, two_hundred_clients_at_once_are_all_served) {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  std::vector<std::unique_ptr<ports::Connection>> served;
  const auto server = start([&] {
    while (served.size() < kThreads * kEach) {
      auto client = listener_->accept(patience());
      ASSERT_TRUE(client) << client.error().message;
      const auto text = receive_exactly(**client, 4);
      ASSERT_TRUE(text) << text.error().message;
      ASSERT_TRUE((*client)->send(bytes_of(*text), patience()));
      served.push_back(std::move(*client));
    }
  });
  std::atomic<int> answered{0};
  std::vector<std::unique_ptr<ports::Thread>> clients;
  for (int index = 0; index < kThreads; ++index) {
    clients.push_back(start([&, index] {
      std::vector<std::unique_ptr<ports::Connection>> held;
      for (int turn = 0; turn < kEach; ++turn) {
        auto connection = transport_->connect(patience());
        ASSERT_TRUE(connection) << connection.error().message;
        const std::string text = std::to_string(1000 + index * kEach + turn);
        ASSERT_TRUE((*connection)->send(bytes_of(text), patience()));
        const auto back = receive_exactly(**connection, 4);
        ASSERT_TRUE(back) << back.error().message;
        if (*back == text) ++answered;
        held.push_back(std::move(*connection));
      }
    }));
  }
  for (const auto& client : clients) ASSERT_TRUE(client->join(patience()));
  ASSERT_TRUE(server->join(patience()));
  EXPECT_EQ(answered, kThreads * kEach);
}

}  // namespace
}  // namespace asiodrv::platform
