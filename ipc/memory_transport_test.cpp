#include "ipc/memory_transport.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "ipc/test_ports.hpp"

namespace asiodrv::ipc {
namespace {

class memory_transport : public ::testing::Test {
 protected:
  std::span<const std::byte> bytes(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  }
  std::string receive(ports::Connection& from) {
    std::array<std::byte, 64> piece;
    const auto count = from.receive(piece, ports.soon());
    if (!count) return std::string(error_name(count.error().code));
    return std::string(reinterpret_cast<const char*>(piece.data()), *count);
  }

  TestPorts ports;
  MemoryTransport transport{*ports.clock, *ports.threads};
};

TEST_F(memory_transport, carries_bytes_both_ways) {
  const auto listener = transport.listen().value();
  const auto client = transport.connect(ports.soon()).value();
  const auto server = listener->accept(ports.soon()).value();
  ASSERT_TRUE(client->send(bytes("ping"), ports.soon()));
  EXPECT_EQ(receive(*server), "ping");
  ASSERT_TRUE(server->send(bytes("pong"), ports.soon()));
  EXPECT_EQ(receive(*client), "pong");
}

TEST_F(memory_transport, nobody_listens_before_or_after_a_listener) {
  EXPECT_EQ(transport.connect(ports.soon()).error().code, ErrorCode::service_absent);
  transport.listen().value().reset();
  EXPECT_EQ(transport.connect(ports.soon()).error().code, ErrorCode::service_absent);
}

TEST_F(memory_transport, second_listener_is_refused_while_the_first_lives) {
  auto first = transport.listen().value();
  EXPECT_EQ(transport.listen().error().code, ErrorCode::already_exists);
  first.reset();
  EXPECT_TRUE(transport.listen());
}

TEST_F(memory_transport, bytes_sent_before_a_shutdown_still_arrive) {
  const auto listener = transport.listen().value();
  const auto client = transport.connect(ports.soon()).value();
  const auto server = listener->accept(ports.soon()).value();
  ASSERT_TRUE(server->send(bytes("last"), ports.soon()));
  server->shutdown();
  EXPECT_EQ(receive(*client), "last");
  EXPECT_EQ(receive(*client), "disconnected");
  EXPECT_EQ(client->send(bytes("x"), ports.soon()).error().code, ErrorCode::disconnected);
}

TEST_F(memory_transport, full_pipe_times_out_and_a_reader_makes_room) {
  const auto listener = transport.listen().value();
  const auto client = transport.connect(ports.soon()).value();
  const auto server = listener->accept(ports.soon()).value();
  const std::string much(MemoryTransport::kPipeBytes, 'x');
  ASSERT_TRUE(client->send(bytes(much), ports.soon()));
  EXPECT_EQ(client->send(bytes("y"), ports.clock->now()).error().code, ErrorCode::timed_out);
  EXPECT_EQ(receive(*server).size(), 64U);
  EXPECT_TRUE(client->send(bytes("y"), ports.soon()));
}

TEST_F(memory_transport, shutdown_wakes_a_waiting_receiver_and_acceptor) {
  const auto listener = transport.listen().value();
  const auto client = transport.connect(ports.soon()).value();
  const auto server = listener->accept(ports.soon()).value();
  const auto helper = ports.threads->start("helper", ports::ThreadRole::control, [&] {
    client->shutdown();
    listener->shutdown();
  });
  EXPECT_EQ(receive(*server), "disconnected");
  EXPECT_EQ(listener->accept(ports.soon()).error().code, ErrorCode::disconnected);
  EXPECT_TRUE((*helper)->join(ports.soon()));
}

TEST_F(memory_transport, server_sees_the_identity_that_was_set) {
  const auto listener = transport.listen().value();
  transport.set_client_identity({77, false, ""});
  const auto client = transport.connect(ports.soon()).value();
  const auto server = listener->accept(ports.soon()).value();
  EXPECT_EQ(server->peer().process_id, 77U);
  EXPECT_FALSE(server->peer().same_user);
}

}  // namespace
}  // namespace asiodrv::ipc
