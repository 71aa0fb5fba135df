#include "core/wire/message.hpp"

#include <gtest/gtest.h>

#include <random>

#include "core/wire/control.hpp"

namespace asiodrv::wire {
namespace {

using nlohmann::json;

TEST(message, request_round_trips) {
  const auto message = parse_message(request_text(7, "rate.set", {{"hz", 44'100}}));
  ASSERT_TRUE(message);
  const auto& request = std::get<Request>(*message);
  EXPECT_EQ(request.id, 7);
  EXPECT_EQ(request.method, "rate.set");
  EXPECT_EQ(request.params.at("hz"), 44'100);
}

TEST(message, call_without_params_gets_an_empty_object) {
  const auto message = parse_message(R"({"jsonrpc":"2.0","id":1,"method":"status"})");
  ASSERT_TRUE(message);
  EXPECT_TRUE(std::get<Request>(*message).params.is_object());
}

TEST(message, notification_round_trips) {
  const auto message = parse_message(notification_text("event", {{"kind", "resync"}}));
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<Notification>(*message).method, "event");
}

TEST(message, result_round_trips) {
  const auto message = parse_message(result_text(-3, {{"a", 1}}));
  ASSERT_TRUE(message);
  const auto& response = std::get<Response>(*message);
  EXPECT_EQ(response.id, -3);
  EXPECT_EQ(response.outcome.value().at("a"), 1);
}

TEST(message, every_error_code_round_trips_with_its_sentence) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    const Error error{static_cast<ErrorCode>(i), "Something is wrong."};
    const auto message = parse_message(error_text(4, rpc_code(error.code), error));
    ASSERT_TRUE(message);
    const auto& response = std::get<Response>(*message);
    EXPECT_EQ(response.outcome.error().code, error.code);
    EXPECT_EQ(response.outcome.error().message, error.message);
  }
}

TEST(message, error_without_id_round_trips) {
  const auto message =
      parse_message(error_text(std::nullopt, kParseError, {ErrorCode::malformed, "No."}));
  ASSERT_TRUE(message);
  EXPECT_FALSE(std::get<Response>(*message).id);
}

TEST(message, error_of_an_unknown_kind_becomes_internal) {
  const auto message = parse_message(
      R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"x","data":{"kind":"later"}}})");
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<Response>(*message).outcome.error().code, ErrorCode::internal);
}

TEST(message, what_is_not_json_rpc_is_malformed) {
  const char* const broken[] = {"",
                                "x",
                                "{",
                                "[]",
                                "1",
                                "null",
                                "{}",
                                R"({"jsonrpc":"2.0"})",
                                "\xFF\xFE",
                                R"({"jsonrpc":"1.0","id":1,"method":"a"})",
                                R"({"jsonrpc":2,"id":1,"method":"a"})",
                                R"({"id":1,"method":"a"})",
                                R"({"jsonrpc":"2.0","id":1,"method":5})",
                                R"({"jsonrpc":"2.0","id":1,"method":""})",
                                R"({"jsonrpc":"2.0","id":"1","method":"a"})",
                                R"({"jsonrpc":"2.0","id":1.5,"method":"a"})",
                                R"({"jsonrpc":"2.0","id":null,"method":"a"})",
                                R"({"jsonrpc":"2.0","id":18446744073709551615,"method":"a"})",
                                R"({"jsonrpc":"2.0","id":1,"method":"a","params":[]})",
                                R"({"jsonrpc":"2.0","id":1,"method":"a","params":7})",
                                R"({"jsonrpc":"2.0","id":1})",
                                R"({"jsonrpc":"2.0","id":1,"method":"a"} trailing)",
                                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\x80\"}"};
  for (const char* const text : broken) {
    const auto message = parse_message(text);
    ASSERT_FALSE(message) << text;
    EXPECT_EQ(message.error().code, ErrorCode::malformed) << text;
  }
  EXPECT_FALSE(parse_message(request_text(1, std::string(65, 'm'), json::object())));
}

TEST(message, deep_nesting_is_refused_and_brackets_in_text_are_not_nesting) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(parse_json(nested(kMaxJsonDepth)));
  EXPECT_FALSE(parse_json(nested(kMaxJsonDepth + 1)));
  EXPECT_FALSE(parse_json(std::string(kMaxMessageBytes, '[')));
  EXPECT_TRUE(parse_json('"' + std::string(100, '[') + R"(\"[[[")"));
}

TEST(message, text_that_is_not_utf8_is_repaired_when_sent) {
  EXPECT_TRUE(parse_message(request_text(1, "hello", {{"program", "\xFF\xC3"}})));
}

/// Damaged messages are refused or understood, and never crash a parser.
TEST(message, mutated_messages_never_crash) {
  const std::string whole =
      request_text(12, "session.create", to_json(SessionRequest{Frames{64}, {0, 1, 5}, {0, 7}}));
  std::mt19937 random(0xC0FFEE);
  int understood = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string text = whole;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, 1 + random() % 5); break;
        case 2: text.insert(at, text, random() % text.size(), random() % 9); break;
        default: text[at] = "{}[]\",:0-9e."[random() % 12]; break;
      }
      if (text.empty()) text = " ";
    }
    const auto message = parse_message(text);
    if (!message) continue;
    if (const auto* request = std::get_if<Request>(&*message)) {
      const auto session = parse_session_request(request->params);
      if (session) ++understood;
    }
  }
  EXPECT_GT(understood, 0);  // the mutations are not all fatal: the parsers below were reached
}

}  // namespace
}  // namespace asiodrv::wire
