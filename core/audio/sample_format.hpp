// Conversion between the engine's float samples and the sample types of clients, one channel
// block at a time.
//
// Scale: full scale is [-1, 1). An integer of b bits is its value / 2^(b-1). Little-endian; int24
// is packed into 3 bytes.
//
//   type     integer -> float -> integer             float -> type
//   int16    identity, all 2^16 values               clips, rounds to nearest even
//   int24    identity, all 2^24 values               clips, rounds to nearest even
//   int32    identity for every value of at most 24  clips, rounds to nearest even (only below
//            significant bits: all multiples of 128  2^-8 does a float hold bits to round off)
//            (so 24-bit audio, too), and |v| <= 2^24;
//            others round to the nearest float
//   float32  identity, bit for bit                   bit for bit: no clipping
//
// Shape: `frames` samples, any count from 0 up; no alignment needed; blocks must not overlap
// (float32 may convert in place). Each source sample is read exactly once, so the source may be
// shared memory under change. RT: wait-free, O(frames), no allocation.
#pragma once

#include <cstddef>

#include "core/base/rt.hpp"
#include "core/base/sample_type.hpp"
#include "core/base/units.hpp"

namespace asiodrv::audio {

/// From a client's block to engine samples. The client is not trusted: float32 samples that are
/// NaN become 0 and infinities full scale (as copy_sanitised does); all other values are exact.
void to_float(SampleType type, const std::byte* source, float* target, Frames frames) RT_SAFE;

/// to_float followed by clip (core/audio/mix.hpp), in one pass: for a block that is a sink's only
/// source.
void to_float_clipped(SampleType type, const std::byte* source, float* target,
                      Frames frames) RT_SAFE;

/// From engine samples to a client's block. Integers: NaN becomes 0, values outside full scale
/// become the nearest limit. float32 is a plain copy.
void from_float(SampleType type, const float* source, std::byte* target, Frames frames) RT_SAFE;

}  // namespace asiodrv::audio
