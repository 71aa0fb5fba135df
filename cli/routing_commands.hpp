// The commands about sound's ways: routes, virtual cables, who is connected, meters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "core/base/result.hpp"

namespace asiodrv::cli {

enum class RouteVerb : std::uint8_t {
  list,
  add,  ///< what is not given is the default
  set,  ///< what is not given stays
  remove,
  clear,
  save,
  recall,
  snapshots,
  forget
};

struct RouteOptions {
  RouteVerb verb = RouteVerb::list;
  std::vector<std::pair<std::string, std::string>> pairs;  ///< from, to: of add, set, remove
  std::optional<double> gain_db;                           ///< -infinity: silence
  std::optional<bool> mute, solo, invert;
  std::string name;  ///< of save, recall, forget
};

enum class CableVerb : std::uint8_t { list, add, remove };

struct CableOptions {
  CableVerb verb = CableVerb::list;
  std::string name;
  std::uint32_t channels = 2;
};

struct MeterOptions {
  bool once = false;   ///< one table, also on a terminal
  bool ascii = false;  ///< bars of plain characters
  /// Ends after so long; else a terminal shows meters until Ctrl+C, and a file gets one table soon.
  std::optional<double> seconds;
};

int run_route(const ClientOptions& options, const RouteOptions& route);
int run_virtual(const ClientOptions& options, const CableOptions& cable);
int show_clients(const ClientOptions& options);
int show_meters(const ClientOptions& options, const MeterOptions& meters);

/// Ports of `from` and `to` pairwise; "in:1-3" stands for in:1, in:2, in:3. Errors:
/// invalid_argument (ranges that are empty, unequal or over 1024 channels long).
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> pair_ports(
    const std::string& from, const std::string& to);

/// A number of decibels, or "-inf". Errors: invalid_argument (no number, not below infinity).
[[nodiscard]] Result<double> parse_gain(const std::string& text);

}  // namespace asiodrv::cli
