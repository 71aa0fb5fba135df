// A measurement as JSON and as a table.
#include <fmt/format.h>

#include <cmath>

#include "host/output.hpp"

namespace asiodrv::host {
namespace {

/// Three digits are what a clock of ours resolves.
double rounded(double value) { return std::round(value * 1000.0) / 1000.0; }

Json stretches(const std::vector<Stretch>& list) {
  Json result = Json::array();
  for (const Stretch& stretch : list) {
    result.push_back({{"position", stretch.position}, {"frames", stretch.frames}});
  }
  return result;
}

/// The last bin has no end.
Json histogram(const Punctuality& p) {
  Json bins = Json::array();
  for (std::size_t i = 0; i < p.intervals.size(); ++i) {
    const Json end =
        i < kIntervalBins.size() ? Json(rounded(kIntervalBins[i] * p.period_us)) : Json(nullptr);
    bins.push_back({{"up_to_us", end}, {"count", p.intervals[i]}});
  }
  return bins;
}

void add_timing(Json& json, const Measurement& m) {
  json["callbacks"] = m.callbacks;
  if (m.light) return;
  json["late"] = m.punctuality.late;
  json["skipped_periods"] = m.punctuality.skipped;
  json["period_us"] = rounded(m.punctuality.period_us);
  json["p50_us"] = rounded(m.punctuality.p50_us);
  json["p99_us"] = rounded(m.punctuality.p99_us);
  json["max_us"] = rounded(m.punctuality.max_us);
  json["interval_p50_us"] = rounded(m.punctuality.interval_p50_us);
  json["interval_p99_us"] = rounded(m.punctuality.interval_p99_us);
  json["interval_max_us"] = rounded(m.punctuality.interval_max_us);
  json["interval_histogram"] = histogram(m.punctuality);
  if (m.floor_measured) {
    json["floor_callbacks"] = m.floor.callbacks;
    json["floor_late"] = m.floor.late;
    json["floor_p50_us"] = rounded(m.floor.p50_us);
    json["floor_p99_us"] = rounded(m.floor.p99_us);
    json["floor_max_us"] = rounded(m.floor.max_us);
    json["floor_interval_histogram"] = histogram(m.floor);
  }
  json["callback_p50_us"] = rounded(m.callback_p50_us);
  json["callback_p99_us"] = rounded(m.callback_p99_us);
}

/// The members of a comparison are left out: with a sine there is none, and zero differences must
/// not be read as none found.
void add_sine(Json& json, const Measurement& m) {
  const SineReport report = m.sine.value_or(SineReport{});
  const auto number = [](const std::optional<double>& value) {
    return value ? Json(rounded(*value)) : Json(nullptr);
  };
  json["sine_hz"] = m.sine_hz;
  json["sine_window_frames"] = kSineWindowFrames;
  json["sine_windows"] = report.windows;
  json["sine_snr_db"] = number(report.snr_db);
  json["sine_worst_db"] = number(report.worst_db);
  json["sine_gain_db"] = number(report.gain_db);
  json["sine_rtl_frames"] = number(report.round_trip_frames);
  json["sine_damaged"] = stretches(report.damaged);
}

void add_sound(Json& json, const Measurement& m) {
  json["rtl_bit_exact"] = m.round_trip.bit_exact;
  json["rtl_consistent"] = m.round_trip.consistent;
  json["markers_sent"] = m.round_trip.markers_sent;
  json["markers_found"] = m.round_trip.markers_found;
  if (m.sine_hz != 0) {
    add_sine(json, m);
  } else {
    json["compared_frames"] = m.comparison.compared_frames;
    json["mismatched_frames"] = m.comparison.mismatched_frames;
    json["mismatches"] = stretches(m.comparison.mismatches);
  }
  json["gaps"] = stretches(m.continuity.gaps);
  json["backward_positions"] = m.continuity.backward_positions;
  json["repeated_halves"] = m.continuity.repeated_halves;
}

std::string describe_round_trip(const Measurement& m) {
  const RoundTrip& trip = m.round_trip;
  if (!trip.frames) return "not found: nothing that was played came back";
  const double ms = static_cast<double>(*trip.frames) * 1000.0 / m.rate_hz;
  return fmt::format("{} frames ({:.2f} ms){}{}", *trip.frames, ms,
                     trip.bit_exact ? "" : ", by correlation: the path is not bit-exact",
                     trip.consistent ? "" : ", NOT CONSTANT");
}

std::string describe_late(const Punctuality& p) {
  return fmt::format("{} of {} late; lateness p50 {:.1f} p99 {:.1f} max {:.1f} us", p.late,
                     p.callbacks, p.p50_us, p.p99_us, p.max_us);
}

/// How long from one callback to the next, in periods; bins that nobody fell into are left out.
void print_intervals(const Output& output, const Measurement& m) {
  for (std::size_t i = 0; i < m.punctuality.intervals.size(); ++i) {
    const std::uint64_t ours = m.punctuality.intervals[i], bare = m.floor.intervals[i];
    if (ours + bare == 0) continue;
    const std::string bin = i < kIntervalBins.size()
                                ? fmt::format("up to {:.2f} periods", kIntervalBins[i])
                                : fmt::format("over {:.2f} periods", kIntervalBins.back());
    const std::string beside =
        m.floor_measured ? fmt::format(", bare timer {}", bare) : std::string();
    output.line(fmt::format("{:<22}{} callbacks{}", "  " + bin, ours, beside));
  }
}

void print_stretches(const Output& output, const char* label, const std::vector<Stretch>& list) {
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < list.size() && i < kShown; ++i) {
    output.line(fmt::format("{:<16}{} frames at position {}", i == 0 ? label : "", list[i].frames,
                            list[i].position));
  }
  if (list.size() > kShown) {
    output.line(fmt::format("{:<16}and {} more", "", list.size() - kShown));
  }
}

void print_sound(const Output& output, const Measurement& m) {
  if (m.sine_hz == 0) {
    output.line(fmt::format("{:<16}{} frames compared, {} differ", "sound",
                            m.comparison.compared_frames, m.comparison.mismatched_frames));
    print_stretches(output, "  different", m.comparison.mismatches);
    return;
  }
  output.line(fmt::format("{:<16}a sine of {} Hz, not compared bit by bit", "sound", m.sine_hz));
  if (!m.sine) return;
  output.line(
      fmt::format("{:<16}{} windows of {} frames", "  heard", m.sine->windows, kSineWindowFrames));
  if (m.sine->snr_db) {
    output.line(fmt::format("{:<16}{:.1f} dB below the sine, {:.1f} dB in the worst window",
                            "  noise", *m.sine->snr_db, *m.sine->worst_db));
    output.line(fmt::format("{:<16}{:.4f} dB", "  gain", *m.sine->gain_db));
  }
  if (m.sine->round_trip_frames) {
    output.line(fmt::format("{:<16}{:.3f} frames by its phase", "  round trip",
                            *m.sine->round_trip_frames));
  }
  print_stretches(output, "  damaged", m.sine->damaged);
}

}  // namespace

