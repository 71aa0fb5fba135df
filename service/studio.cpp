// Edits and their judgement. Ends are in studio_ends.cpp, the graph in studio_graph.cpp, the file's
// form in studio_json.cpp.
#include "service/studio.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/wire/section.hpp"

namespace asiodrv::service {
namespace {

constexpr std::size_t kToldGone = 5;  // things that one message lists

/// What is wrong with a cable's name; empty when nothing is.
std::string judge_cable_name(const std::string& name) {
  if (name.empty() || name.size() > Studio::kMaxCableNameBytes) {
    return fmt::format("A cable's name has 1 to {} bytes; this one has {}.",
                       Studio::kMaxCableNameBytes, name.size());
  }
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F && c != '/' && c != ':';
  });
  if (!plain || name.front() == ' ' || name.back() == ' ') {
    return "A cable's name holds no '/', no ':' and no control character, and no blank at its "
           "ends.";
  }
  if (compare_names(name, "in") == 0 || compare_names(name, "out") == 0) {
    return fmt::format("\"{}\" stands for the device's channels; choose another name.", name);
  }
  return {};
}

bool uses(const End& end, const std::string& cable) {
  return !end.cable.empty() && compare_names(end.cable, cable) == 0;
}

const engine::Port* find_port(const SessionPorts& session, std::uint32_t cable) {
  for (const auto* const ports : {&session.inputs, &session.outputs}) {
    for (const engine::Port& port : *ports) {
      if (port.node == engine::Node::cable && port.owner == cable) return &port;
    }
  }
  return nullptr;
}

bool touches_device(const Routes& routes) {
  const auto touches = [](const End& end) {
    return end.kind != EndKind::cable && end.cable.empty();
  };
  return std::any_of(routes.begin(), routes.end(), [&](const auto& route) {
    return touches(route.first.source) || touches(route.first.sink);
  });
}

}  // namespace

// --- cables --------------------------------------------------------------------------------------

Result<> Studio::add_cable(const std::string& name, std::uint32_t channels) {
  if (auto wrong = judge_cable_name(name); !wrong.empty()) {
    return fail(ErrorCode::invalid_argument, std::move(wrong));
  }
  if (channels < 1 || channels > engine::kMaxCableChannels) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("A cable has 1 to {} channels; {} were asked for.",
                            engine::kMaxCableChannels, channels));
  }
  if (const Cable* const other = find_cable(name)) {
    return fail(ErrorCode::already_exists,
                fmt::format("There is a cable \"{}\" already; choose another name.", other->name));
  }
  if (cables_.size() >= engine::kMaxCables) {
    return fail(
        ErrorCode::limit_reached,
        fmt::format("There are {} cables already, and there can be no more.", engine::kMaxCables));
  }
  std::uint32_t seen = std::max(device_.inputs, device_.outputs);
  for (const Cable& cable : cables_) seen += cable.channels;
  if (seen + channels > wire::kMaxChannels) {
    return fail(ErrorCode::limit_reached,
                fmt::format("Programs see at most {} channels in each direction, and {} are taken; "
                            "choose {} channels or fewer.",
                            wire::kMaxChannels, seen,
                            wire::kMaxChannels - std::min(seen, wire::kMaxChannels)));
  }
  cables_.push_back({name, channels, next_cable_++});
  return {};
}

Result<std::size_t> Studio::remove_cable(const std::string& name,
                                         const std::vector<SessionPorts>& sessions) {
  const Cable* const found = find_cable(name);
  if (found == nullptr) {
    return fail(ErrorCode::not_found, *missing({EndKind::cable, {}, name, 0}, Role::source));
  }
  const Cable cable = *found;
  for (const SessionPorts& session : sessions) {
    if (find_port(session, cable.id) != nullptr) {
      return fail(ErrorCode::invalid_state,
                  fmt::format("{} uses the cable {}. Close it there, then remove the cable.",
                              session.program, cable.name));
    }
  }
  if (!sessions.empty() && cable.id != cables_.back().id) {
    return fail(ErrorCode::invalid_state,
                fmt::format("{} is using the driver, and the channels of the cables after {} would "
                            "get other numbers under it. Close the programs, then remove the "
                            "cable.",
                            sessions.front().program, cable.name));
  }
  std::erase_if(cables_, [&](const Cable& each) { return each.id == cable.id; });
  return std::erase_if(routes_, [&](const auto& route) {
    return uses(route.first.source, cable.name) || uses(route.first.sink, cable.name);
  });
}

// --- routes --------------------------------------------------------------------------------------

