// The loops of every kernel, written once over a set of vector operations.
//
// Include only from a kernel_*.cpp, which is compiled for one instruction set. Everything here is
// in an unnamed namespace and nothing of the standard library is called: an inline function shared
// with another file could be linked in its AVX form and run on a processor without it.
//
// Sums are ordered for precision: the outermost, smallest taps first, the left and the right half
// in chains of their own, and the last few additions in double. With a core, the largest taps and
// their products are in double too.
#pragma once

#include "core/audio/resampler/kernel.hpp"

/// Sums live in registers only while everything is one function.
#define ASIODRV_KERNEL_INLINE [[gnu::always_inline]] inline

namespace asiodrv::audio::kernel {
namespace {

/// Channels whose sums run side by side, so that a coefficient is loaded once for all of them.
constexpr std::uint32_t kWide = 4;

/// One value per frame of a run.
template <class Value, std::uint32_t kFrames>
struct PerFrame {
  Value of[kFrames];
};

/// Coefficients straight from the table, for kFrames frames of one phase: near ratio 1 neighbours
/// share their phase nearly always, and then its rows are read once for all of them.
template <class Ops, std::uint32_t kFrames>
class FromTable {
 public:
  FromTable(const Job& job, const Window* windows)
      : row_(job.rows + windows->phase * kParts * job.taps),
        core_row_(job.core_rows + windows->phase * kParts * job.core_taps),
        taps_(job.taps),
        core_taps_(job.core_taps) {
    for (std::uint32_t f = 0; f < kFrames; ++f) inside_[f] = windows[f].inside;
  }

  /// kLanes coefficients from `tap` on, c0 + x (c1 + x c2).
  PerFrame<typename Ops::Float, kFrames> at(std::uint32_t tap) const {
    return horner<typename Ops::Float>(row_ + tap, taps_);
  }
  PerFrame<typename Ops::Double, kFrames> core_at(std::uint32_t tap) const {
    return horner<typename Ops::Double>(core_row_ + tap, core_taps_);
  }

 private:
  template <class Vector, class Sample>
  PerFrame<Vector, kFrames> horner(const Sample* row, std::size_t length) const {
    const Vector c0 = Ops::load(row), c1 = Ops::load(row + length),
                 c2 = Ops::load(row + 2 * length);
    PerFrame<Vector, kFrames> result;
    for (std::uint32_t f = 0; f < kFrames; ++f) {
      const Vector x = Ops::splat(static_cast<Sample>(inside_[f]));
      result.of[f] = Ops::fma(x, Ops::fma(x, c2, c1), c0);
    }
    return result;
  }

  const float* row_;
  const double* core_row_;
  std::size_t taps_, core_taps_;
  float inside_[kFrames];
};

/// Coefficients computed before, once for all channels.
template <class Ops>
class FromScratch {
 public:
  FromScratch(const Job& job, std::size_t taps, std::uint32_t frame)
      : coefficients_(job.coefficients + frame * taps),
        core_(job.core_coefficients + frame * job.core_taps) {}
  PerFrame<typename Ops::Float, 1> at(std::uint32_t tap) const {
    return {{Ops::load(coefficients_ + tap)}};
  }
  PerFrame<typename Ops::Double, 1> core_at(std::uint32_t tap) const {
    return {{Ops::load(core_ + tap)}};
  }

