#include "cli/routing_commands.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/console.hpp"
#include "cli/conversation.hpp"
#include "cli/json_text.hpp"
#include "cli/routing_tables.hpp"
#include "service/stop_requests.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;

constexpr nanoseconds kRefresh = std::chrono::milliseconds{100};
constexpr nanoseconds kSettle = std::chrono::milliseconds{500};  // rms covers about 300 ms

/// Prints a list that comes in pages.
int show_all(const ClientOptions& options, std::string_view method, const char* name,
             std::string (*format)(const json&)) {
  Conversation session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto list = session.call_all(method, name);
  if (!list) return report(list.error());
  const json document{{name, std::move(*list)}};
  if (options.json)
    print_json(document);
  else
    print(format(document));
  return kDone;
}

/// Sends one change and says what it did; `sentence` gets the member `counted` of the answer.
int change(const ClientOptions& options, std::string_view method, const json& params,
           const char* counted, const char* sentence) {
  Conversation session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  const auto answer = session.call(method, params);
  if (!answer) return report(answer.error());
  if (options.json)
    print_json(*answer);
  else
    print(fmt::format(fmt::runtime(sentence), cell(*answer, counted)) + "\n");
  if (at(*answer, "warning").is_string()) print_error(cell(*answer, "warning") + "\n");
  return kDone;
}

json ends_json(const RouteOptions& options) {
  json list = json::array();
  for (const auto& [from, to] : options.pairs) list.push_back({{"from", from}, {"to", to}});
  return list;
}

json changes_json(const RouteOptions& options) {
  const bool all = options.verb == RouteVerb::add;
  json list = ends_json(options);
  for (json& route : list) {
    if (options.gain_db || all) {
      const double gain = options.gain_db.value_or(0.0);
      route["gain_db"] = std::isinf(gain) ? json(nullptr) : json(gain);
    }
    if (options.mute || all) route["mute"] = options.mute.value_or(false);
    if (options.solo || all) route["solo"] = options.solo.value_or(false);
    if (options.invert || all) route["invert"] = options.invert.value_or(false);
  }
  return list;
}

struct Range {
  std::string prefix;  // up to the colon
  std::uint32_t first = 0, last = 0;
};

std::optional<std::uint32_t> small_number(const std::string& text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return static_cast<std::uint32_t>(std::stoul(text));
}

/// Nothing when `text` is not "...:A-B".
std::optional<Range> range_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::size_t dash = text.find('-', colon);
  if (dash == std::string::npos) return std::nullopt;
  const auto first = small_number(text.substr(colon + 1, dash - colon - 1));
  const auto last = small_number(text.substr(dash + 1));
  if (!first || !last) return std::nullopt;
  return Range{text.substr(0, colon + 1), *first, *last};
}

Result<std::vector<std::string>> expand(const std::string& text) {
  const auto range = range_of(text);
  if (!range) return std::vector<std::string>{text};  // the service judges it
  if (range->first > range->last || range->last - range->first >= 1024) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: a range goes upwards and has at most 1024 channels.", text));
  }
  std::vector<std::string> ports;
  for (std::uint32_t channel = range->first; channel <= range->last; ++channel) {
    ports.push_back(range->prefix + std::to_string(channel));
  }
  return ports;
}

// --- meters --------------------------------------------------------------------------------------

/// Asks for the meters until the user or the clock ends it.
class MeterLoop {
 public:
  MeterLoop(const ClientOptions& options, const MeterOptions& meters)
      : options_(options),
        meters_(meters),
        session_(options),
        woken_(session_.threads().make_signal()),
        stop_(session_.clock(), session_.threads(), [this] {
          stopped_ = true;
          woken_->signal();
        }) {}

  int run() {
    if (auto connected = session_.connect(); !connected) return report(connected.error());
    const bool live = !options_.json && !meters_.once && screen_lines();
    return live ? show_live() : show_one();
  }

 private:
  Result<json> read() {
    auto list = session_.call_all("meters.get", "meters");
    if (!list) return list;
    return json{{"meters", std::move(*list)}};
  }

  /// Until `end`; false when the user wants to stop.
  bool pause_until(Instant end) {
    while (!stopped_ && session_.clock().now() < end) woken_->wait(end);
    return !stopped_;
  }

  /// The service measures only while somebody asks: a first call wakes it.
  int show_one() {
    const Instant end =
        session_.clock().now() +
        (meters_.seconds ? nanoseconds{std::llround(*meters_.seconds * 1e9)} : kSettle);
    do {
      if (auto woken = read(); !woken) return report(woken.error());
    } while (pause_until(std::min(end, session_.clock().now() + kSettle)) &&
             session_.clock().now() < end);
    const auto levels = read();
    if (!levels) return report(levels.error());
    if (options_.json)
      print_json(*levels);
    else
      print(meters_text(*levels, style()));
    return kDone;
  }

