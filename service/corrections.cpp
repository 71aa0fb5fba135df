#include "service/corrections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/wire/member_reader.hpp"
#include "service/json_file.hpp"
#include "service/paths.hpp"

namespace asiodrv::service {
namespace {

using nlohmann::json;
using wire::MemberReader;

constexpr std::uint32_t kCalibrationVersion = 1;
constexpr std::int64_t kMostFrames = 1 << 22;  // of a latency; far below what a message can carry

bool acceptable(double frames) noexcept {  // so written, NaN is not
  return std::abs(frames) <= Corrections::kLargest;
}

Result<Correction> parse_correction(const json& entry, const std::string& where) {
  MemberReader reader(entry, where);
  Correction correction;
  correction.key.device = reader.text("device", wire::kMaxDeviceIdBytes);
  correction.name = reader.text("name");
  correction.key.mode = reader.text("mode");
  correction.key.rate = SampleRate{reader.number("rate_hz", 1, wire::kAnyNumber)};
  correction.key.period = Frames{reader.number("period_frames", 1, wire::kAnyNumber)};
  const auto frames = entry.find("correction_frames");
  if (frames != entry.end() && frames->is_number()) correction.frames = frames->get<double>();
  if (frames == entry.end() || !frames->is_number() || !acceptable(correction.frames)) {
    reader.refuse("correction_frames", fmt::format("must be a number from {0} to {1}",
                                                   -Corrections::kLargest, Corrections::kLargest));
  }
  return reader.result(std::move(correction));
}

}  // namespace

const Correction* Corrections::find(const CorrectionKey& key) const noexcept {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const Correction& each) { return each.key == key; });
  return found == all_.end() ? nullptr : &*found;
}

Result<> Corrections::set(Correction correction) {
  if (!acceptable(correction.frames)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("A correction of {} frames is not plausible.", correction.frames));
  }
  const auto same = std::find_if(
      all_.begin(), all_.end(), [&](const Correction& each) { return each.key == correction.key; });
  if (same != all_.end()) {
    *same = std::move(correction);
    return {};
  }
  if (all_.size() == kMost) {
    return fail(ErrorCode::limit_reached,
                fmt::format("There are {} corrections already; forget some of them.", kMost));
  }
  all_.push_back(std::move(correction));
  return {};
}

std::size_t Corrections::forget(const std::string& device, SampleRate rate, Frames period) {
  return std::erase_if(all_, [&](const Correction& each) {
    return each.key.device == device && (rate.hz == 0 || each.key.rate == rate) &&
           (period.count == 0 || each.key.period == period);
  });
}

json Corrections::to_json() const {
  json list = json::array();
  for (const Correction& each : all_) {
    list.push_back({{"device", each.key.device},
                    {"name", wire::short_name(each.name)},
                    {"mode", each.key.mode},
                    {"rate_hz", each.key.rate.hz},
                    {"period_frames", each.key.period.count},
                    {"correction_frames", each.frames}});
  }
  return {{"version", kCalibrationVersion}, {"corrections", std::move(list)}};
}

Result<Corrections> Corrections::from_json(const json& document, std::string_view what) {
  const std::string name(what);
  MemberReader reader(document, name);
  const std::uint32_t version = reader.number("version", 1, wire::kAnyNumber);
  if (reader.good() && version != kCalibrationVersion) {
    reader.refuse("version", fmt::format("is {}, and this service reads version {}", version,
                                         kCalibrationVersion));
  }
  const json* const list = reader.list("corrections", kMost);
  if (!reader.good()) return tl::unexpected<Error>(reader.result(0).error());
  Corrections corrections;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string where = fmt::format("{}: corrections[{}]", name, i);
    auto correction = parse_correction((*list)[i], where);
    if (!correction) return tl::unexpected<Error>(std::move(correction.error()));
    if (corrections.find(correction->key) != nullptr) {
      return fail(ErrorCode::malformed,
                  where + ": the same device, mode, rate and period stand before it.");
    }
    corrections.all_.push_back(std::move(*correction));
  }
  return corrections;
}

ports::DeviceLatency corrected(const ports::DeviceLatency& reported,
                               double correction_frames) noexcept {
  if (!acceptable(correction_frames)) return reported;
  const std::int64_t whole = std::llround(correction_frames);
  const std::int64_t half = whole / 2;
  std::int64_t input = std::int64_t{reported.input.count} + half;
  std::int64_t output = std::int64_t{reported.output.count} + (whole - half);
  if (input < 0) output += std::exchange(input, 0);
  if (output < 0) input += std::exchange(output, 0);
  const auto frames = [](std::int64_t count) {
    return Frames{static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, kMostFrames))};
  };
  return {frames(input), frames(output)};
}

std::string calibration_path(const std::string& config_path, const std::string& instance) {
  return file_beside(config_path, "calibration", instance);
}

LoadedCorrections load_corrections(const std::string& path) {
  return load_json_file<LoadedCorrections>(path, "Calibrations", Corrections::from_json);
}

Result<> save_corrections(const std::string& path, const Corrections& corrections) {
  return write_json_file(path, corrections.to_json());
}

}  // namespace asiodrv::service
