// What the user has connected: cables, routes, snapshots. A model only: no threads, no files, no
// engine; DriverService gives it words from outside and gives its graph to the engine.
//
// Ports are written as people read them, counted from 1:
//
//   in:3              the device's third input          a source
//   out:1             the device's first output         a sink
//   Talk:1            a cable's first channel           both
//   daw.exe/out:2     a program's second ASIO output    a source
//   daw.exe/in:2      a program's second ASIO input     a sink
//   daw.exe/out:Talk:1, daw.exe/out:out:2               the same by what it is connected straight
//   to
//
// A program sees the device's channels first and then those of the cables, in their order; each is
// connected straight to its partner at unity. Inside, a program's channel is its partner: so a
// route means the same channel after a cable or the device was exchanged. Letter case never
// matters.
//
// Every edit is all or nothing: an error leaves everything as it was. Messages are whole sentences
// for the user. Not thread safe; RT: no.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/engine/graph.hpp"

namespace asiodrv::service {

enum class EndKind : std::uint8_t { device, cable, program };
/// What an end does in its route.
enum class Role : std::uint8_t { source, sink };

/// Compares names without regard to ASCII letter case; bytes beyond ASCII count as they are.
[[nodiscard]] int compare_names(std::string_view a, std::string_view b) noexcept;
struct NameLess {
  bool operator()(const std::string& a, const std::string& b) const noexcept {
    return compare_names(a, b) < 0;
  }
};

struct End {
  EndKind kind = EndKind::device;
  std::string program;  ///< of a program's end
  /// The cable. Of a program's end: the partner's cable, empty when the partner is the device.
  std::string cable;
  std::uint32_t channel = 0;  ///< of the device, the cable or the partner; from 0
};

struct Ends {
  End source, sink;
};
struct EndsLess {
  bool operator()(const Ends& a, const Ends& b) const noexcept;
};

struct RouteSettings {
  double gain_db = 0.0;  ///< -infinity (silence) to kMaxGainDb
  bool mute = false;
  /// While a route into a sink is soloed, nothing else sounds there: no other route, and nothing
  /// that is connected straight. Mute wins. A resting route solos nothing.
  bool solo = false;
  bool invert = false;  ///< reverses the polarity
};
using Routes = std::map<Ends, RouteSettings, EndsLess>;

/// What is not given stays as it is, or is a new route's default.
struct RouteChange {
  Ends ends;
  std::optional<double> gain_db;
  std::optional<bool> mute, solo, invert;
};

struct Cable {
  std::string name;
  std::uint32_t channels = 0;
  std::uint32_t id = 0;  ///< as CableSpec::id; never reused within a service's life
};

/// What the Studio knows of the audio device.
struct DeviceShape {
  std::string id, name;
  std::uint32_t inputs = 0, outputs = 0;
};

/// One program with buffers; see engine::ClientSetup.
struct SessionPorts {
  std::uint32_t id = 0;
  std::string program;
  std::vector<engine::Port> inputs,
      outputs;  ///< what each of its channels is connected straight to
};

/// The routes under a name, and the device that they were saved for.
struct Snapshot {
  std::string device_id, device_name;
  Routes routes;
};

enum class RouteState : std::uint8_t {
  active,
  muted,
  silenced,  ///< another route into the same sink is soloed
  rests      ///< an end is not there now
};
[[nodiscard]] std::string_view route_state_name(RouteState state) noexcept;

struct RouteReport {
  RouteState state = RouteState::active;
  std::string reason;  ///< of a resting route: what is missing
};

class Studio {
 public:
  static constexpr double kMaxGainDb = 24.0;
  static constexpr std::size_t kMaxCableNameBytes = 24;  // "NAME 128" fits ASIO's 31 bytes
  static constexpr std::size_t kMaxProgramBytes = 200;
  static constexpr std::size_t kMaxSnapshotNameBytes = 64;
  static constexpr std::size_t kMaxRoutes = 4096;
  static constexpr std::size_t kMaxSnapshots = 64;
  static constexpr std::size_t kMaxSnapshotRoutes = 65'536;  ///< in all snapshots together

  void set_device(DeviceShape device) { device_ = std::move(device); }
  [[nodiscard]] const DeviceShape& device() const noexcept { return device_; }

  // --- cables ------------------------------------------------------------------------------------

  [[nodiscard]] const std::vector<Cable>& cables() const noexcept { return cables_; }
  /// Appends a cable. Errors: already_exists, invalid_argument (name, number of channels),
  /// limit_reached (engine::kMaxCables, what programs can see).
  [[nodiscard]] Result<> add_cable(const std::string& name, std::uint32_t channels);
  /// Removes a cable and its routes; says how many those were. Errors: not_found; invalid_state
  /// (a session uses it, or would find its channels under other numbers).
  [[nodiscard]] Result<std::size_t> remove_cable(const std::string& name,
                                                 const std::vector<SessionPorts>& sessions);
  [[nodiscard]] const Cable* find_cable(std::string_view name) const noexcept;

  // --- the channels that programs see ------------------------------------------------------------

