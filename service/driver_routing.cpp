// Cables, routes, snapshots and meters: requests judged by the Studio, its graph given to the
// engine.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/wire/member_reader.hpp"
#include "service/driver_service.hpp"
#include "service/pages.hpp"
#include "service/studio_file.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;

constexpr std::size_t kRowsPerPage = 300;
constexpr std::size_t kMaxChanges = 2048;
constexpr double kFloorDb = -144.0;  // 24 bits; quieter than that is silence

bool same_graph(const engine::GraphSpec& a, const engine::GraphSpec& b) {
  return std::equal(a.cables.begin(), a.cables.end(), b.cables.begin(), b.cables.end(),
                    [](const engine::CableSpec& left, const engine::CableSpec& right) {
                      return left.id == right.id && left.channels == right.channels;
                    }) &&
         std::equal(a.routes.begin(), a.routes.end(), b.routes.begin(), b.routes.end(),
                    [](const engine::Route& left, const engine::Route& right) {
                      return left.source == right.source && left.sink == right.sink &&
                             left.gain == right.gain;
                    });
}

json decibels(float level) {
  const double db = level > 0.0F ? 20.0 * std::log10(static_cast<double>(level)) : kFloorDb - 1.0;
  if (!(db >= kFloorDb)) return nullptr;  // also what is not a number
  return std::round(db * 10.0) / 10.0;
}

json gain_json(double gain_db) { return std::isinf(gain_db) ? json(nullptr) : json(gain_db); }

/// The page of `rows` that begins at number params.from.
Result<json> page(const char* name, json rows, const json& params) {
  wire::MemberReader reader(params, name);
  const std::uint32_t from =
      reader.number_or("from", 0, std::numeric_limits<std::uint32_t>::max(), 0);
  if (!reader.good()) return refusal(reader.result(0));
  const std::size_t total = rows.size();
  const std::size_t first = std::min<std::size_t>(from, total);
  json shown = take_page(rows, first, kRowsPerPage);
  const std::size_t next = first + shown.size();
  return json{{name, std::move(shown)}, {"next", next}, {"total", total}};
}

/// The member "routes" of a request, each element read by `parse`.
template <class Element, class Parse>
Result<std::vector<Element>> read_routes(const json& params, const char* method, Parse parse) {
  wire::MemberReader reader(params, method);
  const json* const list = reader.list("routes", kMaxChanges);
  if (list == nullptr) return refusal(reader.result(0));
  std::vector<Element> all;
  for (std::size_t i = 0; i < list->size(); ++i) {
    auto element = parse((*list)[i], fmt::format("{}: routes[{}]", method, i));
    if (!element) return refusal(element);
    all.push_back(std::move(*element));
  }
  return all;
}

Result<std::string> read_name(const json& params, const char* method) {
  wire::MemberReader reader(params, method);
  std::string name = reader.text("name");
  return reader.result(std::move(name));
}

const engine::Levels::Owned* find_owned(const std::vector<engine::Levels::Owned>& all,
                                        std::uint32_t id) {
  for (const auto& each : all) {
    if (each.id == id) return &each;
  }
  return nullptr;
}

json meter(std::string port, std::string name, const std::vector<engine::Level>* levels,
           std::size_t channel) {
  json row{{"port", std::move(port)},
           {"name", std::move(name)},
           {"peak_db", nullptr},
           {"rms_db", nullptr}};
  if (levels != nullptr && channel < levels->size()) {
    row["peak_db"] = decibels((*levels)[channel].peak);
    row["rms_db"] = decibels((*levels)[channel].rms);
  }
  return row;
}

std::string name_of(const std::vector<std::string>& names, std::size_t channel) {
  return channel < names.size() ? names[channel] : std::string();
}

}  // namespace

// --- what the engine and the disk are told -------------------------------------------------------

std::vector<SessionPorts> DriverService::session_ports() const {
  std::vector<SessionPorts> all;
  for (const auto& [connection, client] : clients_) {
    if (!client.session) continue;
    const engine::ClientSetup& setup = client.session->setup();
    all.push_back({setup.id, client.program(), setup.inputs, setup.outputs});
  }
  return all;
}

Result<> DriverService::tell_graph(const Studio& studio) {
  engine::GraphSpec graph = studio.compile(session_ports());
  add_host_mixers(graph, studio);
  if (graph_ && same_graph(*graph_, graph)) return {};  // a swap costs up to two periods
  if (auto set = host_->set_graph(graph); !set) return set;
  graph_ = std::move(graph);
  return {};
}

