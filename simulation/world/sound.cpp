#include "simulation/world/sound.hpp"

#include <cmath>

namespace asiodrv::simulation {
namespace {

constexpr std::uint32_t kPerFrame = kMaxHosts * kMaxChannels;
static_assert(Pattern::kFrames * kPerFrame < (1U << 21));
constexpr float kScale = 1.0F / 16'777'216.0F;

/// How far back a callback's period is looked for: longer than any host hangs or is held up.
constexpr std::uint64_t kLookBack = 4000;

}  // namespace

Pattern::Pattern(Frames longest) : frames_(kFrames + longest.count) {
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    frames_[i] = static_cast<float>(i % kFrames * kPerFrame + 1) * kScale;
  }
}

float Pattern::offset(std::uint32_t client, std::uint32_t channel) noexcept {
  return static_cast<float>(client * kMaxChannels + channel) * kScale;
}

void Pattern::write(float* into, std::uint32_t client, std::uint32_t channel, std::uint64_t first,
                    Frames frames) const {
  const float* const from = frames_.data() + first % kFrames;
  const float more = offset(client, channel);
  for (std::uint32_t i = 0; i < frames.count; ++i) into[i] = from[i] + more;
}

void Pattern::add(float* into, std::uint32_t client, std::uint32_t channel, std::uint64_t first,
                  Frames frames) const {
  const float* const from = frames_.data() + first % kFrames;
  const float more = offset(client, channel);
  for (std::uint32_t i = 0; i < frames.count; ++i) into[i] += from[i] + more;
}

Pattern::Meaning Pattern::read(float sample) noexcept {
  const float number = sample / kScale;
  if (!(number >= 1.0F && number < 2'097'152.0F) || number != std::floor(number)) return {};
  const auto value = static_cast<std::uint64_t>(number) - 1;
  const auto rest = static_cast<std::uint32_t>(value % kPerFrame);
  return {true, rest / kMaxChannels, rest % kMaxChannels, value / kPerFrame};
}

Period& Ledger::at(std::uint64_t take, std::uint64_t index) {
  Period& period = periods_[index % kKept];
  if (period.take == take && period.index == index) return period;
  period = {};
  period.take = take;
  period.index = index;
  return period;
}

Period* Ledger::find(std::uint64_t take, std::uint64_t index) {
  Period& period = periods_[index % kKept];
  return take != 0 && period.take == take && period.index == index ? &period : nullptr;
}

Period* Ledger::find(std::uint64_t take, std::uint64_t newest, Instant boundary) {
  for (std::uint64_t back = 0; back < kLookBack && back <= newest; ++back) {
    Period* const period = find(take, newest - back);
    if (period == nullptr) continue;
    if (period->boundary == boundary) return period;
    if (period->boundary < boundary) return nullptr;
  }
  return nullptr;
}

}  // namespace asiodrv::simulation