  /// Of a program as `role`: its outputs (source) or inputs (sink). At most wire::kMaxChannels.
  [[nodiscard]] std::uint32_t program_channels(Role role) const noexcept;
  /// What a program's channel is connected straight to; nothing beyond program_channels.
  [[nodiscard]] std::optional<engine::Port> partner(Role role,
                                                    std::uint32_t channel) const noexcept;
  /// The other way round: the number, from 0, under which programs see a device's or cable's port.
  [[nodiscard]] std::optional<std::uint32_t> program_channel(Role role,
                                                             const engine::Port& partner) const;
  /// The names of the cables' channels in order, at most as many as programs can see as `role`.
  [[nodiscard]] std::vector<std::string> cable_channel_names(Role role) const;

  // --- ends --------------------------------------------------------------------------------------

  /// Reads a port as people write it. Whether a device's or cable's channel is there is judged by
  /// set_routes. Errors: malformed (not a port), invalid_argument (a sink as a source or the other
  /// way round), not_found (a program's channel that no program can have).
  [[nodiscard]] Result<End> parse_end(std::string_view text, Role role) const;
  [[nodiscard]] std::string text(const End& end, Role role) const;
  [[nodiscard]] std::string text(const Ends& ends) const {
    return text(ends.source, Role::source) + " -> " + text(ends.sink, Role::sink);
  }

  // --- routes ------------------------------------------------------------------------------------

  [[nodiscard]] const Routes& routes() const noexcept { return routes_; }
  /// Adds or changes all. Errors: not_found (an end of a new route does not exist; a program that
  /// does not run is no error), invalid_argument (gain, loop), limit_reached.
  [[nodiscard]] Result<> set_routes(const std::vector<RouteChange>& changes);
  /// Removes all. Errors: not_found.
  [[nodiscard]] Result<> remove_routes(const std::vector<Ends>& all);
  std::size_t clear_routes() noexcept;
  /// How each route fares, in the order of routes().
  [[nodiscard]] std::vector<RouteReport> reports(const std::vector<SessionPorts>& sessions) const;

  // --- snapshots ---------------------------------------------------------------------------------

  using Snapshots = std::map<std::string, Snapshot, NameLess>;
  [[nodiscard]] const Snapshots& snapshots() const noexcept { return snapshots_; }
  /// Keeps the present routes under `name`; an older snapshot of that name is replaced. Errors:
  /// invalid_argument (name), limit_reached.
  [[nodiscard]] Result<> save_snapshot(const std::string& name);
  /// Replaces the routes by the snapshot's. Errors: not_found (no such snapshot; a cable, channel
  /// or device that it names is gone: the message lists them).
  [[nodiscard]] Result<> recall_snapshot(const std::string& name);
  /// Errors: not_found.
  [[nodiscard]] Result<> delete_snapshot(const std::string& name);

  // --- what the engine is told, and what is kept -------------------------------------------------

  /// Cables, and the routes whose ends are there; solo, mute, decibels and polarity are factors.
  [[nodiscard]] engine::GraphSpec compile(const std::vector<SessionPorts>& sessions) const;

  /// All but the device.
  [[nodiscard]] nlohmann::json to_json() const;
  /// `what` begins the messages. Ends that are gone rest. Errors: malformed, naming the member.
  [[nodiscard]] static Result<Studio> from_json(const nlohmann::json& document, DeviceShape device,
                                                std::string_view what);
  /// Reads {from, to, gain_db?, mute?, solo?, invert?}. A gain is a number, null or "-inf". Errors:
  /// malformed, those of parse_end.
  [[nodiscard]] Result<RouteChange> parse_change(const nlohmann::json& object,
                                                 std::string_view what) const;
  /// Reads {from, to}. Errors: as parse_change.
  [[nodiscard]] Result<Ends> parse_ends(const nlohmann::json& object, std::string_view what) const;

 private:
  struct Resolved;

  [[nodiscard]] Result<End> parse_program_end(std::string_view text, std::size_t slash,
                                              Role role) const;
  /// Why the end is not there, as a sentence; nothing when it is, or waits for its program only.
  [[nodiscard]] std::optional<std::string> missing(const End& end, Role role) const;
  [[nodiscard]] std::string stored_text(const End& end, Role role) const;
  [[nodiscard]] std::optional<engine::Port> place(const End& end) const noexcept;
  [[nodiscard]] std::vector<engine::Port> resolve(const End& end, Role role,
                                                  const std::vector<SessionPorts>& sessions) const;
  [[nodiscard]] std::vector<Resolved> resolve_all(const std::vector<SessionPorts>& sessions) const;
  [[nodiscard]] Result<> judge_loops(const Routes& routes) const;
  [[nodiscard]] std::string rest_reason(const Ends& ends,
                                        const std::vector<SessionPorts>& sessions) const;
  [[nodiscard]] std::size_t snapshot_routes(const std::string& except) const;
  [[nodiscard]] nlohmann::json routes_json(const Routes& routes) const;
  [[nodiscard]] Result<Routes> parse_routes(const nlohmann::json& object,
                                            const std::string& what) const;
  [[nodiscard]] Result<> read_snapshots(const nlohmann::json& list, const std::string& what);

  DeviceShape device_;
  std::vector<Cable> cables_;
  std::uint32_t next_cable_ = 1;
  Routes routes_;
  Snapshots snapshots_;
};

}  // namespace asiodrv::service
