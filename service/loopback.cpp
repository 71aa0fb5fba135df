#include "service/loopback.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/audio/marker.hpp"

namespace asiodrv::service {
namespace {

constexpr double kLeadSeconds = 0.25;        // devices fade in, and drop what comes first
constexpr double kDistanceSeconds = 0.25;    // from shot to shot, where a marker is not longer
constexpr std::uint32_t kPause = 1024;       // frames between two markers, at least
constexpr std::uint32_t kMissingAtOnce = 3;  // with nothing found: there is no cable
constexpr std::size_t kCannotHide = LoopbackSignal::kMarker / 2;  // frames lost of a marker
constexpr float kFullScale = 0.999F;
constexpr std::size_t kMostClipped = 8;  // samples in one marker

std::size_t frames_of(double seconds, SampleRate rate) {
  return static_cast<std::size_t>(std::ceil(seconds * rate.hz));
}

std::size_t count_clipped(std::span<const float> heard) {
  return static_cast<std::size_t>(std::count_if(
      heard.begin(), heard.end(), [](float value) { return std::abs(value) >= kFullScale; }));
}

double decibels(double factor) { return 20 * std::log10(std::max(factor, 1e-10)); }

}  // namespace

LoopbackSignal::LoopbackSignal(SampleRate rate, Frames expected_round_trip)
    : rate_(rate),
      lead_(frames_of(kLeadSeconds, rate)),
      distance_(std::max(frames_of(kDistanceSeconds, rate), std::size_t{kMarker} + kPause)),
      reach_(frames_of(kReachMs / 1000.0, rate) + expected_round_trip.count),
      samples_(lead_ + kShots * distance_) {
  std::array<std::int16_t, kMarker> values{};
  for (std::uint32_t shot = 0; shot < kShots; ++shot) {
    audio::write_marker(0, shot, values);
    std::transform(values.begin(), values.end(),
                   samples_.begin() + static_cast<std::ptrdiff_t>(sent_at(shot)),
                   [](std::int16_t value) { return static_cast<float>(value) / 32768.0F; });
  }
}

LoopbackJudge::LoopbackJudge(const LoopbackSignal& signal, std::string from, std::string to)
    : signal_(signal), from_(std::move(from)), to_(std::move(to)) {}

void LoopbackJudge::look(std::span<const float> recording,
                         const std::function<std::size_t(std::size_t, std::size_t)>& lost) {
  const std::uint32_t shot = next_++;
  const std::size_t sent = signal_.sent_at(shot);
  const auto heard = recording.subspan(sent, signal_.heard_at(shot) - sent);
  const auto sighting = audio::find_marker(signal_.marker(shot), heard);
  const bool found = sighting && sighting->contrast >= kContrast;
  const auto place =
      found ? static_cast<std::size_t>(std::max(0.0, std::round(sighting->place))) : heard.size();
  const std::size_t begin = std::min(place, heard.size() - LoopbackSignal::kMarker);
  if (lost(sent, sent + begin + LoopbackSignal::kMarker) > (found ? std::size_t{0} : kCannotHide)) {
    ++damaged_;
    return;
  }
  if (!found) {
    ++missing_;
    return;
  }
  found_.push_back({sighting->place, sighting->gain});
  if (count_clipped(heard.subspan(begin, LoopbackSignal::kMarker)) > kMostClipped) ++clipped_;
}

bool LoopbackJudge::done() const noexcept {
  return next_ == LoopbackSignal::kShots || found_.size() >= kNeeded ||
         (found_.empty() && missing_ >= kMissingAtOnce);
}

/// No shot was found where it was looked for.
Error LoopbackJudge::why_nothing(std::span<const float> recording) const {
  const auto later = recording.subspan(signal_.sent_at(0));
  const auto late = audio::find_marker(signal_.marker(0), later);
  if (late && late->contrast >= kContrast) {
    return {ErrorCode::invalid_state,
            fmt::format("What {} plays comes back at {} after {:.0f} ms only, and a cable takes "
                        "less than {:.0f} ms. Take effects and other programs out of its way.",
                        from_, to_, late->place * 1000 / signal_.rate().hz,
                        static_cast<double>(signal_.reach()) * 1000 / signal_.rate().hz)};
  }
  return {ErrorCode::invalid_state,
          fmt::format("Nothing of what {} plays comes back at {}. Connect the two with a cable, "
                      "and turn both up.",
                      from_, to_)};
}

Result<LoopbackResult> LoopbackJudge::verdict(std::span<const float> recording) const {
  if (found_.empty() && missing_ > 0) return tl::unexpected<Error>(why_nothing(recording));
  if (found_.size() < kNeeded && missing_ > 0 && missing_ >= found_.size()) {
    return fail(ErrorCode::invalid_state,
                fmt::format("Only {} of {} shots from {} were heard at {}. Check the plugs, and "
                            "keep other sound away from these two channels.",
                            found_.size(), found_.size() + missing_, from_, to_));
  }
  if (found_.size() < kNeeded) {
    return fail(ErrorCode::timed_out,
                fmt::format("{} of {} shots were damaged because the machine was too busy. Close "
                            "other programs, or choose a larger period.",
                            damaged_, next_));
  }
  if (clipped_ > 0) {
    return fail(
        ErrorCode::invalid_state,
        fmt::format("{} is overloaded. Turn down its gain or the level of {}.", to_, from_));
  }
  const auto [least, most] = std::minmax_element(
      found_.begin(), found_.end(), [](const Shot& a, const Shot& b) { return a.delay < b.delay; });
  LoopbackResult result;
  double gain = 0;
  for (const Shot& shot : found_) {
    result.delay_frames += shot.delay / static_cast<double>(found_.size());
    gain += shot.gain / static_cast<double>(found_.size());
  }
  result.spread_frames = most->delay - least->delay;
  result.level_db = decibels(std::abs(gain));
  result.inverted = gain < 0;
  result.shots = static_cast<std::uint32_t>(found_.size());
  result.damaged = damaged_;
  if (result.spread_frames > kSpread) {
    return fail(ErrorCode::invalid_state,
                fmt::format("The delay from {} to {} is not the same twice: {:.1f} to {:.1f} "
                            "frames. Close other programs that use the device, and try again.",
                            from_, to_, least->delay, most->delay));
  }
  if (result.level_db < kLeastLevelDb) {
    return fail(ErrorCode::invalid_state,
                fmt::format("What {} plays comes back at {} {:.0f} dB weaker, which is a leak "
                            "between channels and no cable. Connect the two, and turn both up.",
                            from_, to_, -result.level_db));
  }
  return result;
}

}  // namespace asiodrv::service
