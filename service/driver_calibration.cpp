// Calibrations: measured through a cable by a client of the engine, kept per device, mode, rate and
// period, and added to what programs are told about latency.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/ports/periods.hpp"
#include "core/wire/member_reader.hpp"
#include "service/driver_service.hpp"
#include "service/pages.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;

double hundredths(double value) { return std::round(value * 100) / 100; }

std::uint32_t both(const ports::DeviceLatency& latency) {
  return latency.input.count + latency.output.count;
}

/// The periods that can be calibrated at `rate`: those of the device, as far as programs can bring
/// it there.
std::vector<std::uint32_t> periods_of(const ports::DeviceInfo& info, SampleRate rate,
                                      const Config& config) {
  ports::PeriodRange range = ports::periods_at(info, rate);
  if (range.step.count == 0) {
    range.least = std::max(range.least, config.min_frames);
    range.most = std::min(range.most, config.max_frames);
  }
  std::vector<std::uint32_t> periods;
  for (std::uint64_t each = std::max(range.least.count, 1U); each <= range.most.count;
       each = range.step.count == 0 ? each * 2 : each + range.step.count) {
    periods.push_back(static_cast<std::uint32_t>(each));
  }
  return periods;
}

/// Those to measure in turn, a few seconds each: a driver that takes every multiple of a few frames
/// has hundreds, of which each is taken that is twice as long as the one before.
std::vector<std::uint32_t> few_of(const std::vector<std::uint32_t>& periods) {
  constexpr std::size_t kMany = 40;
  if (periods.size() <= kMany) return periods;
  std::vector<std::uint32_t> few;
  for (const std::uint32_t each : periods) {
    if (few.empty() || each >= 2 * few.back()) few.push_back(each);
  }
  return few;
}

}  // namespace

// --- what is known -------------------------------------------------------------------------------

void DriverService::load_calibrations() {
  if (ports_.calibration_path.empty()) return;
  LoadedCorrections loaded = load_corrections(ports_.calibration_path);
  if (!loaded.warning.empty()) ports_.log(LogLevel::warning, loaded.warning);
  keeps_corrections_ = loaded.keep;
  corrections_ = std::move(loaded.corrections);
}

Result<> DriverService::keep_calibrations() {
  if (ports_.calibration_path.empty()) return {};
  Result<> kept = keeps_corrections_
                      ? save_corrections(ports_.calibration_path, corrections_)
                      : fail(ErrorCode::access_denied,
                             ports_.calibration_path + " could not be read at the start.");
  if (kept) return kept;
  const std::string why =
      "The change is in force and is lost with the service: " + kept.error().message;
  ports_.log(LogLevel::warning, why);
  return fail(kept.error().code, why);
}

CorrectionKey DriverService::correction_key(const ports::DeviceFormat& format) const {
  return {host_->info().id, host_->mode(), format.rate, format.period};
}

/// What the open device reports, corrected where it was calibrated at its present format.
ports::DeviceLatency DriverService::device_latency() const {
  const ports::DeviceLatency reported = host_->latency();
  if (!host_->is_open()) return reported;
  const Correction* const known = corrections_.find(correction_key(host_->format()));
  return known == nullptr ? reported : corrected(reported, known->frames);
}

/// Programs hear what has changed for them; `before` is what they were told.
void DriverService::tell_corrected(const ports::DeviceLatency& before) {
  const ports::DeviceLatency now = device_latency();
  if (now.input == before.input && now.output == before.output) return;
  for (auto& [connection, client] : clients_) {
    if (client.session) tell_latency(client);
  }
}

