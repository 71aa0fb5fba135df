// What the service tells about itself: status, flight records, devices, configuration.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/wire/member_reader.hpp"
#include "service/driver_service.hpp"
#include "service/pages.hpp"
#include "service/version.hpp"

namespace asiodrv::service {
namespace {

using engine::FlightRecord;
using engine::FlightRecorder;
using engine::XrunEvent;
using nlohmann::json;

// About 130 and 400 bytes each.
constexpr std::uint32_t kXrunsPerPage = 1000;
constexpr std::uint32_t kRecordsPerPage = 400;

json to_json(const XrunEvent& event) {
  return {{"first_period", event.first_period},
          {"periods", event.periods},
          {"causes", cause_names(event.causes)},
          {"client", event.client},
          {"duration_us", static_cast<double>(event.duration_ns) / 1000.0}};
}

json to_json(const FlightRecord& record) {
  return {{"period", record.device_period},       {"boundary_ns", record.boundary_ns},
          {"woken_ns", record.woken_ns},          {"rung_ns", record.rung_ns},
          {"entered_ns", record.entered_ns},      {"last_ack_ns", record.last_ack_ns},
          {"written_ns", record.written_ns},      {"busy_ns", record.busy_ns},
          {"causes", cause_names(record.causes)}, {"lost_periods", record.lost_periods},
          {"late_client", record.late_client},    {"clients_rung", record.clients_rung},
          {"clients_late", record.clients_late}};
}

json to_json(const SessionRun& run) {
  json object{{"id", run.id},
              {"program", run.program},
              {"process_id", run.process_id},
              {"buffer_frames", run.frames.count},
              {"start_period", nullptr},
              {"ended", run.ended}};
  if (run.start_period) object["start_period"] = *run.start_period;
  return object;
}

json to_json(const ports::DevicePart& part) {
  return {{"name", part.name},
          {"state", part.state},
          {"trouble", part.trouble.empty() ? json(nullptr) : json(part.trouble)},
          {"rate_hz", part.format.rate.hz},
          {"period_frames", part.format.period.count},
          {"offset_ppm", part.offset_ppm},
          {"xruns", part.xruns},
          {"skips", part.skips},
          {"lost_periods", part.lost_periods},
          {"late_commits", part.late_commits},
          {"returns", part.returns}};
}

json to_json(const ports::DevicePartEvent& event) {
  return {{"part", event.part},
          {"what", event.what},
          {"cause", event.cause},
          {"period", event.period},
          {"xruns", event.xruns},
          {"skips", event.skips},
          {"lost_periods", event.lost_periods},
          {"late_commits", event.late_commits}};
}

/// As much of `found` as one answer holds. `written`: how many there ever were before it was read.
template <class Entry>
json flight_page(const char* name, const engine::FlightPage<Entry>& found, std::uint64_t written) {
  json list = json::array();
  for (const Entry& entry : found.entries) list.push_back(to_json(entry));
  json shown = take_page(list, 0, list.size());
  const std::uint64_t next = found.first + shown.size();
  const std::uint64_t end = found.first + found.entries.size();
  return {{name, std::move(shown)},
          {"first", found.first},
          {"next", next},
          {"written", std::max(written, end)}};
}

/// The member "from", a count that may need more than 32 bits; 0 when it is absent.
Result<std::uint64_t> page_start(const json& params) {
  const auto found = params.find("from");
  if (found == params.end()) return std::uint64_t{0};
  if (found->is_number_integer() && *found >= 0) return found->get<std::uint64_t>();
  return fail(ErrorCode::malformed, "Member \"from\" must be a whole number, 0 or more.");
}

}  // namespace

Result<json> DriverService::status(Client&, const json&) {
  const ports::DeviceFormat format = host_->format();
  json list = json::array();
  json waiting = json::array();  // programs that have opened the driver and made no buffers
  for (const auto& [connection, client] : clients_) {
    if (!client.session) {
      if (client.hello) {
        waiting.push_back({{"program", client.program()},
                           {"process_id", client.process_id()},
                           {"bits", client.hello->bits}});
      }
      continue;
    }
    const engine::ClientCounters counters = host_->counters(client.session->id());
    const wire::SessionGrant terms = grant(client);
    list.push_back({{"id", client.session->id()},
                    {"program", client.program()},
                    {"process_id", client.process_id()},
                    {"bits", client.hello->bits},
                    {"inputs", client.session->setup().inputs.size()},
                    {"outputs", client.session->setup().outputs.size()},
                    {"input_latency_frames", terms.input_latency.count},
                    {"output_latency_frames", terms.output_latency.count},
                    {"rate_hz", client.session->rate().hz},
                    {"buffer_frames", client.session->frames().count},
                    {"sample_type", sample_type_name(client.session->sample_type())},
                    {"running", client.running},
                    {"start_period", counters.start_period},
                    {"cycles", counters.cycles},
                    {"late", counters.late},
                    {"away", counters.away}});
  }
  json parts = json::array();
  for (const ports::DevicePart& part : host_->parts()) parts.push_back(to_json(part));
  const nanoseconds uptime = ports_.clock.now() - began_;
  return json{{"service",
               {{"version", kVersion},
                {"process_id", ports_.process_id},
                {"uptime_seconds", static_cast<double>(uptime.count()) / 1e9},
                {"realtime", host_->is_realtime()},
                {"without_buffers", std::move(waiting)}}},
              {"device",
               {{"name", host_->info().name},
                {"mode", host_->is_open() ? host_->mode() : std::string()},
                {"rate_hz", rate_.hz},
                {"clock_lost", clock_lost_},
                {"period_frames", host_->is_open() ? format.period.count : 0},
                {"open", host_->is_open()},
                {"running", host_->is_running()},
                {"lost", device_is_away()},
                {"present", host_->info().present},
                {"notes", host_->notes()},
                {"parts", std::move(parts)}}},
              {"clients", std::move(list)}};
}

Result<json> DriverService::flight_sessions(Client&, const json&) {
  note_starts();
  json list = json::array();
  for (const SessionRun& run : history_.runs()) list.push_back(to_json(run));
  return json{{"sessions", std::move(list)}};
}

Result<json> DriverService::flight_xruns(Client&, const json& params) {
  const auto from = page_start(params);
  if (!from) return tl::unexpected<Error>(from.error());
  const FlightRecorder& flight = host_->flight();
  const std::uint64_t written = flight.events_written();
  return flight_page("xruns", flight.events_from(*from, kXrunsPerPage), written);
}

Result<json> DriverService::flight_records(Client&, const json& params) {
  const auto from = page_start(params);
  if (!from) return tl::unexpected<Error>(from.error());
  const FlightRecorder& flight = host_->flight();
  const std::uint64_t written = flight.records_written();
  return flight_page("records", flight.records_from(*from, kRecordsPerPage), written);
}

Result<json> DriverService::flight_parts(Client&, const json& params) {
  const auto from = page_start(params);
  if (!from) return tl::unexpected<Error>(from.error());
  watch_parts();
  const std::uint64_t oldest = part_events_seen_ - part_events_.size();
  engine::FlightPage<ports::DevicePartEvent> found;
  found.first = std::clamp(*from, oldest, part_events_seen_);
  const auto begin = part_events_.begin() + static_cast<std::ptrdiff_t>(found.first - oldest);
  found.entries.assign(begin, part_events_.end());
  return flight_page("parts", found, part_events_seen_);
}

Result<json> DriverService::list_devices(Client&, const json&) {
  const ports::DeviceInfo& info = host_->info();
  json rates = json::array();
  for (const SampleRate rate : info.rates) rates.push_back(rate.hz);
  json device{{"id", info.id},
              {"name", info.name},
              {"backend", backend_name(config_.config.backend)},
              {"present", info.present},
              {"inputs", info.input_channels},
              {"outputs", info.output_channels},
              {"rates_hz", std::move(rates)},
              {"default_rate_hz", info.default_rate.hz},
              {"min_period_frames", info.min_period.count},
              {"max_period_frames", info.max_period.count},
              {"default_period_frames", info.default_period.count},
              {"clock_sources", json::array()},
              {"in_use", true}};
  for (const wire::ClockSourceInfo& source : clock_sources()) {
    device["clock_sources"].push_back(source.name);
    if (source.current) device["clock"] = source.name;
  }
  return json{
      {"devices", json::array({std::move(device)})},
      {"available", ports_.list_devices ? ports_.list_devices(config_.config) : json::array()}};
}

Result<json> DriverService::get_config(Client&, const json&) {
  return json{{"path", config_.path},
              {"loaded", config_.loaded},
              {"error", config_.error.empty() ? json(nullptr) : json(config_.error)},
              {"values", service::to_json(config_.config)},
              {"files", layers_json(config_)},
              {"origins", config_.origins}};
}

}  // namespace asiodrv::service