  int show_live() {
    const Instant begin = session_.clock().now();
    print("\x1b[2J");
    for (Instant next = begin;;) {
      const auto levels = read();
      if (!levels) return report(levels.error());
      MeterStyle shown = style();
      shown.most_rows = screen_lines().value_or(25);
      print(screen_text(meters_text(*levels, shown)));
      next = std::max(next + kRefresh, session_.clock().now());
      const bool over = meters_.seconds && session_.clock().now() - begin >=
                                               nanoseconds{std::llround(*meters_.seconds * 1e9)};
      if (over || !pause_until(next)) {
        print("\n");  // the shell goes on below
        return kDone;
      }
    }
  }

  [[nodiscard]] MeterStyle style() const {
    MeterStyle style;
    style.unicode = !meters_.ascii && output_takes_unicode();
    return style;
  }

  const ClientOptions& options_;
  const MeterOptions& meters_;
  Conversation session_;
  const std::unique_ptr<ports::Signal> woken_;
  std::atomic<bool> stopped_{false};
  service::StopRequests stop_;
};

}  // namespace

// --- words ---------------------------------------------------------------------------------------

Result<std::vector<std::pair<std::string, std::string>>> pair_ports(const std::string& from,
                                                                    const std::string& to) {
  const auto sources = expand(from);
  if (!sources) return tl::unexpected<Error>(sources.error());
  const auto sinks = expand(to);
  if (!sinks) return tl::unexpected<Error>(sinks.error());
  if (sources->size() != sinks->size()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{} has {} channels and {} has {}: ranges are connected pairwise.",
                            from, sources->size(), to, sinks->size()));
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  for (std::size_t i = 0; i < sources->size(); ++i) {
    pairs.emplace_back((*sources)[i], (*sinks)[i]);
  }
  return pairs;
}

Result<double> parse_gain(const std::string& text) {
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  // Digits only: the library would read "nan" and hexadecimal numbers too.
  const bool plain =
      !text.empty() && text.find_first_not_of("+-.0123456789eE") == std::string::npos;
  try {
    std::size_t used = 0;
    const double value = plain ? std::stod(text, &used) : 0.0;
    if (plain && used == text.size()) return value;
  } catch (const std::exception&) {  // no number, or beyond every number
  }
  return fail(ErrorCode::invalid_argument,
              fmt::format("\"{}\" is no gain: give decibels up to +24, or -inf.", text));
}

// --- commands ------------------------------------------------------------------------------------

int run_route(const ClientOptions& options, const RouteOptions& route) {
  const json named{{"name", route.name}};
  switch (route.verb) {
    case RouteVerb::list: return show_all(options, "routes.list", "routes", routes_text);
    case RouteVerb::add:
    case RouteVerb::set:
      return change(options, "routes.set", {{"routes", changes_json(route)}}, "changed",
                    "Routes set: {}.");
    case RouteVerb::remove:
      return change(options, "routes.remove", {{"routes", ends_json(route)}}, "removed",
                    "Routes removed: {}.");
    case RouteVerb::clear:
      return change(options, "routes.clear", json::object(), "removed", "Routes removed: {}.");
    case RouteVerb::save:
      return change(options, "snapshots.save", named, "routes", "Saved; routes in it: {}.");
    case RouteVerb::recall:
      return change(options, "snapshots.recall", named, "routes", "Recalled; routes now: {}.");
    case RouteVerb::snapshots: return ask(options, "snapshots.list", snapshots_text);
    case RouteVerb::forget:
      return change(options, "snapshots.delete", named, "", "The snapshot is gone.");
  }
  return kWrongUsage;
}

int run_virtual(const ClientOptions& options, const CableOptions& cable) {
  switch (cable.verb) {
    case CableVerb::list: return ask(options, "cables.list", cables_text);
    case CableVerb::add:
      return change(options, "cables.create", {{"name", cable.name}, {"channels", cable.channels}},
                    "channels",
                    "The cable is there; channels: {}. Programs are asked to look again.");
    case CableVerb::remove:
      return change(options, "cables.remove", {{"name", cable.name}}, "removed_routes",
                    "The cable is gone; routes that went with it: {}.");
  }
  return kWrongUsage;
}

int show_clients(const ClientOptions& options) {
  Conversation session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  const auto status = session.call("status");
  if (!status) return report(status.error());
  const json document{{"clients", at(*status, "clients")},
                      {"without_buffers", at(at(*status, "service"), "without_buffers")}};
  if (options.json)
    print_json(document);
  else
    print(clients_text(document));
  return kDone;
}

int show_meters(const ClientOptions& options, const MeterOptions& meters) {
  return MeterLoop(options, meters).run();
}

}  // namespace asiodrv::cli
