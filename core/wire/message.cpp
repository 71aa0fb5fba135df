#include "core/wire/message.hpp"

#include <fmt/format.h>

#include "core/wire/control.hpp"

namespace asiodrv::wire {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxErrorBytes = 4096;

/// True when no bracket in `text` lies deeper than kMaxJsonDepth. Brackets inside strings do not
/// count. Works on any bytes.
bool shallow(std::string_view text) noexcept {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxJsonDepth) return false;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return true;
}

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<std::int64_t> id_of(const json& value) {
  if (const auto* id = value.get_ptr<const json::number_unsigned_t*>()) {
    if (*id <= static_cast<std::uint64_t>(INT64_MAX)) return static_cast<std::int64_t>(*id);
    return std::nullopt;
  }
  if (const auto* id = value.get_ptr<const json::number_integer_t*>()) return *id;
  return std::nullopt;
}

std::optional<ErrorCode> error_code_of(std::string_view name) {
  // error_name gives "internal" for every number past the last one, which ends the search.
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    if (error_name(code) == name) return code;
  }
  return std::nullopt;
}

tl::unexpected<Error> invalid(std::string_view reason) {
  return fail(ErrorCode::malformed, fmt::format("Not a JSON-RPC 2.0 message: {}.", reason));
}

/// The error object of a response; what it does not say becomes `internal`.
Error error_of(const json& object) {
  Error error{ErrorCode::internal, "The service refused without a reason."};
  if (!object.is_object()) return error;
  if (const auto text = object.find("message"); text != object.end()) {
    if (const auto* message = text->get_ptr<const std::string*>()) {
      error.message = message->substr(0, kMaxErrorBytes);
    }
  }
  const auto data = object.find("data");
  if (data == object.end() || !data->is_object()) return error;
  if (const auto kind = data->find("kind"); kind != data->end()) {
    if (const auto* name = kind->get_ptr<const std::string*>()) {
      error.code = error_code_of(*name).value_or(ErrorCode::internal);
    }
  }
  return error;
}

Result<Message> parse_call(json& object, const std::string& method) {
  if (method.empty() || method.size() > kMaxMethodBytes) {
    return invalid("\"method\" must have 1 to 64 bytes");
  }
  json params = json::object();
  if (const auto given = object.find("params"); given != object.end()) {
    if (!given->is_object()) return invalid("\"params\" must be an object");
    params = std::move(*given);
  }
  const auto id = object.find("id");
  if (id == object.end()) return Message(Notification{method, std::move(params)});
  const auto number = id_of(*id);
  if (!number) return invalid("\"id\" must be a whole number");
  return Message(Request{*number, method, std::move(params)});
}

Result<Message> parse_response(json& object) {
  const auto id = object.find("id");
  if (id == object.end()) return invalid("neither \"method\" nor \"id\" is there");
  std::optional<std::int64_t> number;
  if (!id->is_null()) {
    number = id_of(*id);
    if (!number) return invalid("\"id\" must be a whole number");
  }
  if (const auto error = object.find("error"); error != object.end()) {
    return Message(Response{number, tl::unexpected<Error>(error_of(*error))});
  }
  const auto result = object.find("result");
  if (result == object.end()) return invalid("neither \"result\" nor \"error\" is there");
  return Message(Response{number, std::move(*result)});
}

}  // namespace

Result<json> parse_json(std::string_view text) {
  if (!shallow(text)) {
    return fail(ErrorCode::malformed,
                fmt::format("JSON is nested deeper than {} levels.", kMaxJsonDepth));
  }
  json value = json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) return fail(ErrorCode::malformed, "Not JSON in UTF-8.");
  return value;
}

Result<Message> parse_message(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return tl::unexpected<Error>(std::move(value.error()));
  if (!value->is_object()) return invalid("an object is expected");
  const auto version = value->find("jsonrpc");
  if (version == value->end() || *version != "2.0") return invalid("\"jsonrpc\" must be \"2.0\"");
  const auto method = value->find("method");
  if (method == value->end()) return parse_response(*value);
  const auto* name = method->get_ptr<const std::string*>();
  if (name == nullptr) return invalid("\"method\" must be text");
  return parse_call(*value, *name);
}

std::string request_text(std::int64_t id, std::string_view method, const json& params) {
  return text_of({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}});
}

std::string notification_text(std::string_view method, const json& params) {
  return text_of({{"jsonrpc", "2.0"}, {"method", method}, {"params", params}});
}

std::string result_text(std::int64_t id, const json& result) {
  return text_of({{"jsonrpc", "2.0"}, {"id", id}, {"result", result}});
}

std::string error_text(std::optional<std::int64_t> id, int code, const Error& error) {
  json object{{"jsonrpc", "2.0"}, {"id", nullptr}};
  if (id) object["id"] = *id;
  object["error"] = {{"code", code},
                     {"message", error.message.substr(0, kMaxErrorBytes)},
                     {"data", {{"kind", error_name(error.code)}}}};
  return text_of(object);
}

int rpc_code(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::malformed: return kInvalidParams;
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
    case ErrorCode::access_denied:
    case ErrorCode::invalid_argument:
    case ErrorCode::invalid_state:
    case ErrorCode::unsupported:
    case ErrorCode::out_of_memory:
    case ErrorCode::limit_reached:
    case ErrorCode::timed_out:
    case ErrorCode::disconnected:
    case ErrorCode::version_mismatch:
    case ErrorCode::device_gone:
    case ErrorCode::device_busy:
    case ErrorCode::format_refused:
    case ErrorCode::service_absent:
    case ErrorCode::internal: return kRefused;
  }
  return kRefused;
}

}  // namespace asiodrv::wire
