#include "core/audio/resampler/position.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace asiodrv::audio {
namespace {

struct Quotient {
  InputPosition value;
  std::uint32_t remainder;
};

/// floor(value / divisor) in units of 2^-64, and what is left over, in the same units.
Quotient divide(InputPosition value, std::uint32_t divisor) noexcept {
  const auto by = static_cast<std::int64_t>(divisor);
  std::int64_t whole = value.whole / by;
  std::int64_t left = value.whole % by;
  if (left < 0) {
    --whole;
    left += by;
  }
  const std::uint64_t high = (static_cast<std::uint64_t>(left) << 32) | (value.fraction >> 32);
  const std::uint64_t low = ((high % divisor) << 32) | (value.fraction & 0xFFFF'FFFFu);
  return {{whole, ((high / divisor) << 32) | (low / divisor)},
          static_cast<std::uint32_t>(low % divisor)};
}

}  // namespace

ReadHead::ReadHead(SampleRate input, SampleRate output) noexcept
    : input_(input.hz / std::gcd(input.hz, output.hz)),
      rate_(output.hz / std::gcd(input.hz, output.hz)) {
  reset({});
}

void ReadHead::reset(InputPosition start) RT_SAFE {
  position_ = start;
  residue_ = 0;
  step_ = step_at({});
}

ReadStep ReadHead::step_at(ReadSpeed speed) const RT_SAFE {
  const double asked = std::isnan(speed.factor) ? 1.0 : speed.factor;
  const double factor = std::clamp(asked, 1.0 - kMaxSpeedDeviation, 1.0 + kMaxSpeedDeviation);
  // A double between 0.5 and 2 is a whole number of 2^-53: 2^63 holds it exactly.
  const auto units = static_cast<std::uint64_t>(std::ldexp(factor, 62));
  const InputPosition exact{static_cast<std::int64_t>(units >> 62), units << 2};
  const Quotient step = divide(exact * input_, rate_);
  return {step.value, step.remainder};
}

ReadHead::Path ReadHead::path(std::uint32_t frames, const ReadStep& to) const RT_SAFE {
  if (step_ == to || frames == 0) return {step_, to, {}, frames};
  return {step_, to, divide(to.advance - step_.advance, frames).value, frames};
}

InputPosition ReadHead::last_of(const Path& path) const RT_SAFE {
  const std::uint32_t steps = path.frames - 1;
  const InputPosition level = position_ + path.from.advance * steps;
  if (path.from == path.to) {
    const std::uint64_t residue = residue_ + std::uint64_t{path.to.remainder} * steps;
    return level + InputPosition{0, residue / rate_};
  }
  // growth * (1 + 2 + ... + steps), the triangular number in two factors of 32 bits each
  const std::uint32_t even = steps % 2 == 0 ? steps / 2 : path.frames / 2;
  const std::uint32_t odd = steps % 2 == 0 ? path.frames : steps;
  return level + path.growth * even * odd;
}

void ReadHead::skip(const Path& path) RT_SAFE {
  if (path.frames == 0) return;
  const InputPosition last = last_of(path);
  if (path.from == path.to) {
    const std::uint64_t residue = residue_ + std::uint64_t{path.to.remainder} * path.frames;
    position_ = position_ + path.to.advance * path.frames + InputPosition{0, residue / rate_};
    residue_ = static_cast<std::uint32_t>(residue % rate_);
  } else {
    position_ = last + path.to.advance;
  }
  step_ = path.to;
}

}  // namespace asiodrv::audio