Result<json> DriverService::list_calibrations(Client&, const json& params) {
  wire::MemberReader reader(params, "calibrate.list");
  const SampleRate rate{reader.number_or("rate_hz", 1, wire::kAnyNumber, rate_.hz)};
  const std::size_t from = reader.number_or("from", 0, wire::kAnyNumber, 0);
  if (!reader.good()) return refusal(reader.result(0).error());
  const ports::DeviceInfo& info = host_->info();
  json list = json::array();
  for (const Correction& each : corrections_.all()) {
    list.push_back({{"device", each.key.device},
                    {"name", each.name},
                    {"mode", each.key.mode},
                    {"rate_hz", each.key.rate.hz},
                    {"period_frames", each.key.period.count},
                    {"correction_frames", hundredths(each.frames)},
                    {"in_use", host_->is_open() && each.key == correction_key(host_->format())}});
  }
  const std::size_t total = list.size();
  const std::size_t first = std::min(from, total);
  json shown = take_page(list, first, total);
  const std::size_t next = first + shown.size();
  return json{{"device", info.id},
              {"name", info.name},
              {"rate_hz", rate.hz},
              {"periods_frames", few_of(periods_of(info, rate, config_.config))},
              {"corrections", std::move(shown)},
              {"next", next},
              {"total", total}};
}

Result<json> DriverService::forget_calibrations(Client&, const json& params) {
  wire::MemberReader reader(params, "calibrate.forget");
  const SampleRate rate{reader.number_or("rate_hz", 1, wire::kAnyNumber, 0)};
  const Frames period{reader.number_or("frames", 1, wire::kAnyNumber, 0)};
  if (!reader.good()) return refusal(reader.result(0).error());
  const ports::DeviceLatency before = device_latency();
  const std::size_t count = corrections_.forget(host_->info().id, rate, period);
  json answer{{"forgotten", count}};
  if (count == 0) return answer;
  tell_corrected(before);
  if (auto kept = keep_calibrations(); !kept) answer["warning"] = kept.error().message;
  return answer;
}

// --- measuring -----------------------------------------------------------------------------------

/// The channel that a port of the device names.
Result<std::uint32_t> DriverService::device_channel(const std::string& text, Role role) const {
  const bool input = role == Role::source;
  auto end = studio_.parse_end(text, role);
  if (!end) return refusal(end.error());
  const std::uint32_t count = input ? host_->info().input_channels : host_->info().output_channels;
  if (end->kind != EndKind::device || end->channel >= count) {
    const char* const side = input ? "in" : "out";
    return fail(ErrorCode::invalid_argument,
                count == 0 ? fmt::format("{} has no {}puts.", host_->info().name, side)
                           : fmt::format("A cable is plugged into the device: choose {0}:1 to "
                                         "{0}:{1}, not {2}.",
                                         side, count, text));
  }
  return end->channel;
}

/// Where to measure: at what programs use, or wherever it is wanted while there are none.
Result<ports::DeviceFormat> DriverService::judge_calibration(SampleRate rate, Frames period) const {
  const ports::DeviceFormat now = host_->format();
  if (any_session()) {
    const bool same =
        (rate.hz == 0 || rate == now.rate) && (period.count == 0 || period == now.period);
    if (same) return now;
    return fail(ErrorCode::invalid_state,
                fmt::format("Programs use {} at {} Hz with periods of {} frames, and another "
                            "format would interrupt them. Close them, or calibrate at that one.",
                            host_->info().name, now.rate.hz, now.period.count));
  }
  if (has_foreign_clock() && rate.hz != 0 && rate != rate_) {
    return fail(ErrorCode::format_refused,
                fmt::format("The clock source of {} dictates {} Hz; choose its own clock first.",
                            host_->info().name, rate_.hz));
  }
  const SampleRate wanted = rate.hz != 0 ? rate : rate_;
  if (period.count != 0) return ports::DeviceFormat{wanted, period};
  const auto offered = periods_of(host_->info(), wanted, config_.config);
  const auto usual =
      std::lower_bound(offered.begin(), offered.end(), config_.config.preferred_frames.count);
  const std::uint32_t frames = usual != offered.end() ? *usual
                               : offered.empty()      ? host_->info().default_period.count
                                                      : offered.back();
  return ports::DeviceFormat{wanted, Frames{frames}};
}

