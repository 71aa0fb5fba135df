// The routing file's form, and what requests hold. Version 1:
//
//   {"version": 1,
//    "cables":    [{"name", "channels"}],
//    "routes":    [{"from", "to", "gain_db"?, "mute"?, "solo"?, "invert"?}],
//    "snapshots": [{"name", "device": {"id", "name"}, "routes": [...]}]}
//
// What is left out of a route is its default. A gain of null is silence.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/wire/member_reader.hpp"
#include "service/studio.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using wire::MemberReader;

constexpr std::uint32_t kRoutingVersion = 1;

/// An error about one element, with the element's place before it.
tl::unexpected<Error> at(const std::string& where, const Error& error) {
  return fail(ErrorCode::malformed, fmt::format("{}: {}", where, error.message));
}

std::optional<double> gain_of(const json& object, MemberReader& reader) {
  if (!reader.good()) return std::nullopt;
  const auto found = object.find("gain_db");
  if (found == object.end()) return std::nullopt;
  if (found->is_number()) return found->get<double>();
  const auto* const word = found->get_ptr<const std::string*>();
  if (found->is_null() || (word != nullptr && *word == "-inf")) {
    return -std::numeric_limits<double>::infinity();
  }
  reader.refuse("gain_db", "must be a number of decibels, or null or \"-inf\" for silence");
  return std::nullopt;
}

std::optional<bool> flag_of(const json& object, MemberReader& reader, const char* member) {
  if (!reader.good() || !object.contains(member)) return std::nullopt;
  return reader.flag(member);
}

}  // namespace

// --- one route -----------------------------------------------------------------------------------

Result<Ends> Studio::parse_ends(const json& object, std::string_view what) const {
  MemberReader reader(object, what);
  const std::string from = reader.text("from");
  const std::string to = reader.text("to");
  if (!reader.good()) return refusal(reader.result(0));
  auto source = parse_end(from, Role::source);
  if (!source) return refusal(source);
  auto sink = parse_end(to, Role::sink);
  if (!sink) return refusal(sink);
  return Ends{std::move(*source), std::move(*sink)};
}

Result<RouteChange> Studio::parse_change(const json& object, std::string_view what) const {
  auto ends = parse_ends(object, what);
  if (!ends) return refusal(ends);
  MemberReader reader(object, what);
  RouteChange change;
  change.ends = std::move(*ends);
  change.gain_db = gain_of(object, reader);
  change.mute = flag_of(object, reader, "mute");
  change.solo = flag_of(object, reader, "solo");
  change.invert = flag_of(object, reader, "invert");
  return reader.result(std::move(change));
}

// --- writing -------------------------------------------------------------------------------------

json Studio::routes_json(const Routes& routes) const {
  json list = json::array();
  for (const auto& [ends, settings] : routes) {
    json route{{"from", stored_text(ends.source, Role::source)},
               {"to", stored_text(ends.sink, Role::sink)}};
    if (settings.gain_db != 0.0) {
      route["gain_db"] = std::isinf(settings.gain_db) ? json(nullptr) : json(settings.gain_db);
    }
    if (settings.mute) route["mute"] = true;
    if (settings.solo) route["solo"] = true;
    if (settings.invert) route["invert"] = true;
    list.push_back(std::move(route));
  }
  return list;
}

json Studio::to_json() const {
  json cables = json::array();
  for (const Cable& cable : cables_) {
    cables.push_back({{"name", cable.name}, {"channels", cable.channels}});
  }
  json snapshots = json::array();
  for (const auto& [name, snapshot] : snapshots_) {
    snapshots.push_back(
        {{"name", name},
         {"device", {{"id", snapshot.device_id}, {"name", wire::short_name(snapshot.device_name)}}},
         {"routes", routes_json(snapshot.routes)}});
  }
  return {{"version", kRoutingVersion},
          {"cables", std::move(cables)},
          {"routes", routes_json(routes_)},
          {"snapshots", std::move(snapshots)}};
}

// --- reading -------------------------------------------------------------------------------------