Json to_json(const Measurement& m) {
  Json json;
  json["driver"] = m.driver;
  json["process_id"] = m.process_id;
  json["rate_hz"] = m.rate_hz;
  json["buffer_frames"] = m.buffer_frames;
  json["sample_type"] = m.sample_type;
  json["seconds"] = rounded(m.seconds);
  if (!m.light) {
    json["rtl_frames"] = m.round_trip.frames ? Json(*m.round_trip.frames) : Json(nullptr);
  }
  json["reported_rtl_frames"] = m.reported_input_frames + m.reported_output_frames;
  json["reported_input_frames"] = m.reported_input_frames;
  json["reported_output_frames"] = m.reported_output_frames;
  add_timing(json, m);
  if (!m.light) add_sound(json, m);
  json["overloads"] = m.overloads;
  json["resyncs"] = m.resyncs;
  json["resets"] = m.resets;
  json["rate_changes"] = m.rate_changes;
  json["latency_changes"] = m.latency_changes;
  json["stalled"] = m.stalled;
  json["cpu_us_per_period"] = rounded(m.cpu_us_per_period);
  return json;
}

void print(const Output& output, const Measurement& m) {
  output.line(fmt::format("{:<16}{}", "driver", m.driver));
  output.line(fmt::format("{:<16}{} Hz, {} frames, {}, {:.2f} s, {} callbacks", "stream", m.rate_hz,
                          m.buffer_frames, m.sample_type, m.seconds, m.callbacks));
  output.line(fmt::format("{:<16}{} frames (input {}, output {})", "reported",
                          m.reported_input_frames + m.reported_output_frames,
                          m.reported_input_frames, m.reported_output_frames));
  if (!m.light) {
    output.line(fmt::format("{:<16}{}", "round trip", describe_round_trip(m)));
    print_sound(output, m);
    print_stretches(output, "  lost", m.continuity.gaps);
    output.line(fmt::format("{:<16}{}", "callbacks", describe_late(m.punctuality)));
    if (m.floor_measured) {
      output.line(fmt::format("{:<16}{}", "bare timer", describe_late(m.floor)));
    }
    print_intervals(output, m);
    output.line(fmt::format("{:<16}p50 {:.1f} p99 {:.1f} us in the callback", "host's work",
                            m.callback_p50_us, m.callback_p99_us));
  }
  output.line(fmt::format("{:<16}{:.2f} us per period", "processor", m.cpu_us_per_period));
  output.line(fmt::format("{:<16}{} overloads, {} resyncs, {} resets, {} rate changes", "messages",
                          m.overloads, m.resyncs, m.resets, m.rate_changes));
  if (m.continuity.repeated_halves + m.continuity.backward_positions > 0) {
    output.line(fmt::format("{:<16}{} wrong half indices, {} positions that did not advance",
                            "order", m.continuity.repeated_halves,
                            m.continuity.backward_positions));
  }
  if (m.stalled) output.line("The driver stopped calling back before the time was over.");
}

}  // namespace asiodrv::host