 private:
  const float* coefficients_;
  const double* core_;
};

/// The weighted sums of kFrames windows in kChannels channels; sums are [channel][kGroup frames].
template <class Ops, std::uint32_t kTaps, bool kCore, std::uint32_t kChannels,
          std::uint32_t kFrames, class Source>
ASIODRV_KERNEL_INLINE void window_sums(const Job& job, const float* history, const Window* windows,
                                       const Source& source, typename Ops::Partial* sums) {
  constexpr std::uint32_t kSums = kChannels * kFrames;
  const std::uint32_t taps = kTaps != 0 ? kTaps : job.taps;
  const std::uint32_t core_taps = kCore ? job.core_taps : 0;
  const std::uint32_t outer = (taps - core_taps) / 2;  // on each side
  const float* samples[kSums];
  for (std::uint32_t s = 0; s < kSums; ++s) {
    samples[s] = history + s / kFrames * job.history_stride + windows[s % kFrames].start;
  }

  typename Ops::Float left[kSums], right[kSums];
  for (std::uint32_t s = 0; s < kSums; ++s) left[s] = right[s] = Ops::zero();
  for (std::uint32_t i = 0; i < outer; i += Ops::kLanes) {
    const std::uint32_t j = taps - Ops::kLanes - i;
    const auto on_left = source.at(i);
    const auto on_right = source.at(j);
    for (std::uint32_t s = 0; s < kSums; ++s) {
      left[s] = Ops::fma(on_left.of[s % kFrames], Ops::load(samples[s] + i), left[s]);
      right[s] = Ops::fma(on_right.of[s % kFrames], Ops::load(samples[s] + j), right[s]);
    }
  }
  typename Ops::Partial partial[kSums];
  for (std::uint32_t s = 0; s < kSums; ++s) partial[s] = Ops::fold(Ops::add(left[s], right[s]));

  if constexpr (kCore) {
    typename Ops::Double even[kSums], odd[kSums];
    for (std::uint32_t s = 0; s < kSums; ++s) even[s] = odd[s] = Ops::zero_double();
    for (std::uint32_t i = 0; i < core_taps; i += 2 * Ops::kDoubleLanes) {
      const auto first = source.core_at(i);
      const auto second = source.core_at(i + Ops::kDoubleLanes);
      for (std::uint32_t s = 0; s < kSums; ++s) {
        const float* core = samples[s] + outer + i;
        even[s] = Ops::fma(first.of[s % kFrames], Ops::widen(core), even[s]);
        odd[s] = Ops::fma(second.of[s % kFrames], Ops::widen(core + Ops::kDoubleLanes), odd[s]);
      }
    }
    for (std::uint32_t s = 0; s < kSums; ++s) {
      partial[s] = Ops::sum(partial[s], Ops::fold(Ops::add(even[s], odd[s])));
    }
  }
  for (std::uint32_t s = 0; s < kSums; ++s) sums[s / kFrames * kGroup + s % kFrames] = partial[s];
}

template <std::uint32_t kFrames>
inline bool one_phase(const Window* windows) {
  bool same = true;
  for (std::uint32_t f = 1; f < kFrames; ++f) same &= windows[f].phase == windows[0].phase;
  return same;
}

/// One group of all channels, one or two, with coefficients from the table.
template <class Ops, std::uint32_t kTaps, bool kCore, std::uint32_t kChannels>
ASIODRV_KERNEL_INLINE void few_channels(const Job& job, std::uint32_t group) {
  constexpr std::uint32_t kRun = kCore ? Ops::kCoreRun : Ops::kRun;
  typename Ops::Partial sums[kChannels * kGroup];
  const Window* windows = job.windows + group * kGroup;
  for (std::uint32_t first = 0; first < kGroup; first += kRun) {
    const Window* run = windows + first;
    if (one_phase<kRun>(run)) {
      window_sums<Ops, kTaps, kCore, kChannels, kRun>(job, job.history, run,
                                                      FromTable<Ops, kRun>(job, run), sums + first);
      continue;
    }
    for (std::uint32_t f = 0; f < kRun; ++f) {
      window_sums<Ops, kTaps, kCore, kChannels, 1>(
          job, job.history, run + f, FromTable<Ops, 1>(job, run + f), sums + first + f);
    }
  }
  for (std::uint32_t c = 0; c < kChannels; ++c) {
    Ops::store_sums(job.targets[c] + group * kGroup, sums + c * kGroup);
  }
}

/// One group of kChannels channels from `channel` on, with coefficients computed before.
template <class Ops, std::uint32_t kTaps, bool kCore, std::uint32_t kChannels>
ASIODRV_KERNEL_INLINE void some_channels(const Job& job, std::uint32_t group,
                                         std::uint32_t channel) {
  const std::uint32_t taps = kTaps != 0 ? kTaps : job.taps;
  typename Ops::Partial sums[kChannels * kGroup];
  const Window* windows = job.windows + group * kGroup;
  const float* history = job.history + channel * job.history_stride;
#pragma GCC unroll 4
  for (std::uint32_t f = 0; f < kGroup; ++f) {
    window_sums<Ops, kTaps, kCore, kChannels, 1>(job, history, windows + f,
                                                 FromScratch<Ops>(job, taps, f), sums + f);
  }
  for (std::uint32_t c = 0; c < kChannels; ++c) {
    Ops::store_sums(job.targets[channel + c] + group * kGroup, sums + c * kGroup);
  }
}

template <class Ops, std::uint32_t kTaps, bool kCore>
inline void compute_coefficients(const Job& job, const Window* windows) {
  const std::uint32_t taps = kTaps != 0 ? kTaps : job.taps;
  const std::uint32_t outer = (taps - (kCore ? job.core_taps : 0)) / 2;
  for (std::uint32_t frame = 0; frame < kGroup; ++frame) {
    const FromTable<Ops, 1> source(job, windows + frame);
    float* coefficients = job.coefficients + frame * taps;
    for (std::uint32_t i = 0; i < outer; i += Ops::kLanes) {
      const std::uint32_t j = taps - Ops::kLanes - i;
      Ops::store(coefficients + i, source.at(i).of[0]);
      Ops::store(coefficients + j, source.at(j).of[0]);
    }
    if constexpr (kCore) {
      double* core = job.core_coefficients + frame * job.core_taps;
      for (std::uint32_t i = 0; i < job.core_taps; i += Ops::kDoubleLanes) {
        Ops::store(core + i, source.core_at(i).of[0]);
      }
    }
  }
}

template <class Ops, std::uint32_t kTaps, bool kCore>
void run_taps(const Job& job) {
  for (std::uint32_t group = 0; group < job.groups; ++group) {
    if (job.channels == 1) {
      few_channels<Ops, kTaps, kCore, 1>(job, group);
    } else if (job.channels == 2) {
      few_channels<Ops, kTaps, kCore, 2>(job, group);
    } else {
      compute_coefficients<Ops, kTaps, kCore>(job, job.windows + group * kGroup);
      std::uint32_t channel = 0;
      for (; channel + kWide <= job.channels; channel += kWide) {
        some_channels<Ops, kTaps, kCore, kWide>(job, group, channel);
      }
      for (; channel < job.channels; ++channel) {
        some_channels<Ops, kTaps, kCore, 1>(job, group, channel);
      }
    }
  }
}

/// The lengths of the three qualities are compiled in; any other takes the general loop.
template <class Ops>
inline void run(const Job& job) {
  if (job.core_taps != 0) {
    return job.taps == 128 ? run_taps<Ops, 128, true>(job) : run_taps<Ops, 0, true>(job);
  }
  if (job.taps == 64) return run_taps<Ops, 64, false>(job);
  if (job.taps == 32) return run_taps<Ops, 32, false>(job);
  run_taps<Ops, 0, false>(job);
}

}  // namespace
}  // namespace asiodrv::audio::kernel