/// After clients or the device have changed: the same wishes, other channels.
void DriverService::refresh_graph() {
  if (auto told = tell_graph(studio_); !told) {
    ports_.log(LogLevel::warning, "The routes are not in force: " + told.error().message);
  }
}

/// Makes an edited copy the one in force, or changes nothing.
Result<json> DriverService::adopt(Studio next, json answer) {
  if (auto told = tell_graph(next); !told) return refusal(told);
  studio_ = std::move(next);
  if (auto kept = keep_studio(); !kept) answer["warning"] = kept.error().message;
  return answer;
}

Result<> DriverService::keep_studio() {
  if (ports_.routing_path.empty()) return {};
  Result<> kept = keeps_studio_ ? save_studio(ports_.routing_path, studio_)
                                : fail(ErrorCode::access_denied,
                                       ports_.routing_path + " could not be read at the start.");
  if (kept) return kept;
  const std::string why = "The change is in force and is lost with the service: ";
  ports_.log(LogLevel::warning, why + kept.error().message);
  return fail(kept.error().code, why + kept.error().message);
}

void DriverService::load_routing() {
  if (ports_.routing_path.empty()) return;
  LoadedStudio loaded = load_studio(ports_.routing_path, studio_.device());
  if (!loaded.warning.empty()) ports_.log(LogLevel::warning, loaded.warning);
  keeps_studio_ = loaded.keep;
  studio_ = std::move(loaded.studio);
  refresh_graph();
}

void DriverService::tell_new_channels() {
  for (const auto& [connection, client] : clients_) {
    if (client.hello) notify(client, {wire::HostEventKind::reset_request, {}, {}, {}});
  }
}

// --- routes --------------------------------------------------------------------------------------

Result<json> DriverService::list_routes(Client&, const json& params) {
  const std::vector<RouteReport> reports = studio_.reports(session_ports());
  json rows = json::array();
  std::size_t i = 0;
  for (const auto& [ends, settings] : studio_.routes()) {
    json row{{"from", studio_.text(ends.source, Role::source)},
             {"to", studio_.text(ends.sink, Role::sink)},
             {"gain_db", gain_json(settings.gain_db)},
             {"mute", settings.mute},
             {"solo", settings.solo},
             {"invert", settings.invert},
             {"state", route_state_name(reports[i].state)}};
    if (!reports[i].reason.empty()) row["reason"] = reports[i].reason;
    rows.push_back(std::move(row));
    ++i;
  }
  return page("routes", std::move(rows), params);
}

Result<json> DriverService::set_routes(Client&, const json& params) {
  const auto changes = read_routes<RouteChange>(
      params, "routes.set", [this](const json& element, const std::string& where) {
        return studio_.parse_change(element, where);
      });
  if (!changes) return refusal(changes);
  Studio next = studio_;
  if (auto done = next.set_routes(*changes); !done) return refusal(done);
  return adopt(std::move(next), {{"changed", changes->size()}});
}

Result<json> DriverService::remove_routes(Client&, const json& params) {
  const auto all = read_routes<Ends>(params, "routes.remove",
                                     [this](const json& element, const std::string& where) {
                                       return studio_.parse_ends(element, where);
                                     });
  if (!all) return refusal(all);
  Studio next = studio_;
  if (auto done = next.remove_routes(*all); !done) return refusal(done);
  return adopt(std::move(next), {{"removed", all->size()}});
}

Result<json> DriverService::clear_routes(Client&, const json&) {
  Studio next = studio_;
  const std::size_t count = next.clear_routes();
  return adopt(std::move(next), {{"removed", count}});
}

// --- snapshots -----------------------------------------------------------------------------------

Result<json> DriverService::list_snapshots(Client&, const json&) {
  json list = json::array();
  for (const auto& [name, snapshot] : studio_.snapshots()) {
    list.push_back(
        {{"name", name}, {"routes", snapshot.routes.size()}, {"device", snapshot.device_name}});
  }
  return json{{"snapshots", std::move(list)}};
}

Result<json> DriverService::save_snapshot(Client&, const json& params) {
  const auto name = read_name(params, "snapshots.save");
  if (!name) return refusal(name);
  Studio next = studio_;
  if (auto done = next.save_snapshot(*name); !done) return refusal(done);
  return adopt(std::move(next), {{"routes", studio_.routes().size()}});
}

