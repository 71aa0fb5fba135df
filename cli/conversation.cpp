#include "cli/conversation.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/console.hpp"
#include "platform/platform.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;

constexpr nanoseconds kAnswerLimit = std::chrono::seconds{5};
constexpr nanoseconds kListLimit = std::chrono::seconds{25};  // for the last page to begin
constexpr nanoseconds kLeaveLimit = std::chrono::seconds{5};
constexpr nanoseconds kLeavePause = std::chrono::milliseconds{20};
/// How a service, also an old one, begins its answer to what it has never heard of.
constexpr std::string_view kNoSuchMethod = "There is no method";

}  // namespace

Result<json> gather_pages(const AskPage& ask_page, const char* name, const char* count,
                          std::uint64_t from) {
  json all = json::array();
  for (std::uint32_t pages = 0; pages < kMostPages; ++pages) {
    auto page = ask_page(from);
    if (!page) return page;
    for (auto& each : (*page)[name]) all.push_back(std::move(each));
    const auto next = page->value("next", from);
    if (next <= from || next >= page->value(count, next)) return all;
    from = next;
  }
  return fail(ErrorCode::limit_reached,
              "The service gives a list without end: \"asio-driver stop\" ends it.");
}

Conversation::Conversation(const ClientOptions& options)
    : clock_(platform::make_clock()),
      threads_(platform::make_threads()),
      transport_(platform::make_transport(options.instance)),
      client_(*clock_, *threads_, *transport_) {}

Result<> Conversation::connect() { return client_.connect(clock_->now() + kAnswerLimit); }

Result<json> Conversation::call(std::string_view method, const json& params) {
  return client_.call(method, params, clock_->now() + kAnswerLimit);
}

Result<json> Conversation::call(std::string_view method) { return call(method, json::object()); }

Result<json> Conversation::call_all(std::string_view method, const char* name, const char* count,
                                    std::uint64_t from) {
  const Instant limit = clock_->now() + kListLimit;
  const auto ask_page = [&](std::uint64_t first) -> Result<json> {
    if (clock_->now() > limit) {
      return fail(ErrorCode::timed_out, "The service does not give a whole list within 30 s.");
    }
    return call(method, {{"from", first}});
  };
  return gather_pages(ask_page, name, count, from);
}

bool Conversation::wait_until_gone() {
  const Instant limit = clock_->now() + kLeaveLimit;
  while (clock_->now() < limit) {
    const auto found = transport_->connect(limit);
    if (!found && found.error().code == ErrorCode::service_absent) return true;
    clock_->sleep_until(clock_->now() + kLeavePause);
  }
  return false;
}

int report(const Error& error) {
  if (error.code == ErrorCode::service_absent) {
    print_error(
        "The asio-driver service is not running. Music programs start it when they open "
        "the driver; \"asio-driver run\" starts it by hand.\n");
    return kNotRunning;
  }
  print_error(error.message + "\n");
  if (error.code == ErrorCode::unsupported && error.message.starts_with(kNoSuchMethod)) {
    print_error(
        "The running service is of another version than this program; \"asio-driver status\" tells "
        "which. \"asio-driver stop\" ends it, and the next one is this version's.\n");
  }
  return kFailed;
}

void print_json(const json& document) {
  print(document.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

int ask(const ClientOptions& options, std::string_view method, std::string (*format)(const json&)) {
  Conversation session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  const auto answer = session.call(method);
  if (!answer) return report(answer.error());
  if (options.json)
    print_json(*answer);
  else
    print(format(*answer));
  return kDone;
}

}  // namespace asiodrv::cli
