// The JSON-RPC 2.0 envelope around every control message.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/result.hpp"

namespace asiodrv::wire {

/// Objects and lists inside each other; our own messages need 4.
inline constexpr std::size_t kMaxJsonDepth = 16;
inline constexpr std::size_t kMaxMethodBytes = 64;

/// Codes that JSON-RPC fixes. Ours for everything else is kRefused; data.kind says which.
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kUnknownMethod = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kRefused = -32000;

struct Request {
  std::int64_t id = 0;
  std::string method;
  nlohmann::json params;  ///< an object, empty when the peer sent none
};

struct Notification {
  std::string method;
  nlohmann::json params;  ///< as in Request
};

struct Response {
  std::optional<std::int64_t> id;  ///< nothing: the peer could not tell which request it was
  Result<nlohmann::json> outcome;
};

using Message = std::variant<Request, Notification, Response>;

/// JSON text from a peer we do not trust: nesting over kMaxJsonDepth is refused before anything is
/// built. Errors: malformed.
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text);

/// One message as it came out of a FrameReader. Errors: malformed (not JSON, not JSON-RPC).
[[nodiscard]] Result<Message> parse_message(std::string_view text);

/// The text of one message. Text that is not UTF-8 is repaired, never refused.
[[nodiscard]] std::string request_text(std::int64_t id, std::string_view method,
                                       const nlohmann::json& params);
[[nodiscard]] std::string notification_text(std::string_view method, const nlohmann::json& params);
[[nodiscard]] std::string result_text(std::int64_t id, const nlohmann::json& result);
/// `id` empty: the request could not be read. `code` is one of the JSON-RPC codes above.
[[nodiscard]] std::string error_text(std::optional<std::int64_t> id, int code, const Error& error);

/// The JSON-RPC code that fits an error of a method.
[[nodiscard]] int rpc_code(ErrorCode code) noexcept;

}  // namespace asiodrv::wire
