#include "cli/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/json_text.hpp"

namespace asiodrv::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kShownXruns = 40;

/// Characters of UTF-8 text, which is close enough to columns of a terminal.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.-") == std::string::npos;
}

std::string microseconds(const json& record, const char* member) {
  const json& value = at(record, member);
  return value.is_number() ? fmt::format("{:.1f}", number(value) / 1000.0) : "-";
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::clamp(seconds, 0.0, 1e12));  // as the peer says
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string device_line(const json& device) {
  const double rate = number(at(device, "rate_hz"));
  if (yes(at(device, "lost"))) return fmt::format("{}: gone\n", cell(device, "name"));
  if (!yes(at(device, "open"))) {
    return fmt::format("{}: closed (next at {} Hz)\n", cell(device, "name"),
                       cell(device, "rate_hz"));
  }
  const double frames = number(at(device, "period_frames"));
  const char* const clock = yes(at(device, "clock_lost")) ? ", its clock source is silent" : "";
  const std::string mode = cell(device, "mode");
  return fmt::format("{}: {}{} Hz, periods of {} frames ({:.2f} ms), {}{}\n", cell(device, "name"),
                     mode.empty() || mode == "-" ? "" : mode + ", ", cell(device, "rate_hz"),
                     cell(device, "period_frames"), rate > 0 ? frames / rate * 1000.0 : 0.0,
                     yes(at(device, "running")) ? "running" : "ready", clock);
}

std::string records_text(const json& records) {
  if (!records.is_array() || records.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const json& record : records) {
    rows.push_back({cell(record, "period"), microseconds(record, "woken_ns"),
                    microseconds(record, "rung_ns"), microseconds(record, "last_ack_ns"),
                    microseconds(record, "written_ns"), microseconds(record, "busy_ns"),
                    cell(record, "clients_rung"), cell(record, "clients_late"),
                    cell(record, "causes")});
  }
  return "\nCycles (us after the period's beginning):\n" +
         table({"period", "woken", "rung", "answered", "written", "busy", "clients", "late",
                "causes"},
               rows);
}

/// Who a client number was, from the flight's own list of sessions.
std::map<std::string, std::string> programs_by_session(const json& sessions) {
  std::map<std::string, std::string> programs{{"0", "everyone"}};
  if (!sessions.is_array()) return programs;
  for (const json& session : sessions) programs[cell(session, "id")] = cell(session, "program");
  return programs;
}

std::string xruns_text(const json& flight) {
  const json& xruns = at(flight, "xruns");
  if (!xruns.is_array() || xruns.empty()) return "\nNo sound was damaged.\n";
  const auto programs = programs_by_session(at(flight, "sessions"));
  const std::size_t skipped = xruns.size() - std::min(xruns.size(), kShownXruns);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = skipped; i < xruns.size(); ++i) {
    const std::string client = cell(xruns[i], "client");
    const auto program = programs.find(client);
    rows.push_back({cell(xruns[i], "first_period"), cell(xruns[i], "periods"),
                    cell(xruns[i], "causes"), program == programs.end() ? "-" : program->second,
                    client, cell(xruns[i], "duration_us")});
  }
  const std::string written = cell(flight, "events_written");
  return fmt::format("\nDamaged sound ({} {} since the service began{}):\n", written,
                     written == "1" ? "entry" : "entries",
                     skipped > 0 ? fmt::format(", the newest {}", kShownXruns) : "") +
         table({"period", "periods", "cause", "heard by", "session", "late us"}, rows);
}

/// Of a combined device.
std::string parts_text(const json& parts) {
  const auto rows = rows_of(parts, {"name", "state", "rate_hz", "period_frames", "offset_ppm",
                                    "xruns", "skips", "lost_periods", "late_commits"});
  if (rows.empty()) return "";
  std::string text = "\nMade of:\n" + table({"device", "state", "rate (Hz)", "period", "ppm",
                                             "xruns", "skips", "lost", "late"},
                                            rows);
  for (const json& part : items(parts)) {
    const json& trouble = at(part, "trouble");
    if (trouble.is_string()) text += trouble.get<std::string>() + "\n";
  }
  return text;
}

std::string part_events_text(const json& events) {
  const auto rows = rows_of(events, {"period", "part", "what", "cause", "xruns", "skips",
                                     "lost_periods", "late_commits"});
  if (rows.empty()) return "";
  return "\nParts of the device:\n" +
         table({"period", "device", "what", "cause", "xruns", "skips", "lost", "late"}, rows);
}

}  // namespace