Result<json> DriverService::start_calibration(Client& client, const json& params) {
  wire::MemberReader reader(params, "calibrate.start");
  const std::string input = reader.text("input");
  const std::string output = reader.text("output");
  const SampleRate rate{reader.number_or("rate_hz", 1, wire::kAnyNumber, 0)};
  const Frames period{reader.number_or("frames", 1, wire::kAnyNumber, 0)};
  if (!reader.good()) return refusal(reader.result(0).error());
  if (calibration_) {
    return fail(ErrorCode::invalid_state,
                "A calibration is under way already. Wait a few seconds and try again.");
  }
  const auto from = device_channel(output, Role::sink);
  if (!from) return refusal(from.error());
  const auto to = device_channel(input, Role::source);
  if (!to) return refusal(to.error());
  watch_clock();
  if (host_->is_lost()) look_for_device();
  const auto format = judge_calibration(rate, period);
  if (!format) return refusal(format.error());
  Result<> ready = prepare_device(*format);
  if (ready) {
    calibration_ = std::make_unique<Calibration>(
        ports_.clock, *host_,
        CalibrationRequest{next_session_++, *from, *to, output, input, *format});
    calibrating_ = client.connection;
    ready = calibration_->start();
  }
  if (!ready) {
    end_calibration();
    return refusal(ready.error());
  }
  attention_->signal();  // a forgotten one is noticed
  return json{{"rate_hz", format->rate.hz}, {"period_frames", format->period.count}};
}

Result<json> DriverService::calibration_result(Client& client, const json&) {
  if (!calibration_ || calibrating_ != client.connection) {
    return fail(ErrorCode::invalid_state,
                "No calibration of this connection is under way; a program may have needed the "
                "device. Close it, and start again.");
  }
  const auto state = calibration_->look();
  if (!state) {
    end_calibration();
    return refusal(state.error());
  }
  if (*state == Calibration::State::running) {
    return json{{"state", "running"}, {"progress", hundredths(calibration_->progress())}};
  }
  auto answer = adopt_calibration();
  end_calibration();
  return answer;
}

/// Keeps what was measured, and says what was before and what is now.
Result<json> DriverService::adopt_calibration() {
  const LoopbackResult& found = calibration_->result();
  const CalibrationRequest& request = calibration_->request();
  const std::uint32_t reported = calibration_->reported().count;
  const ports::DeviceLatency before = device_latency();
  const double correction = found.delay_frames - reported;
  if (auto set = corrections_.set({correction_key(request.format), host_->info().name, correction});
      !set) {
    return refusal(set.error());
  }
  tell_corrected(before);
  const std::uint32_t periods = reported - both(host_->latency());
  json answer{{"state", "done"},
              {"device", host_->info().id},
              {"name", host_->info().name},
              {"mode", host_->mode()},
              {"input", request.input_name},
              {"output", request.output_name},
              {"rate_hz", request.format.rate.hz},
              {"period_frames", request.format.period.count},
              {"measured_frames", hundredths(found.delay_frames)},
              {"spread_frames", hundredths(found.spread_frames)},
              {"device_reported_frames", reported},
              {"before_frames", periods + both(before)},
              {"after_frames", periods + both(device_latency())},
              {"correction_frames", hundredths(correction)},
              {"level_db", hundredths(found.level_db)},
              {"inverted", found.inverted},
              {"shots", found.shots},
              {"damaged_shots", found.damaged}};
  if (auto kept = keep_calibrations(); !kept) answer["warning"] = kept.error().message;
  ports_.log(LogLevel::info,
             fmt::format("{} was calibrated at {} Hz, {} frames: a round trip takes {:.2f} frames.",
                         host_->info().name, request.format.rate.hz, request.format.period.count,
                         found.delay_frames));
  return answer;
}

/// Also when none is under way. The device is closed when nobody else uses it.
void DriverService::end_calibration() {
  calibration_.reset();
  if (any_session()) return;
  host_->release();
  loss_told_ = false;
  if (any_driver()) return;
  idle_since_ = ports_.clock.now();
  ports_.on_idle();
}

void DriverService::watch_calibration() {
  if (!calibration_ || !calibration_->is_forgotten()) return;
  ports_.log(LogLevel::warning, "A calibration was ended: nobody asked for its result.");
  end_calibration();
}

}  // namespace asiodrv::service
