// From what people asked for to what the engine is told: loops, solo, factors.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "service/studio.hpp"

namespace asiodrv::service {
namespace {

using engine::Node;
using engine::Port;

/// Below this nothing is left in 32-bit float; such factors would only be denormal numbers.
constexpr double kSilenceDb = -200.0;

LinearGain factor_of(const RouteSettings& settings) {
  if (settings.mute || settings.gain_db < kSilenceDb) return {0.0F};
  const auto magnitude =
      settings.gain_db == 0.0 ? 1.0F : static_cast<float>(std::pow(10.0, settings.gain_db / 20.0));
  const float bounded = std::min(magnitude, engine::kMaxRouteGain);
  return {settings.invert ? -bounded : bounded};
}

/// Finds a way from a cable through routes alone back to itself. Without recursion: a way may be as
/// long as there are routes, and a thread's stack on Windows is small.
class LoopSearch {
 public:
  explicit LoopSearch(const Routes& routes) {
    for (const auto& [ends, settings] : routes) {
      if (ends.source.kind == EndKind::cable && ends.sink.kind == EndKind::cable) {
        leaving_[ends.source.cable].push_back(&ends);
      }
    }
  }

  /// The routes of a loop in order; empty when there is none.
  std::vector<const Ends*> find() {
    for (const auto& [cable, routes] : leaving_) {
      if (marks_[cable] == Mark::unseen && leads_into_loop(cable)) return loop_;
    }
    return {};
  }

 private:
  enum class Mark : std::uint8_t { unseen, on_path, done };

  /// A cable on the path, and which of the routes that leave it were followed.
  struct Stop {
    const std::string* cable = nullptr;
    std::vector<const Ends*> routes;
    std::size_t followed = 0;
  };

  /// True when a loop can be reached from `start`.
  bool leads_into_loop(const std::string& start) {
    arrive(start, 0);
    while (!stops_.empty()) {
      Stop& here = stops_.back();
      if (here.followed == here.routes.size()) {
        leave();
        continue;
      }
      const Ends* const route = here.routes[here.followed++];
      const Mark mark = marks_[route->sink.cable];
      if (mark == Mark::done) continue;
      path_.push_back(route);
      if (mark == Mark::on_path) {
        const auto first = std::find_if(path_.begin(), path_.end(), [&](const Ends* each) {
          return compare_names(each->source.cable, route->sink.cable) == 0;
        });
        loop_.assign(first, path_.end());
        return true;
      }
      arrive(route->sink.cable, route->sink.channel);
    }
    return false;
  }

  /// `channel`: where the path enters; routes that go on from there make the better message.
  void arrive(const std::string& cable, std::uint32_t channel) {
    marks_[cable] = Mark::on_path;
    Stop stop;
    stop.cable = &cable;
    if (const auto found = leaving_.find(cable); found != leaving_.end()) {
      stop.routes = found->second;
    }
    std::stable_partition(stop.routes.begin(), stop.routes.end(),
                          [&](const Ends* each) { return each->source.channel == channel; });
    stops_.push_back(std::move(stop));
  }

  void leave() {
    marks_[*stops_.back().cable] = Mark::done;
    stops_.pop_back();
    if (!path_.empty()) path_.pop_back();  // the route that led here; none led to the first
  }

  std::map<std::string, std::vector<const Ends*>, NameLess> leaving_;
  std::map<std::string, Mark, NameLess> marks_;
  std::vector<Stop> stops_;
  std::vector<const Ends*> path_, loop_;
};

const SessionPorts* find_session(const std::vector<SessionPorts>& sessions, std::uint32_t id) {
  for (const SessionPorts& session : sessions) {
    if (session.id == id) return &session;
  }
  return nullptr;
}

}  // namespace

/// One route as the engine sees it: the channels of every session that its ends match.
struct Studio::Resolved {
  const Ends* ends = nullptr;
  const RouteSettings* settings = nullptr;
  std::vector<Port> sources, sinks;

  [[nodiscard]] bool rests() const { return sources.empty() || sinks.empty(); }
};

std::string_view route_state_name(RouteState state) noexcept {
  switch (state) {
    case RouteState::active: return "active";
    case RouteState::muted: return "muted";
    case RouteState::silenced: return "silenced";
    case RouteState::rests: return "rests";
  }
  return "rests";
}

// --- loops ---------------------------------------------------------------------------------------

/// A cable's channels are one node: the engine carries a cable as a whole.
Result<> Studio::judge_loops(const Routes& routes) const {
  for (const auto& [ends, settings] : routes) {
    const bool programs =
        ends.source.kind == EndKind::program && ends.sink.kind == EndKind::program;
    if (programs && compare_names(ends.source.program, ends.sink.program) == 0) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("The route would close a loop: {}. Lead it through a cable or to "
                              "another program.",
                              text(ends)));
    }
  }
  const std::vector<const Ends*> loop = LoopSearch(routes).find();
  if (loop.empty()) return {};
  std::string path;
  std::string reached;
  for (const Ends* const route : loop) {
    const std::string from = text(route->source, Role::source);
    if (path.empty()) path = from;
    if (!reached.empty() && compare_names(from, reached) != 0) path += ", " + from;
    reached = text(route->sink, Role::sink);
    path += " -> " + reached;
  }
  return fail(ErrorCode::invalid_argument,
              fmt::format("The routes would close a loop: {}. Remove one of them first.", path));
}

