// What the tests of this folder share: real clock and threads, a generous deadline, a raw client.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/ports/clock.hpp"
#include "core/ports/thread.hpp"
#include "core/ports/transport.hpp"
#include "core/wire/frame.hpp"
#include "core/wire/message.hpp"
#include "platform/platform.hpp"

namespace asiodrv::ipc {

struct TestPorts {
  std::unique_ptr<ports::Clock> clock = platform::make_clock();
  std::unique_ptr<ports::Threads> threads = platform::make_threads();

  /// Long enough for any machine; a test that reaches it has failed.
  [[nodiscard]] Instant soon() const { return clock->now() + std::chrono::seconds{20}; }
};

/// A client that sends whatever bytes a test wants.
class RawClient {
 public:
  RawClient(TestPorts& ports, ports::Transport& transport)
      : ports_(ports), stream_(transport.connect(ports.soon()).value()) {}

  void send_bytes(std::string_view bytes) {
    (void)stream_->send(std::as_bytes(std::span(bytes)), ports_.soon()).has_value();
  }
  void send(std::string_view text) {
    (void)stream_->send(wire::encode_frame(text).value(), ports_.soon()).has_value();
  }
  void call(std::int64_t id, std::string_view method) {
    send(wire::request_text(id, method, nlohmann::json::object()));
  }

  /// The next message from the server; nothing when it hung up.
  std::optional<wire::Message> receive() {
    std::array<std::byte, 1000> piece;
    for (;;) {
      auto text = reader_.next();
      if (!text) ADD_FAILURE() << text.error().message;
      if (text && *text) return wire::parse_message(**text).value();
      const auto count = stream_->receive(piece, ports_.soon());
      if (!count) {
        EXPECT_EQ(count.error().code, ErrorCode::disconnected);
        return std::nullopt;
      }
      reader_.feed(std::span(piece).first(*count));
    }
  }

  /// The next message, which must be an error; its code.
  ErrorCode refused() {
    const auto message = receive();
    if (!message) return ErrorCode::disconnected;
    const auto* response = std::get_if<wire::Response>(&*message);
    if (response == nullptr || response->outcome) {
      ADD_FAILURE() << "An error was expected.";
      return ErrorCode::internal;
    }
    return response->outcome.error().code;
  }

  ports::Connection& stream() { return *stream_; }

 private:
  TestPorts& ports_;
  std::unique_ptr<ports::Connection> stream_;
  wire::FrameReader reader_;
};

}  // namespace asiodrv::ipc
