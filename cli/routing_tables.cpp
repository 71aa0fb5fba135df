#include "cli/routing_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/json_text.hpp"
#include "cli/tables.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;

constexpr double kBarFloorDb = -60.0;
constexpr std::size_t kFixedLines = 2;  // the headers, and the count of what is not shown

std::string gain_text(const json& route) {
  const json& gain = at(route, "gain_db");
  if (gain.is_null() && route.is_object() && route.contains("gain_db")) return "-inf";
  return gain.is_number() ? fmt::format("{:.1f}", number(gain)) : "-";
}

std::string switches_text(const json& route) {
  std::string text;
  for (const char* const each : {"mute", "solo", "invert"}) {
    if (yes(at(route, each))) text += (text.empty() ? "" : ", ") + std::string(each);
  }
  return text;
}

std::string latency_text(const json& client, const char* member) {
  const json& frames = at(client, member);
  const double rate = number(at(client, "rate_hz"));
  if (!frames.is_number() || rate <= 0.0) return "-";
  return fmt::format("{} ({:.1f} ms)", words(frames), number(frames) / rate * 1000.0);
}

/// Cells that a level fills.
std::size_t cells(const json& level, std::size_t all) {
  if (!level.is_number()) return 0;
  const double part = 1.0 - std::clamp(number(level), kBarFloorDb, 0.0) / kBarFloorDb;
  return static_cast<std::size_t>(std::lround(part * static_cast<double>(all)));
}

/// Solid up to the rms, thin up to the peak, a sign when it is at full scale.
std::string bar(const json& meter, const MeterStyle& style) {
  const std::size_t rms = cells(at(meter, "rms_db"), style.bar_cells);
  const std::size_t peak = std::max(rms, cells(at(meter, "peak_db"), style.bar_cells));
  std::string text;
  for (std::size_t i = 0; i < peak; ++i) {
    if (style.unicode)
      text += i < rms ? "\u2588" : "\u2591";
    else
      text += i < rms ? '#' : '-';
  }
  const json& level = at(meter, "peak_db");
  if (level.is_number() && number(level) >= 0.0) text += '!';
  return text;
}

}  // namespace

std::string routes_text(const json& routes) {
  const json& list = at(routes, "routes");
  if (!list.is_array() || list.empty()) {
    return "There are no routes; every program is connected straight to the device and the "
           "cables.\n";
  }
  std::vector<std::vector<std::string>> rows;
  for (const json& route : list) {
    const json& reason = at(route, "reason");
    rows.push_back({cell(route, "from"), cell(route, "to"), gain_text(route), switches_text(route),
                    cell(route, "state") + (reason.is_string() ? ": " + words(reason) : "")});
  }
  return table({"from", "to", "gain dB", "switches", "state"}, rows);
}

std::string snapshots_text(const json& snapshots) {
  const auto rows = rows_of(at(snapshots, "snapshots"), {"name", "routes", "device"});
  if (rows.empty()) return "There are no snapshots; \"asio-driver route save NAME\" makes one.\n";
  return table({"snapshot", "routes", "device"}, rows);
}

std::string cables_text(const json& cables) {
  const auto rows =
      rows_of(at(cables, "cables"), {"name", "channels", "first_input", "first_output", "used_by"});
  if (rows.empty()) {
    return "There are no virtual cables; \"asio-driver virtual add NAME\" makes one.\n";
  }
  return table({"cable", "channels", "first ASIO input", "first ASIO output", "used by"}, rows);
}

std::string clients_text(const json& clients) {
  std::vector<std::vector<std::string>> rows;
  const json& list = at(clients, "clients");
  for (const json& client : list.is_array() ? list : json::array()) {
    rows.push_back({cell(client, "program"), cell(client, "process_id"), cell(client, "bits"),
                    cell(client, "rate_hz"), cell(client, "buffer_frames"),
                    cell(client, "inputs") + "/" + cell(client, "outputs"),
                    latency_text(client, "input_latency_frames"),
                    latency_text(client, "output_latency_frames"),
                    yes(at(client, "running")) ? "playing" : "stopped", cell(client, "late"),
                    cell(client, "away")});
  }
  const json& waiting = at(clients, "without_buffers");
  for (const json& client : waiting.is_array() ? waiting : json::array()) {
    rows.push_back({cell(client, "program"), cell(client, "process_id"), cell(client, "bits"), "-",
                    "-", "-", "-", "-", "no buffers", "-", "-"});
  }
  if (rows.empty()) return "No program has opened the driver.\n";
  return table({"program", "process", "bits", "rate (Hz)", "buffer", "in/out", "input latency",
                "output latency", "state", "late", "away"},
               rows);
}

std::string meters_text(const json& meters, const MeterStyle& style) {
  const json& list = at(meters, "meters");
  if (!list.is_array() || list.empty()) return "There are no channels.\n";
  const std::size_t room = style.most_rows - std::min(style.most_rows, kFixedLines);
  std::vector<std::vector<std::string>> rows;
  for (const json& meter : list) {
    if (rows.size() == room) break;
    const std::string name = cell(meter, "name");
    rows.push_back({cell(meter, "port"), name == "-" ? "" : name, cell(meter, "peak_db"),
                    cell(meter, "rms_db"), bar(meter, style)});
  }
  std::string text = table({"channel", "name", "peak dB", "rms dB", ""}, rows);
  const std::size_t hidden = list.size() - rows.size();
  if (hidden > 0) text += fmt::format("  {} more channels; --once shows all\n", hidden);
  return text;
}

std::string screen_text(const std::string& text) {
  std::string shown = "\x1b[H";
  for (const char c : text) {
    if (c == '\n') shown += "\x1b[K";  // what stood there before
    shown += c;
  }
  if (!shown.empty() && shown.back() == '\n') shown.pop_back();  // the last line must not scroll
  return shown + "\x1b[J";
}

}  // namespace asiodrv::cli
