#include "cli/commands.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/console.hpp"
#include "cli/conversation.hpp"
#include "cli/tables.hpp"

namespace asiodrv::cli {

Result<nlohmann::json> read_flight(Conversation& session, std::uint32_t records) {
  auto sessions = session.call("flight.sessions");
  if (!sessions) return sessions;
  nlohmann::json document{{"sessions", std::move((*sessions)["sessions"])}};

  const std::uint64_t beyond = INT64_MAX;  // an empty page tells how many entries there are
  const auto events = session.call("flight.xruns", {{"from", beyond}});
  if (!events) return events;
  document["events_written"] = events->value("written", std::uint64_t{0});
  auto xruns = session.call_all("flight.xruns", "xruns", "written");
  if (!xruns) return xruns;
  document["xruns"] = std::move(*xruns);
  auto parts = session.call_all("flight.parts", "parts", "written");
  if (!parts) return parts;
  document["parts"] = std::move(*parts);

  document["records"] = nlohmann::json::array();
  if (records == 0) return document;
  const auto end = session.call("flight.records", {{"from", beyond}});
  if (!end) return end;
  const auto written = end->value("written", std::uint64_t{0});
  const std::uint64_t from = written - std::min<std::uint64_t>(written, records);
  auto cycles = session.call_all("flight.records", "records", "written", from);
  if (!cycles) return cycles;
  // More cycles went by while the pages were read: only the newest were asked for.
  while (cycles->size() > records) cycles->erase(cycles->begin());
  document["records"] = std::move(*cycles);
  return document;
}

int show_status(const ClientOptions& options) { return ask(options, "status", status_text); }

int show_devices(const ClientOptions& options, const DeviceOptions& device) {
  if (device.external_clock || !device.clock.empty()) {
    Conversation session(options);
    if (auto connected = session.connect(); !connected) return report(connected.error());
    if (device.external_clock) {
      const auto fed = session.call("clock.feed", {{"rate_hz", *device.external_clock}});
      if (!fed) return report(fed.error());
    }
    if (!device.clock.empty()) {
      const auto selected = session.call("device.clock", {{"name", device.clock}});
      if (!selected) return report(selected.error());
    }
  }
  if (device.rate_hz != 0 || device.period_frames != 0) {
    Conversation session(options);
    if (auto connected = session.connect(); !connected) return report(connected.error());
    nlohmann::json wish = nlohmann::json::object();
    if (device.rate_hz != 0) wish["rate_hz"] = device.rate_hz;
    if (device.period_frames != 0) wish["frames"] = device.period_frames;
    if (const auto moved = session.call("device.set", wish); !moved) return report(moved.error());
  }
  return ask(options, "devices.list", devices_text);
}

int show_config(const ClientOptions& options, bool reload) {
  return ask(options, reload ? "config.reload" : "config.get", config_text);
}

int show_flight(const ClientOptions& options, std::uint32_t records) {
  Conversation session(options);
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
  Conversation session(options);
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