Result<Routes> Studio::parse_routes(const json& object, const std::string& what) const {
  MemberReader reader(object, what);
  const json* const list = reader.list("routes", kMaxRoutes);
  if (list == nullptr) return refusal(reader.result(0));
  Routes routes;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string where = fmt::format("{}: routes[{}]", what, i);
    auto change = parse_change((*list)[i], where);
    if (!change) {
      // A reader's refusal names the place already, a port's does not.
      if (change.error().message.rfind(where, 0) == 0) return refusal(change);
      return at(where, change.error());
    }
    const RouteSettings settings{change->gain_db.value_or(0.0), change->mute.value_or(false),
                                 change->solo.value_or(false), change->invert.value_or(false)};
    if (!(settings.gain_db <= kMaxGainDb)) {
      return fail(ErrorCode::malformed,
                  fmt::format("{}: member \"gain_db\" must be at most {:.0f}.", where, kMaxGainDb));
    }
    if (!routes.emplace(std::move(change->ends), settings).second) {
      return fail(ErrorCode::malformed, fmt::format("{}: the same route stands before it.", where));
    }
  }
  if (auto judged = judge_loops(routes); !judged) return at(what + ": routes", judged.error());
  return routes;
}

Result<> Studio::read_snapshots(const json& list, const std::string& what) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("{}: snapshots[{}]", what, i);
    MemberReader reader(list[i], where);
    const std::string name = reader.text("name");
    if (!reader.good()) return refusal(reader.result(0));
    const auto device = list[i].find("device");
    MemberReader device_reader(device == list[i].end() ? list[i] : *device, where + ": device");
    Snapshot snapshot;
    snapshot.device_id = device_reader.text("id", wire::kMaxDeviceIdBytes);
    snapshot.device_name = device_reader.text("name");
    if (!device_reader.good()) return refusal(device_reader.result(0));
    auto routes = parse_routes(list[i], where);
    if (!routes) return refusal(routes);
    total += routes->size();
    snapshot.routes = std::move(*routes);
    if (total > kMaxSnapshotRoutes) {
      return fail(ErrorCode::malformed, fmt::format("{}: more than {} routes in all snapshots.",
                                                    where, kMaxSnapshotRoutes));
    }
    const bool fresh = snapshots_.find(name) == snapshots_.end();
    auto saved = save_snapshot(name);  // judges the name and the count
    if (!saved || !fresh) {
      return fail(ErrorCode::malformed,
                  fmt::format("{}: {}", where,
                              saved ? "the same name stands before it." : saved.error().message));
    }
    snapshots_[name] = std::move(snapshot);
  }
  return {};
}

Result<Studio> Studio::from_json(const json& document, DeviceShape device, std::string_view what) {
  const std::string name(what);
  MemberReader reader(document, name);
  const std::uint32_t version = reader.number("version", 1, wire::kAnyNumber);
  if (reader.good() && version != kRoutingVersion) {
    reader.refuse("version", fmt::format("is {}, and this service reads version {}", version,
                                         kRoutingVersion));
  }
  const json* const cables = reader.list("cables", engine::kMaxCables);
  const json* const snapshots = reader.list("snapshots", kMaxSnapshots);
  if (!reader.good()) return refusal(reader.result(0));

  Studio studio;
  for (std::size_t i = 0; i < cables->size(); ++i) {
    const std::string where = fmt::format("{}: cables[{}]", name, i);
    MemberReader cable((*cables)[i], where);
    const std::string cable_name = cable.text("name");
    const std::uint32_t channels = cable.number("channels", 1, engine::kMaxCableChannels);
    if (!cable.good()) return refusal(cable.result(0));
    // Judged without a device: another one may leave room for them again.
    if (auto added = studio.add_cable(cable_name, channels); !added) {
      return at(where, added.error());
    }
  }
  studio.set_device(std::move(device));
  // Before the routes: an empty Studio saves them as placeholders only.
  if (auto read = studio.read_snapshots(*snapshots, name); !read) return refusal(read);
  auto routes = studio.parse_routes(document, name);
  if (!routes) return refusal(routes);
  studio.routes_ = std::move(*routes);
  return studio;
}

}  // namespace asiodrv::service