Result<json> DriverService::recall_snapshot(Client&, const json& params) {
  const auto name = read_name(params, "snapshots.recall");
  if (!name) return refusal(name);
  Studio next = studio_;
  if (auto done = next.recall_snapshot(*name); !done) return refusal(done);
  const std::size_t count = next.routes().size();
  return adopt(std::move(next), {{"routes", count}});
}

Result<json> DriverService::delete_snapshot(Client&, const json& params) {
  const auto name = read_name(params, "snapshots.delete");
  if (!name) return refusal(name);
  Studio next = studio_;
  if (auto done = next.delete_snapshot(*name); !done) return refusal(done);
  return adopt(std::move(next), json::object());
}

// --- cables --------------------------------------------------------------------------------------

Result<json> DriverService::list_cables(Client&, const json&) {
  const auto first = [this](Role role, const Cable& cable) {
    const auto number = studio_.program_channel(role, {engine::Node::cable, cable.id, 0});
    return number ? json(*number + 1) : json(nullptr);
  };
  json list = json::array();
  for (const Cable& cable : studio_.cables()) {
    json programs = json::array();
    for (const SessionPorts& session : session_ports()) {
      const auto uses = [&](const engine::Port& port) {
        return port.node == engine::Node::cable && port.owner == cable.id;
      };
      if (std::any_of(session.inputs.begin(), session.inputs.end(), uses) ||
          std::any_of(session.outputs.begin(), session.outputs.end(), uses)) {
        programs.push_back(session.program);
      }
    }
    list.push_back({{"name", cable.name},
                    {"channels", cable.channels},
                    {"first_input", first(Role::sink, cable)},
                    {"first_output", first(Role::source, cable)},
                    {"used_by", std::move(programs)}});
  }
  return json{{"cables", std::move(list)}};
}

Result<json> DriverService::create_cable(Client&, const json& params) {
  wire::MemberReader reader(params, "cables.create");
  const std::string name = reader.text("name");
  const std::uint32_t channels =
      reader.number("channels", 0, std::numeric_limits<std::uint32_t>::max());
  if (!reader.good()) return refusal(reader.result(0));
  Studio next = studio_;
  if (auto done = next.add_cable(name, channels); !done) return refusal(done);
  auto answer = adopt(std::move(next), {{"channels", channels}});
  if (answer) tell_new_channels();
  return answer;
}

Result<json> DriverService::remove_cable(Client&, const json& params) {
  const auto name = read_name(params, "cables.remove");
  if (!name) return refusal(name);
  Studio next = studio_;
  const auto removed = next.remove_cable(*name, session_ports());
  if (!removed) return refusal(removed);
  auto answer = adopt(std::move(next), {{"removed_routes", *removed}});
  if (answer) tell_new_channels();
  return answer;
}

// --- meters --------------------------------------------------------------------------------------

Result<json> DriverService::get_meters(Client&, const json& params) {
  const engine::Levels levels = host_->levels();
  const ports::DeviceInfo& info = host_->info();
  json rows = json::array();
  for (std::uint32_t i = 0; i < info.input_channels; ++i) {
    rows.push_back(
        meter(fmt::format("in:{}", i + 1), name_of(info.input_names, i), &levels.inputs, i));
  }
  for (std::uint32_t i = 0; i < info.output_channels; ++i) {
    rows.push_back(
        meter(fmt::format("out:{}", i + 1), name_of(info.output_names, i), &levels.outputs, i));
  }
  for (const Cable& cable : studio_.cables()) {
    const auto* const owned = find_owned(levels.cables, cable.id);
    for (std::uint32_t i = 0; i < cable.channels; ++i) {
      rows.push_back(meter(fmt::format("{}:{}", cable.name, i + 1),
                           fmt::format("{} {}", cable.name, i + 1),
                           owned != nullptr ? &owned->inputs : nullptr, i));
    }
  }
  for (const SessionPorts& session : session_ports()) {
    const auto* const owned = find_owned(levels.clients, session.id);
    for (const Role role : {Role::sink, Role::source}) {
      const auto& channels = role == Role::sink ? session.inputs : session.outputs;
      const auto* const values =
          owned == nullptr ? nullptr : (role == Role::sink ? &owned->inputs : &owned->outputs);
      for (std::size_t i = 0; i < channels.size(); ++i) {
        const auto number = studio_.program_channel(role, channels[i]);
        rows.push_back(
            meter(fmt::format("{}/{}:{}", session.program, role == Role::sink ? "in" : "out",
                              number ? *number + 1 : 0),
                  {}, values, i));
        rows.back()["session"] = session.id;
      }
    }
  }
  return page("meters", std::move(rows), params);
}

}  // namespace asiodrv::service
