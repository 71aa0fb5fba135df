#include "cli/commands.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/console.hpp"
#include "cli/tables.hpp"
#include "ipc/client/control_client.hpp"
#include "platform/platform.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr nanoseconds kAnswerLimit = seconds{5};
constexpr nanoseconds kLeaveLimit = seconds{5};
constexpr nanoseconds kLeavePause = milliseconds{20};

/// One conversation with the service of one instance.
class Session {
 public:
  explicit Session(const ClientOptions& options)
      : clock_(platform::make_clock()),
        threads_(platform::make_threads()),
        transport_(platform::make_transport(options.instance)),
        client_(*clock_, *threads_, *transport_) {}

  Result<> connect() { return client_.connect(clock_->now() + kAnswerLimit); }
  Result<json> call(std::string_view method, const json& params = json::object()) {
    return client_.call(method, params, clock_->now() + kAnswerLimit);
  }

  /// True when nobody answers any more.
  bool wait_until_gone() {
    const Instant limit = clock_->now() + kLeaveLimit;
    while (clock_->now() < limit) {
      const auto found = transport_->connect(limit);
      if (!found && found.error().code == ErrorCode::service_absent) return true;
      clock_->sleep_until(clock_->now() + kLeavePause);
    }
    return false;
  }

 private:
  const std::unique_ptr<ports::Clock> clock_;
  const std::unique_ptr<ports::Threads> threads_;
  const std::unique_ptr<ports::Transport> transport_;
  ipc::ControlClient client_;
};

int report(const Error& error) {
  if (error.code == ErrorCode::service_absent) {
    print_error(
        "The asio-driver service is not running. Music programs start it when they open "
        "the driver; \"asio-driver run\" starts it by hand.\n");
    return kNotRunning;
  }
  print_error(error.message + "\n");
  return kFailed;
}

void print_json(const json& document) {
  print(document.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

/// Asks one question and prints the answer as JSON or through `format`.
int ask(const ClientOptions& options, std::string_view method, std::string (*format)(const json&)) {
  Session session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  const auto answer = session.call(method);
  if (!answer) return report(answer.error());
  if (options.json)
    print_json(*answer);
  else
    print(format(*answer));
  return kDone;
}

/// All pages of a flight ring from entry `from` on, appended to one list.
Result<json> read_pages(Session& session, std::string_view method, const char* name,
                        std::uint64_t from) {
  json all = json::array();
  for (;;) {
    auto page = session.call(method, {{"from", from}});
    if (!page) return page;
    const auto next = page->value("next", from);
    for (auto& entry : (*page)[name]) all.push_back(std::move(entry));
    if (next <= from || next >= page->value("written", next)) return all;
    from = next;
  }
}

Result<json> read_flight(Session& session, std::uint32_t records) {
  auto sessions = session.call("flight.sessions");
  if (!sessions) return sessions;
  json document{{"sessions", std::move((*sessions)["sessions"])}};

  const std::uint64_t beyond = INT64_MAX;  // an empty page tells how many entries there are
  const auto events = session.call("flight.xruns", {{"from", beyond}});
  if (!events) return events;
  document["events_written"] = events->value("written", std::uint64_t{0});
  auto xruns = read_pages(session, "flight.xruns", "xruns", 0);
  if (!xruns) return xruns;
  document["xruns"] = std::move(*xruns);

  document["records"] = json::array();
  if (records == 0) return document;
  const auto end = session.call("flight.records", {{"from", beyond}});
  if (!end) return end;
  const auto written = end->value("written", std::uint64_t{0});
  const std::uint64_t from = written - std::min<std::uint64_t>(written, records);
  auto cycles = read_pages(session, "flight.records", "records", from);
  if (!cycles) return cycles;
  // More cycles went by while the pages were read: only the newest were asked for.
  while (cycles->size() > records) cycles->erase(cycles->begin());
  document["records"] = std::move(*cycles);
  return document;
}

}  // namespace

int show_status(const ClientOptions& options) { return ask(options, "status", status_text); }

int show_devices(const ClientOptions& options) {
  return ask(options, "devices.list", devices_text);
}

int show_config(const ClientOptions& options, bool reload) {
  return ask(options, reload ? "config.reload" : "config.get", config_text);
}

int show_flight(const ClientOptions& options, std::uint32_t records) {
  Session session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  const auto document = read_flight(session, records);
  if (!document) return report(document.error());
  if (options.json)
    print_json(*document);
  else
    print(flight_text(*document));
  return kDone;
}

int stop_service(const ClientOptions& options) {
  Session session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  const auto answer = session.call("shutdown");
  // A service that hangs up instead of answering is leaving too.
  if (!answer && answer.error().code != ErrorCode::disconnected) return report(answer.error());
  if (!session.wait_until_gone()) {
    print_error(
        "The service was asked to leave and still answers. A program may have started it "
        "again: see \"asio-driver status\".\n");
    return kFailed;
  }
  if (options.json)
    print_json({{"stopped", true}});
  else
    print("The service has stopped.\n");
  return kDone;
}

}  // namespace asiodrv::cli