// --- what is where -------------------------------------------------------------------------------

std::vector<Port> Studio::resolve(const End& end, Role role,
                                  const std::vector<SessionPorts>& sessions) const {
  const auto there = place(end);
  if (!there || missing(end, role)) return {};
  if (end.kind != EndKind::program) return {*there};
  std::vector<Port> found;
  for (const SessionPorts& session : sessions) {
    if (compare_names(session.program, end.program) != 0) continue;
    const std::vector<Port>& channels = role == Role::source ? session.outputs : session.inputs;
    for (std::size_t i = 0; i < channels.size(); ++i) {
      if (channels[i] == *there) {
        found.push_back({Node::client, session.id, static_cast<std::uint32_t>(i)});
      }
    }
  }
  return found;
}

std::vector<Studio::Resolved> Studio::resolve_all(const std::vector<SessionPorts>& sessions) const {
  std::vector<Resolved> all;
  all.reserve(routes_.size());
  for (const auto& [ends, settings] : routes_) {
    all.push_back({&ends, &settings, resolve(ends.source, Role::source, sessions),
                   resolve(ends.sink, Role::sink, sessions)});
  }
  return all;
}

namespace {

template <class AllResolved>
std::set<Port> soloed_sinks(const AllResolved& all) {
  std::set<Port> soloed;
  for (const auto& route : all) {
    if (route.settings->solo && !route.rests()) {
      soloed.insert(route.sinks.begin(), route.sinks.end());
    }
  }
  return soloed;
}

}  // namespace

std::string Studio::rest_reason(const Ends& ends, const std::vector<SessionPorts>& sessions) const {
  for (const Role role : {Role::source, Role::sink}) {
    const End* const end = role == Role::source ? &ends.source : &ends.sink;
    if (auto lacks = missing(*end, role)) return *lacks;
    if (end->kind != EndKind::program || !resolve(*end, role, sessions).empty()) continue;
    const bool runs = std::any_of(sessions.begin(), sessions.end(), [&](const SessionPorts& each) {
      return compare_names(each.program, end->program) == 0;
    });
    return runs ? fmt::format("{} has no buffer for {}.", end->program, text(*end, role))
                : fmt::format("{} has no buffers now.", end->program);
  }
  return {};
}

std::vector<RouteReport> Studio::reports(const std::vector<SessionPorts>& sessions) const {
  const std::vector<Resolved> all = resolve_all(sessions);
  const std::set<Port> soloed = soloed_sinks(all);
  std::vector<RouteReport> reports;
  reports.reserve(all.size());
  for (const Resolved& route : all) {
    const bool heard = route.settings->solo ||
                       std::any_of(route.sinks.begin(), route.sinks.end(),
                                   [&](const Port& sink) { return soloed.count(sink) == 0; });
    if (route.rests())
      reports.push_back({RouteState::rests, rest_reason(*route.ends, sessions)});
    else if (route.settings->mute)
      reports.push_back({RouteState::muted, {}});
    else
      reports.push_back({heard ? RouteState::active : RouteState::silenced, {}});
  }
  return reports;
}

// --- the graph -----------------------------------------------------------------------------------

engine::GraphSpec Studio::compile(const std::vector<SessionPorts>& sessions) const {
  engine::GraphSpec graph;
  for (const Cable& cable : cables_) graph.cables.push_back({cable.id, cable.channels});

  const std::vector<Resolved> all = resolve_all(sessions);
  const std::set<Port> soloed = soloed_sinks(all);
  std::set<std::pair<Port, Port>> told;
  const auto tell = [&](const Port& source, const Port& sink, LinearGain gain) {
    if (told.emplace(source, sink).second) graph.routes.push_back({source, sink, gain});
  };
  for (const Resolved& route : all) {
    for (const Port& source : route.sources) {
      for (const Port& sink : route.sinks) {
        const bool silenced = soloed.count(sink) > 0 && !route.settings->solo;
        tell(source, sink, silenced ? LinearGain{0.0F} : factor_of(*route.settings));
      }
    }
  }
  // What is connected straight to a soloed sink is silenced as well.
  for (const Port& sink : soloed) {
    if (sink.node == Node::client) {
      const SessionPorts* const session = find_session(sessions, sink.owner);
      if (session != nullptr) tell(session->inputs[sink.channel], sink, {0.0F});
      continue;
    }
    for (const SessionPorts& session : sessions) {
      for (std::size_t i = 0; i < session.outputs.size(); ++i) {
        if (session.outputs[i] != sink) continue;
        tell({Node::client, session.id, static_cast<std::uint32_t>(i)}, sink, {0.0F});
      }
    }
  }
  return graph;
}

}  // namespace asiodrv::service
