// Drives a resampler the two ways an engine does, over vectors of whole signals.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/audio/resampler/resampler.hpp"

namespace asiodrv::audio::testing {

using Channels = std::vector<std::vector<float>>;

/// The speed for the block whose first output frame has this number.
using SpeedAt = std::function<ReadSpeed(std::size_t)>;

inline SpeedAt constant(double factor = 1.0) {
  return [factor](std::size_t) { return ReadSpeed{factor}; };
}

/// Pointers to every channel from frame `at` on.
template <class Sample, class Planes>
std::vector<Sample*> pointers(Planes& planes, std::size_t at) {
  std::vector<Sample*> result;
  for (auto& plane : planes) result.push_back(plane.data() + at);
  return result;
}

/// Pulls `frames` output frames in blocks of `block(number of the block)` frames, each fed with
/// exactly needed() input; stops early when the input ends.
inline Channels pull(Resampler& resampler, const Channels& input, std::size_t frames,
                     const std::function<std::uint32_t(std::size_t)>& block,
                     const SpeedAt& speed = constant()) {
  Channels output(input.size(), std::vector<float>(frames));
  std::size_t read = 0, written = 0;
  for (std::size_t number = 0; written < frames; ++number) {
    const Frames wanted{
        static_cast<std::uint32_t>(std::min<std::size_t>(block(number), frames - written))};
    const ReadSpeed now = speed(written);
    const Frames need = resampler.needed(wanted, now);
    if (read + need.count > input[0].size()) break;
    const auto in = pointers<const float>(input, read);
    const auto out = pointers<float>(output, written);
    const auto channels = static_cast<std::uint32_t>(input.size());
    const auto flow =
        resampler.process({in.data(), channels, need}, {out.data(), channels, wanted}, now);
    if (flow.produced != wanted || flow.consumed != need) return {};  // the contract is broken
    read += need.count;
    written += wanted.count;
  }
  for (auto& channel : output) channel.resize(written);
  return output;
}

/// The usual case: one channel, blocks of 64.
inline std::vector<float> pull(Resampler& resampler, const std::vector<float>& input,
                               std::size_t frames, const SpeedAt& speed = constant()) {
  Channels output = pull(
      resampler, Channels{input}, frames, [](std::size_t) { return 64; }, speed);
  return output.empty() ? std::vector<float>{} : std::move(output[0]);
}

}  // namespace asiodrv::audio::testing
