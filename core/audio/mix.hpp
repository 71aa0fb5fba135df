// The engine's arithmetic on one channel's block of float samples.
//
// Shape: every function takes `frames` contiguous samples, any count from 0 up; pointers need no
// alignment (64 bytes is fastest). Source and target are either the same block or do not overlap.
// RT: wait-free, O(frames), no allocation. A sample of 1 is digital full scale.
#pragma once

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::audio {

/// Copies a block that somebody else wrote: NaN becomes 0, an infinity becomes full scale of its
/// sign, every finite value (negative zero, denormals, beyond full scale) is copied bit for bit.
/// Each source sample is read exactly once, so the source may be shared memory under change.
void copy_sanitised(const float* source, float* target, Frames frames) RT_SAFE;

/// Copies bit for bit.
void copy(const float* source, float* target, Frames frames) RT_SAFE;

/// Fills with zero.
void silence(float* target, Frames frames) RT_SAFE;

/// Adds `source` into `target`. Does not clip; the sink clips once.
void mix_into(const float* source, float* target, Frames frames) RT_SAFE;

/// Adds `source`, scaled by `gain` (a factor, not dB), into `target`. Unity gain is the plain sum.
void mix_into(const float* source, float* target, Frames frames, LinearGain gain) RT_SAFE;

/// Adds four sources at four gains into `target` in one pass; into silence, whatever `target` held,
/// when `fresh`. No source is `target`.
void mix_four_into(const float* const (&sources)[4], const float (&gains)[4], float* target,
                   Frames frames, bool fresh) RT_SAFE;

/// As above with a gain that moves linearly: it leaves `from` before the first sample and arrives
/// at `to` with the last, so that blocks join without a step.
void mix_into(const float* source, float* target, Frames frames, LinearGain from,
              LinearGain to) RT_SAFE;

/// Limits to [-1, 1]; bit-exact inside, NaN becomes 0. Call once, before the sink.
void clip(float* target, Frames frames) RT_SAFE;

/// Scales a block from silence up to unity along a smooth curve (3s^2 - 2s^3): the first sample is
/// almost silent, the last is unchanged.
void fade_in(float* target, Frames frames) RT_SAFE;

/// Scales a block from unity down to silence along the same curve; the last sample is 0.
void fade_out(float* target, Frames frames) RT_SAFE;

/// Writes a tail for a signal that stopped at the value `last` without warning: from there to
/// silence along the same curve; the last sample is 0.
void fade_tail(float last, float* target, Frames frames) RT_SAFE;

}  // namespace asiodrv::audio