Result<> Studio::set_routes(const std::vector<RouteChange>& changes) {
  Routes routes = routes_;
  for (const RouteChange& change : changes) {
    if (change.gain_db && !(*change.gain_db <= kMaxGainDb)) {  // also what is not a number
      return fail(ErrorCode::invalid_argument,
                  fmt::format("{}: a gain is at most {:+.0f} dB; -inf is silence.",
                              text(change.ends), kMaxGainDb));
    }
    auto route = routes.find(change.ends);
    if (route == routes.end()) {
      auto lacks = missing(change.ends.source, Role::source);
      if (!lacks) lacks = missing(change.ends.sink, Role::sink);
      if (lacks) return fail(ErrorCode::not_found, std::move(*lacks));
      if (routes.size() >= kMaxRoutes) {
        return fail(ErrorCode::limit_reached,
                    fmt::format("There can be at most {} routes.", kMaxRoutes));
      }
      route = routes.emplace(change.ends, RouteSettings{}).first;
    }
    RouteSettings& settings = route->second;
    settings.gain_db = change.gain_db.value_or(settings.gain_db);
    settings.mute = change.mute.value_or(settings.mute);
    settings.solo = change.solo.value_or(settings.solo);
    settings.invert = change.invert.value_or(settings.invert);
  }
  if (auto judged = judge_loops(routes); !judged) return judged;
  routes_ = std::move(routes);
  return {};
}

Result<> Studio::remove_routes(const std::vector<Ends>& all) {
  Routes routes = routes_;
  for (const Ends& ends : all) {
    if (routes.erase(ends) == 0) {
      return fail(
          ErrorCode::not_found,
          fmt::format("There is no route {}; \"asio-driver route\" lists them.", text(ends)));
    }
  }
  routes_ = std::move(routes);
  return {};
}

std::size_t Studio::clear_routes() noexcept {
  const std::size_t count = routes_.size();
  routes_.clear();
  return count;
}

// --- snapshots -----------------------------------------------------------------------------------

std::size_t Studio::snapshot_routes(const std::string& except) const {
  std::size_t sum = 0;
  for (const auto& [name, snapshot] : snapshots_) {
    if (compare_names(name, except) != 0) sum += snapshot.routes.size();
  }
  return sum;
}

Result<> Studio::save_snapshot(const std::string& name) {
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (!plain || name.empty() || name.size() > kMaxSnapshotNameBytes) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("A snapshot's name has 1 to {} bytes and no control characters.",
                            kMaxSnapshotNameBytes));
  }
  const bool fresh = snapshots_.find(name) == snapshots_.end();
  if (fresh && snapshots_.size() >= kMaxSnapshots) {
    return fail(ErrorCode::limit_reached,
                fmt::format("There are {} snapshots already; forget one first.", kMaxSnapshots));
  }
  if (snapshot_routes(name) + routes_.size() > kMaxSnapshotRoutes) {
    return fail(ErrorCode::limit_reached,
                fmt::format("All snapshots together hold at most {} routes; forget one first.",
                            kMaxSnapshotRoutes));
  }
  snapshots_[name] = {device_.id, device_.name, routes_};
  return {};
}

Result<> Studio::recall_snapshot(const std::string& name) {
  const auto found = snapshots_.find(name);
  if (found == snapshots_.end()) {
    return fail(ErrorCode::not_found, fmt::format("There is no snapshot \"{}\".", name));
  }
  const Snapshot& snapshot = found->second;
  std::vector<std::string> gone;
  const auto note = [&](std::string what) {
    if (std::find(gone.begin(), gone.end(), what) == gone.end()) gone.push_back(std::move(what));
  };
  const bool other_device = touches_device(snapshot.routes) && snapshot.device_id != device_.id;
  if (other_device) {
    note(fmt::format("It was saved with the device {}, and {} is here now.", snapshot.device_name,
                     device_.name));
  }
  for (const auto& [ends, settings] : snapshot.routes) {
    for (const auto& [end, role] :
         {std::pair{&ends.source, Role::source}, {&ends.sink, Role::sink}}) {
      const bool of_device = end->kind != EndKind::cable && end->cable.empty();
      if (other_device && of_device) continue;  // said already
      if (auto lacks = missing(*end, role)) note(std::move(*lacks));
    }
  }
  if (!gone.empty()) {
    const std::size_t more = gone.size() - std::min(gone.size(), kToldGone);
    gone.resize(std::min(gone.size(), kToldGone));
    return fail(ErrorCode::not_found,
                fmt::format("The snapshot \"{}\" cannot be recalled. {}{}", found->first,
                            fmt::join(gone, " "),
                            more > 0 ? fmt::format(" {} more things are gone.", more) : ""));
  }
  if (auto judged = judge_loops(snapshot.routes); !judged) return judged;
  routes_ = snapshot.routes;
  return {};
}

Result<> Studio::delete_snapshot(const std::string& name) {
  if (snapshots_.erase(name) == 0) {
    return fail(ErrorCode::not_found, fmt::format("There is no snapshot \"{}\".", name));
  }
  return {};
}

}  // namespace asiodrv::service