std::string table(const std::vector<std::string>& headers,
                  const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (std::size_t column = 0; column < headers.size(); ++column) {
    std::size_t widest = width(headers[column]);
    bool numbers = !rows.empty();
    for (const auto& row : rows) {
      widest = std::max(widest, width(row[column]));
      numbers = numbers && (is_number(row[column]) || row[column] == "-");
    }
    widths.push_back(widest);
    right.push_back(numbers);
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t column = 0; column < cells.size(); ++column) {
      const std::string padding(widths[column] - width(cells[column]), ' ');
      text += "  ";
      text += right[column] ? padding + cells[column] : cells[column] + padding;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string text = line(headers);
  for (const auto& row : rows) text += line(row);
  return text;
}

std::string status_text(const json& status) {
  const json& service = at(status, "service");
  std::string text =
      fmt::format("asio-driver {}, process {}, up {}, real-time scheduling: {}\n",
                  cell(service, "version"), cell(service, "process_id"),
                  duration_text(number(at(service, "uptime_seconds"))), cell(service, "realtime"));
  text += device_line(at(status, "device"));
  for (const json& note : items(at(at(status, "device"), "notes"))) {
    text += "  " + words(note) + "\n";
  }
  text += parts_text(at(at(status, "device"), "parts"));
  const auto rows =
      rows_of(at(status, "clients"), {"id", "program", "process_id", "buffer_frames", "sample_type",
                                      "running", "cycles", "late", "away"});
  if (rows.empty()) return text + "\nNo program has buffers.\n";
  return text + "\n" +
         table({"session", "program", "process", "frames", "samples", "running", "cycles", "late",
                "away"},
               rows);
}

std::string flight_text(const json& flight) {
  const auto rows = rows_of(at(flight, "sessions"), {"id", "program", "process_id", "buffer_frames",
                                                     "start_period", "ended"});
  std::string text =
      rows.empty()
          ? "Nothing has played yet.\n"
          : "Streams:\n" +
                table({"session", "program", "process", "frames", "first period", "ended"}, rows);
  return text + xruns_text(flight) + part_events_text(at(flight, "parts")) +
         records_text(at(flight, "records"));
}

namespace {

/// "48000 Hz: 480, 44100 Hz: 64 to 2048 by 32"
std::string mode_rates(const json& mode) {
  std::string text;
  for (const json& rate : items(at(mode, "rates"))) {
    const std::string least = cell(rate, "min_period_frames"),
                      most = cell(rate, "max_period_frames");
    const std::string step = cell(rate, "period_step_frames");
    text += fmt::format("{}{} Hz: {}", text.empty() ? "" : ", ", cell(rate, "rate_hz"), least);
    if (least != most) text += fmt::format(" to {}{}", most, step == "0" ? "" : " by " + step);
  }
  return text;
}

/// The shortest round trip of a mode's rates, in ms.
std::string shortest_ms(const json& mode) {
  double shortest = 0;
  for (const json& rate : items(at(mode, "rates"))) {
    const double ms = number(at(rate, "round_trip_ms"));
    if (ms > 0 && (shortest == 0 || ms < shortest)) shortest = ms;
  }
  return shortest > 0 ? fmt::format("{:.1f}", shortest) : "";
}

std::string available_text(const json& available) {
  std::vector<std::vector<std::string>> rows;
  for (const json& device : items(available)) {
    std::string name = cell(device, "name") + (yes(at(device, "default")) ? " (default)" : "");
    const json& modes = items(at(device, "modes"));
    const std::string state =
        at(device, "problem").is_string() ? "does not answer" : cell(device, "state");
    if (modes.empty()) {
      rows.push_back({name, cell(device, "backend"), cell(device, "inputs"),
                      cell(device, "outputs"), state, "", "", ""});
    }
    for (const json& mode : modes) {
      rows.push_back({name, cell(device, "backend"), cell(device, "inputs"),
                      cell(device, "outputs"), state, cell(mode, "mode"), mode_rates(mode),
                      shortest_ms(mode)});
      name.clear();
    }
  }
  if (rows.empty()) return "";
  return "\nTo choose from, in [device] and [wasapi] of the configuration:\n" +
         table({"device", "backend", "inputs", "outputs", "state", "mode", "periods (frames)",
                "round trip (ms), at least"},
               rows);
}

}  // namespace

std::string devices_text(const json& devices) {
  return "In use:\n" +
         table({"device", "inputs", "outputs", "rates (Hz)", "min frames", "max frames", "clock",
                "clock sources"},
               rows_of(at(devices, "devices"),
                       {"name", "inputs", "outputs", "rates_hz", "min_period_frames",
                        "max_period_frames", "clock", "clock_sources"})) +
         available_text(at(devices, "available"));
}

std::string config_text(const json& config) {
  const bool loaded = yes(at(config, "loaded"));
  std::string others;  // vendor's and machine's files
  for (const json& file : items(at(config, "files"))) {
    if (cell(file, "state") != "used" || at(file, "path") == at(config, "path")) continue;
    others += fmt::format("{}: in use for all users of this machine ({})\n", cell(file, "path"),
                          cell(file, "layer"));
  }
  std::string text = cell(config, "path");
  text += loaded ? "\n" : others.empty() ? ": not in use; these are defaults\n" : ": not in use\n";
  text += others;
  const json& error = at(config, "error");
  if (error.is_string()) text += "What is wrong in it:\n" + error.get<std::string>() + "\n";
  const json& values = at(config, "values");
  if (!values.is_object()) return text;
  for (const auto& [section, keys] : values.items()) {
    const bool list = keys.is_array();  // of sections with one name
    for (const json& one : list ? keys : json::array({keys})) {
      text += fmt::format(fmt::runtime(list ? "\n[[{}]]\n" : "\n[{}]\n"), section);
      for (const auto& [key, value] : one.items())
        text += fmt::format("{} = {}\n", key, value.dump());
    }
  }
  return text;
}

}  // namespace asiodrv::cli
