#include "core/audio/mix.hpp"

#include <cstring>

#include "core/audio/simd.hpp"

namespace asiodrv::audio {
namespace {

/// The fade curve: 0 at 0, 1 at 1 (both exact), level at both ends.
float smooth(float position) noexcept { return position * position * (3.0F - 2.0F * position); }

}  // namespace

void copy_sanitised(const float* source, float* target, Frames frames) RT_SAFE {
  simd::by_fours<4, 4>(source, target, frames.count, [](const void* from, void* to) {
    simd::store(to, simd::sanitised(simd::load<simd::Int4>(from)));
  });
}

void copy(const float* source, float* target, Frames frames) RT_SAFE {
  if (frames.count == 0) return;  // pointers to nothing may be null, which memmove refuses
  std::memmove(target, source, std::size_t{frames.count} * sizeof(float));
}

void silence(float* target, Frames frames) RT_SAFE {
  if (frames.count == 0) return;  // as in copy
  std::memset(target, 0, std::size_t{frames.count} * sizeof(float));
}

void mix_into(const float* source, float* target, Frames frames) RT_SAFE {
  for (std::uint32_t i = 0; i < frames.count; ++i) target[i] += source[i];
}

void mix_into(const float* source, float* target, Frames frames, LinearGain gain) RT_SAFE {
  if (gain == LinearGain{}) return mix_into(source, target, frames);
  const float factor = gain.factor;
  for (std::uint32_t i = 0; i < frames.count; ++i) target[i] += factor * source[i];
}

void mix_four_into(const float* const (&sources)[4], const float (&gains)[4], float* target,
                   Frames frames, bool fresh) RT_SAFE {
  const float* __restrict const a = sources[0];
  const float* __restrict const b = sources[1];
  const float* __restrict const c = sources[2];
  const float* __restrict const d = sources[3];
  float* __restrict const sum = target;
  const float ga = gains[0], gb = gains[1], gc = gains[2], gd = gains[3];
  const std::uint32_t count = frames.count;
  if (fresh) {
    for (std::uint32_t i = 0; i < count; ++i) {
      sum[i] = (ga * a[i] + gb * b[i]) + (gc * c[i] + gd * d[i]);
    }
  } else {
    for (std::uint32_t i = 0; i < count; ++i) {
      sum[i] += (ga * a[i] + gb * b[i]) + (gc * c[i] + gd * d[i]);
    }
  }
}

void mix_into(const float* source, float* target, Frames frames, LinearGain from,
              LinearGain to) RT_SAFE {
  if (from == to || frames.count == 0) return mix_into(source, target, frames, to);
  // Counted back from the end, so that the last factor is exactly `to`.
  const float step = (to.factor - from.factor) / static_cast<float>(frames.count);
  const auto last = static_cast<std::int32_t>(frames.count - 1);
  for (std::int32_t i = 0; i <= last; ++i) {
    target[i] += (to.factor - step * static_cast<float>(last - i)) * source[i];
  }
}

void clip(float* target, Frames frames) RT_SAFE {
  simd::by_fours<4, 4>(target, target, frames.count, [](const void* from, void* to) {
    const simd::Float4 value = simd::without_nan(simd::load<simd::Float4>(from));
    simd::store(to, simd::at_least(simd::at_most(value, 1.0F), -1.0F));
  });
}

void fade_in(float* target, Frames frames) RT_SAFE {
  const auto count = static_cast<std::int32_t>(frames.count);
  const auto length = static_cast<float>(count);
  for (std::int32_t i = 0; i < count; ++i) target[i] *= smooth(static_cast<float>(i + 1) / length);
}

void fade_out(float* target, Frames frames) RT_SAFE {
  const auto count = static_cast<std::int32_t>(frames.count);
  const auto length = static_cast<float>(count);
  for (std::int32_t i = 0; i < count; ++i) {
    target[i] *= smooth(static_cast<float>(count - 1 - i) / length);
  }
}

void fade_tail(float last, float* target, Frames frames) RT_SAFE {
  const auto count = static_cast<std::int32_t>(frames.count);
  const auto length = static_cast<float>(count);
  for (std::int32_t i = 0; i < count; ++i) {
    target[i] = last * smooth(static_cast<float>(count - 1 - i) / length);
  }
}

}  // namespace asiodrv::audio
