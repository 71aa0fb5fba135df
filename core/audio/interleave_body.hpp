// The loops of the interleaving kernels, written once over a set of vector operations.
//
// Include only from an interleave_*.cpp, which is compiled for one instruction set. Everything here
// is in an unnamed namespace and nothing of the standard library is called, as in the resampler's
// kernels: an inline function shared with another file could be linked in its AVX form.
//
// The unit is a word of 32 bits: one sample, or two neighbours of 16 bits, which a shift and a mask
// take apart. A tile is 4 words of each of 4 * kLanes frames. The piece of a row that belongs to it
// has 16 bytes (12 of packed int24) and becomes one 128-bit lane; lane j of vector i holds the row
// 4j + i, so that a 4x4 transposition inside the lanes leaves one channel's consecutive frames in
// each vector. Devices of one or two words per frame need less: their vectors are read as they lie.
#pragma once

#include "core/audio/interleave_kernel.hpp"

/// Vectors live in registers only while everything is one function.
#define ASIODRV_KERNEL_INLINE [[gnu::always_inline]] inline

namespace asiodrv::audio::kernel {
namespace {

constexpr std::size_t kPiece = 16;  // bytes of a lane; what a piece's load and store touch

template <DeviceLayout kLayout>
constexpr std::size_t kBytes = device_layout_bytes(kLayout);

template <DeviceLayout kLayout>
constexpr std::uint32_t kPerWord = kLayout == DeviceLayout::int16 ? 2 : 1;

/// Bytes of a piece that are samples.
template <DeviceLayout kLayout>
constexpr std::size_t kUsed = kLayout == DeviceLayout::int24 ? 12 : 16;

/// Bytes from row to row of a tile that is set apart.
template <std::uint32_t kWords>
constexpr std::size_t kRow = kWords == 8 ? 2 * kPiece : kPiece;

/// Whether tiles of 8 words are worth having.
template <class Ops, DeviceLayout kLayout>
constexpr bool kWide = Ops::kLanes > 1 && kLayout != DeviceLayout::int24;

/// Frames of a tile.
template <class Ops>
constexpr std::uint32_t kTile = 4 * Ops::kLanes;

template <class Number>
constexpr Number smaller(Number a, Number b) {
  return a < b ? a : b;
}

// --- between words and samples -------------------------------------------------------------------

/// Bytes of a piece as words: packed int24 is spread out, top-aligned.
template <class Ops, DeviceLayout kLayout>
ASIODRV_KERNEL_INLINE typename Ops::Int spread(typename Ops::Int raw) {
  if constexpr (kLayout == DeviceLayout::int24) return Ops::spread_24(raw);
  return raw;
}

/// The samples of one vector of words, to one or two channels at frame `at`.
template <class Ops, DeviceLayout kLayout>
ASIODRV_KERNEL_INLINE void emit(typename Ops::Int word, float* const* targets, std::uint32_t wanted,
                                std::size_t at) {
  if constexpr (kLayout == DeviceLayout::float32) {
    if (wanted != 0) Ops::store(targets[0] + at, Ops::as_float(word));
  } else if constexpr (kLayout == DeviceLayout::int16) {
    const auto upper = Ops::splat(static_cast<std::int32_t>(0xFFFF0000U));
    if (wanted != 0) Ops::store(targets[0] + at, Ops::sample(Ops::template shl<16>(word)));
    if (wanted > 1) Ops::store(targets[1] + at, Ops::sample(Ops::both(word, upper)));
  } else if constexpr (kLayout == DeviceLayout::int24_in_32) {
    if (wanted != 0) Ops::store(targets[0] + at, Ops::sample(Ops::both(word, Ops::splat(~0xFF))));
  } else {
    if (wanted != 0) Ops::store(targets[0] + at, Ops::sample(word));
  }
}

/// What the noise of a tile's vectors is computed from.
template <class Ops>
struct Noise {
  explicit Noise(const InterleaveJob& job)
      : lanes(Ops::multiply(Ops::count(), Ops::splat(static_cast<std::int32_t>(job.channels)))),
        low(static_cast<std::uint32_t>(job.key)),
        high(static_cast<std::uint32_t>(job.key >> 32U)) {}
  typename Ops::Int lanes;  ///< place of each lane's frame after the first one's
  std::uint32_t low, high;
};

/// One step of the hash, on a place: see kFirstMultiplier.
template <class Ops>
ASIODRV_KERNEL_INLINE typename Ops::Float noise_at(const Noise<Ops>& noise, std::uint32_t place) {
  using Int = typename Ops::Int;
  constexpr std::int32_t kHalf = 0xFFFF;
  Int x = Ops::add(noise.lanes, Ops::splat(static_cast<std::int32_t>(place + noise.low)));
  x = Ops::multiply(Ops::differ(x, Ops::template shr<16>(x)),
                    Ops::splat(static_cast<std::int32_t>(kFirstMultiplier)));
  x = Ops::add(x, Ops::splat(static_cast<std::int32_t>(noise.high)));
  x = Ops::multiply(Ops::differ(x, Ops::template shr<15>(x)),
                    Ops::splat(static_cast<std::int32_t>(kSecondMultiplier)));
  x = Ops::differ(x, Ops::template shr<16>(x));
  const Int sum = Ops::add(Ops::both(x, Ops::splat(kHalf)), Ops::template shr<16>(x));
  return Ops::scaled(Ops::to_float(Ops::add(sum, Ops::splat(-kHalf))), 0x1p-16F);
}

/// Scaled by a power of two (exact), dithered, clipped to limits that floats hold exactly, rounded.
template <class Ops, bool kDithered>
ASIODRV_KERNEL_INLINE typename Ops::Int integer(typename Ops::Float samples, float scale,
                                                const Noise<Ops>& noise, std::uint32_t place) {
  auto scaled = Ops::scaled(Ops::without_nan(samples), scale);
  if constexpr (kDithered) scaled = Ops::add(scaled, noise_at(noise, place));
  return Ops::round(Ops::clipped(scaled, -scale, scale - 1.0F));
}

/// One channel's samples as integers, in the lower bits; float32 and the 32-bit layouts as they go
/// out.
template <class Ops, DeviceLayout kLayout, bool kDithered>
ASIODRV_KERNEL_INLINE typename Ops::Int encoded(const float* source, const Noise<Ops>& noise,
                                                std::uint32_t place) {
  const auto samples = Ops::load_samples(source);
  if constexpr (kLayout == DeviceLayout::float32) {
    return Ops::as_int(samples);
  } else if constexpr (kLayout == DeviceLayout::int32) {
    return Ops::round_to_int32(Ops::scaled(Ops::without_nan(samples), 0x1p31F));
  } else if constexpr (kLayout == DeviceLayout::int16) {
    return integer<Ops, kDithered>(samples, 0x1p15F, noise, place);
  } else if constexpr (kLayout == DeviceLayout::int24) {
    return integer<Ops, kDithered>(samples, 0x1p23F, noise, place);
  } else {
    return Ops::template shl<8>(integer<Ops, kDithered>(samples, 0x1p23F, noise, place));
  }
}

// --- inside a lane -------------------------------------------------------------------------------

/// 4x4 words in each lane; its own inverse.
template <class Ops>
ASIODRV_KERNEL_INLINE void transpose(typename Ops::Int (&v)[4]) {
  const auto a = Ops::zip_low(v[0], v[1]), b = Ops::zip_high(v[0], v[1]);
  const auto c = Ops::zip_low(v[2], v[3]), d = Ops::zip_high(v[2], v[3]);
  v[0] = Ops::join_low(a, c);
  v[1] = Ops::join_high(a, c);
  v[2] = Ops::join_low(b, d);
  v[3] = Ops::join_high(b, d);
}

/// 8 words of each of kTile frames, as they lie in a frame, to one word of them all, and back. The
/// first four vectors are the rows 0 to 3 (and 8 to 11), the others 4 to 7 (and 12 to 15).
template <class Ops>
ASIODRV_KERNEL_INLINE void transpose_in(typename Ops::Int (&v)[8]) {
  typename Ops::Int low[4]{v[0], v[1], v[2], v[3]}, high[4]{v[4], v[5], v[6], v[7]};
  transpose<Ops>(low);
  transpose<Ops>(high);
  for (std::uint32_t i = 0; i < 4; ++i) {
    v[i] = Ops::even_lanes(low[i], high[i]);
    v[4 + i] = Ops::odd_lanes(low[i], high[i]);
  }
}
template <class Ops>
ASIODRV_KERNEL_INLINE void transpose_out(typename Ops::Int (&v)[8]) {
  typename Ops::Int low[4], high[4];
  for (std::uint32_t i = 0; i < 4; ++i) {
    low[i] = Ops::even_lanes(v[i], v[4 + i]);
    high[i] = Ops::odd_lanes(v[i], v[4 + i]);
  }
  transpose<Ops>(low);
  transpose<Ops>(high);
  for (std::uint32_t i = 0; i < 4; ++i) {
    v[i] = low[i];
    v[4 + i] = high[i];
  }
}

// --- columns and bands ---------------------------------------------------------------------------

/// A block is gone through in bands that the first-level cache holds, and within a band column by
/// column of tiles: so only a column's channels are open at a time. All of them in turn would
/// compete for the same few places of the cache where channels lie a power of two apart.
template <class Ops, DeviceLayout kLayout>
constexpr std::uint32_t band_of(std::uint32_t channels) {
  constexpr std::size_t kBandBytes = 16 * 1024;  // of the device's block
  const std::size_t frames = kBandBytes / (kBytes<kLayout> * channels) / kTile<Ops> * kTile<Ops>;
  return frames == 0 ? kTile<Ops> : static_cast<std::uint32_t>(frames);
}

/// The tiles of the channels from one on.
template <class Ops, DeviceLayout kLayout, std::uint32_t kWords>
struct Column {
  Column(std::uint32_t channels, std::uint32_t frames, std::uint32_t channel)
      : stride(std::size_t{channels} * kBytes<kLayout>),
        first(std::size_t{channel} * kBytes<kLayout>),
        total(stride * frames) {}
  [[nodiscard]] std::size_t offset(std::uint32_t at) const { return at * stride + first; }

  /// Where the tiles from frame `at` on end that are whole, end by `end`, and reach no further than
  /// the block does, when `piece` is what one access to a piece touches.
  [[nodiscard]] std::uint32_t whole(std::uint32_t at, std::uint32_t end, std::size_t piece) const {
    const std::size_t reach = piece + (kWords == 4 ? (kTile<Ops> - 1) * stride
                                                   : (kWords * Ops::kLanes - 1) * kUsed<kLayout>);
    std::uint32_t until = at + (end - at) / kTile<Ops> * kTile<Ops>;
    while (until > at && offset(until - kTile<Ops>) + reach > total) until -= kTile<Ops>;
    return until;
  }

  std::size_t stride, first, total;  // bytes
};

// --- device to engine ----------------------------------------------------------------------------

/// The words of kTile frames, one vector per word of a frame. Reads whole pieces.
template <class Ops, DeviceLayout kLayout, std::uint32_t kWords>
ASIODRV_KERNEL_INLINE void read_tile(const std::byte* from, std::size_t stride,
                                     typename Ops::Int (&words)[kWords]) {
  constexpr std::size_t kStep = kUsed<kLayout>;
  constexpr bool kPacked = kLayout == DeviceLayout::int24;
  if constexpr (kWords == 8) {
    for (std::size_t i = 0; i < 8; ++i) {
      words[i] = Ops::load_rows(from + i * stride, 8 * stride);
    }
    transpose_in<Ops>(words);
  } else if constexpr (kWords == 4) {
    for (std::size_t i = 0; i < 4; ++i) {
      words[i] = spread<Ops, kLayout>(Ops::load_pieces(from + i * stride, 4 * stride));
    }
    transpose<Ops>(words);
  } else if constexpr (kWords == 2 && kPacked) {
    const auto a = spread<Ops, kLayout>(Ops::load_pieces(from, 2 * kStep));
    const auto b = spread<Ops, kLayout>(Ops::load_pieces(from + kStep, 2 * kStep));
    words[0] = Ops::even_in_lanes(a, b);
    words[1] = Ops::odd_in_lanes(a, b);
  } else if constexpr (kWords == 2) {
    const auto a = Ops::load(from), b = Ops::load(from + kPiece * Ops::kLanes);
    words[0] = Ops::even(a, b);
    words[1] = Ops::odd(a, b);
  } else if constexpr (kPacked) {
    words[0] = spread<Ops, kLayout>(Ops::load_pieces(from, kStep));
  } else {
    words[0] = Ops::load(from);
  }
  if constexpr (kLayout == DeviceLayout::float32) {
    if (Ops::any_not_finite(words)) {
      for (auto& word : words) word = Ops::sanitised(word);
    }
  }
}

template <class Ops, DeviceLayout kLayout, std::uint32_t kWords>
ASIODRV_KERNEL_INLINE void deinterleave_tile(const std::byte* from, std::size_t stride,
                                             float* const* targets, std::uint32_t wanted,
                                             std::size_t at) {
  constexpr std::uint32_t kSamples = kWords * kPerWord<kLayout>;
  typename Ops::Int words[kWords];
  read_tile<Ops, kLayout, kWords>(from, stride, words);
  if (wanted >= kSamples) {
    for (std::uint32_t w = 0; w < kWords; ++w) {
      emit<Ops, kLayout>(words[w], targets + w * kPerWord<kLayout>, kPerWord<kLayout>, at);
    }
  } else {
    for (std::uint32_t w = 0; w < kWords; ++w) {
      const std::uint32_t first = w * kPerWord<kLayout>;
      emit<Ops, kLayout>(words[w], targets + first, wanted > first ? wanted - first : 0, at);
    }
  }
}

/// A tile at the end of a block: fewer frames, or pieces that would reach beyond it.
template <class Ops, DeviceLayout kLayout, std::uint32_t kWords>
[[gnu::noinline]] void deinterleave_edge(const std::byte* from, std::size_t stride,
                                         float* const* targets, std::uint32_t wanted,
                                         std::size_t at, std::uint32_t frames) {
  constexpr std::uint32_t kSamples = kWords * kPerWord<kLayout>;
  std::byte source[kTile<Ops> * kRow<kWords> + kPiece]{};
  float results[kSamples][kTile<Ops>];
  float* blocks[kSamples];
  for (std::uint32_t s = 0; s < kSamples; ++s) blocks[s] = results[s];
  if constexpr (kWords >= 4) {
    for (std::size_t f = 0; f < frames; ++f) {
      __builtin_memcpy(source + f * kRow<kWords>, from + f * stride, wanted * kBytes<kLayout>);
    }
  } else {
    __builtin_memcpy(source, from, frames * stride);
  }
  deinterleave_tile<Ops, kLayout, kWords>(source, kRow<kWords>, blocks, kSamples, 0);
  for (std::uint32_t s = 0; s < wanted; ++s) {
    __builtin_memcpy(targets[s] + at, results[s], frames * sizeof(float));
  }
}

/// One column of tiles, frames `at` to `end`.
template <class Ops, DeviceLayout kLayout, std::uint32_t kWords>
ASIODRV_KERNEL_INLINE void deinterleave_column(const DeinterleaveJob& job, std::uint32_t channel,
                                               std::uint32_t wanted, std::uint32_t at,
                                               std::uint32_t end) {
  const Column<Ops, kLayout, kWords> column(job.channels, job.frames, channel);
  const std::uint32_t whole = column.whole(at, end, kRow<kWords>);
  float* const* targets = job.targets + channel;
  for (; at < whole; at += kTile<Ops>) {
    deinterleave_tile<Ops, kLayout, kWords>(job.source + column.offset(at), column.stride, targets,
                                            wanted, at);
  }
  for (; at < end; at += kTile<Ops>) {
    deinterleave_edge<Ops, kLayout, kWords>(job.source + column.offset(at), column.stride, targets,
                                            wanted, at, smaller(kTile<Ops>, end - at));
  }
}

template <class Ops, DeviceLayout kLayout, std::uint32_t kWords>
void deinterleave_block(const DeinterleaveJob& job) {
  constexpr std::uint32_t kSamples = kWords * kPerWord<kLayout>;
  const std::uint32_t band = band_of<Ops, kLayout>(job.channels);
  for (std::uint32_t at = 0; at < job.frames; at += band) {
    const std::uint32_t end = at + smaller(band, job.frames - at);
    std::uint32_t c = 0;
    if constexpr (kWords == 4 && kWide<Ops, kLayout>) {
      for (; c + 2 * kSamples <= job.channels; c += 2 * kSamples) {
        deinterleave_column<Ops, kLayout, 8>(job, c, 2 * kSamples, at, end);
      }
    }
    for (; c + kSamples <= job.channels; c += kSamples) {
      deinterleave_column<Ops, kLayout, kWords>(job, c, kSamples, at, end);
    }
    if (c < job.channels) {
      deinterleave_column<Ops, kLayout, kWords>(job, c, job.channels - c, at, end);
    }
  }
}

template <class Ops, DeviceLayout kLayout>
ASIODRV_KERNEL_INLINE void deinterleave_layout(const DeinterleaveJob& job) {
  if (job.channels == kPerWord<kLayout>) return deinterleave_block<Ops, kLayout, 1>(job);
  if (job.channels == 2 * kPerWord<kLayout>) return deinterleave_block<Ops, kLayout, 2>(job);
  deinterleave_block<Ops, kLayout, 4>(job);
}

template <class Ops>
ASIODRV_KERNEL_INLINE void deinterleave(DeviceLayout layout, const DeinterleaveJob& job) {
  switch (layout) {
    case DeviceLayout::int16: return deinterleave_layout<Ops, DeviceLayout::int16>(job);
    case DeviceLayout::int24: return deinterleave_layout<Ops, DeviceLayout::int24>(job);
    case DeviceLayout::int24_in_32: return deinterleave_layout<Ops, DeviceLayout::int24_in_32>(job);
    case DeviceLayout::int32: return deinterleave_layout<Ops, DeviceLayout::int32>(job);
    case DeviceLayout::float32: return deinterleave_layout<Ops, DeviceLayout::float32>(job);
  }
}

// --- engine to device ----------------------------------------------------------------------------

/// Which bytes beyond its own a tile may write over, because they are written later.
enum class Overhang : std::uint32_t { none, allowed };

template <class Ops, DeviceLayout kLayout, Overhang kOverhang>
ASIODRV_KERNEL_INLINE void store_piece(std::byte* to, typename Ops::Lane lane) {
  if constexpr (kLayout == DeviceLayout::int24 && kOverhang == Overhang::none) {
    Ops::store_12(to, lane);
  } else {
    Ops::store_16(to, lane);
  }
}

/// Lane after lane and row after row, in ascending order of their places.
template <class Ops, DeviceLayout kLayout, Overhang kOverhang, std::uint32_t kVectors,
          std::uint32_t kLane = 0>
ASIODRV_KERNEL_INLINE void store_lanes(std::byte* to, std::size_t stride,
                                       const typename Ops::Int (&vectors)[kVectors]) {
  for (std::uint32_t i = 0; i < kVectors; ++i) {
    store_piece<Ops, kLayout, kOverhang>(to + (kVectors * kLane + i) * stride,
                                         Ops::template lane<kLane>(vectors[i]));
  }
  if constexpr (kLane + 1 < Ops::kLanes) {
    store_lanes<Ops, kLayout, kOverhang, kVectors, kLane + 1>(to, stride, vectors);
  }
}

template <class Ops, DeviceLayout kLayout, std::uint32_t kWords, Overhang kOverhang>
ASIODRV_KERNEL_INLINE void write_tile(std::byte* to, std::size_t stride,
                                      typename Ops::Int (&words)[kWords]) {
  constexpr bool kPacked = kLayout == DeviceLayout::int24;
  if constexpr (kWords == 8) {
    transpose_out<Ops>(words);
    for (std::size_t i = 0; i < 8; ++i) {
      Ops::store_rows(to + i * stride, 8 * stride, words[i]);
    }
  } else if constexpr (kWords == 4) {
    transpose<Ops>(words);
    if constexpr (kPacked) {
      for (auto& word : words) word = Ops::pack_24(word);
    }
    store_lanes<Ops, kLayout, kOverhang>(to, stride, words);
  } else if constexpr (kPacked) {
    if constexpr (kWords == 2) {
      const auto low = Ops::zip_low(words[0], words[1]);
      words[1] = Ops::zip_high(words[0], words[1]);
      words[0] = low;
    }
    for (auto& word : words) word = Ops::pack_24(word);
    store_lanes<Ops, kLayout, Overhang::allowed>(to, kUsed<kLayout>, words);
  } else if constexpr (kWords == 2) {
    Ops::store_zipped(to, words[0], words[1]);
  } else {
    Ops::store(to, words[0]);
  }
}

template <class Ops, DeviceLayout kLayout, std::uint32_t kWords, Overhang kOverhang, bool kDithered>
ASIODRV_KERNEL_INLINE void interleave_tile(const float* const* sources, std::uint32_t wanted,
                                           std::size_t at, std::byte* to, std::size_t stride,
                                           const Noise<Ops>& noise, std::uint32_t place) {
  typename Ops::Int words[kWords];
  for (std::uint32_t w = 0; w < kWords; ++w) {
    const std::uint32_t s = w * kPerWord<kLayout>;
    words[w] = Ops::splat(0);  // beyond the last channel; what is written there is written over
    if (s < wanted) words[w] = encoded<Ops, kLayout, kDithered>(sources[s] + at, noise, place + s);
    if constexpr (kPerWord<kLayout> == 2) {
      if (s + 1 < wanted) {
        words[w] = Ops::pair(
            words[w], encoded<Ops, kLayout, kDithered>(sources[s + 1] + at, noise, place + s + 1));
      }
    }
  }
  write_tile<Ops, kLayout, kWords, kOverhang>(to, stride, words);
}

/// A tile at the end of a block: fewer frames, or pieces that would reach beyond it.
template <class Ops, DeviceLayout kLayout, std::uint32_t kWords, bool kDithered>
[[gnu::noinline]] void interleave_edge(const float* const* sources, std::uint32_t wanted,
                                       std::size_t at, std::uint32_t frames, std::byte* to,
                                       std::size_t stride, const Noise<Ops>& noise,
                                       std::uint32_t place) {
  constexpr std::uint32_t kSamples = kWords * kPerWord<kLayout>;
  std::byte results[kTile<Ops> * kRow<kWords> + kPiece];
  float samples[kSamples][kTile<Ops>]{};
  const float* blocks[kSamples]{};
  for (std::uint32_t s = 0; s < wanted; ++s) {
    blocks[s] = samples[s];
    __builtin_memcpy(samples[s], sources[s] + at, frames * sizeof(float));
  }
  interleave_tile<Ops, kLayout, kWords, Overhang::none, kDithered>(blocks, wanted, 0, results,
                                                                   kRow<kWords>, noise, place);
  if constexpr (kWords >= 4) {
    for (std::size_t f = 0; f < frames; ++f) {
      __builtin_memcpy(to + f * stride, results + f * kRow<kWords>, wanted * kBytes<kLayout>);
    }
  } else {
    __builtin_memcpy(to, results, frames * stride);
  }
}

/// One column of tiles, frames `at` to `end`.
template <class Ops, DeviceLayout kLayout, std::uint32_t kWords, Overhang kOverhang, bool kDithered>
ASIODRV_KERNEL_INLINE void interleave_column(const InterleaveJob& job, const Noise<Ops>& noise,
                                             std::uint32_t channel, std::uint32_t wanted,
                                             std::uint32_t at, std::uint32_t end) {
  const Column<Ops, kLayout, kWords> column(job.channels, job.frames, channel);
  const std::uint32_t whole = column.whole(at, end, kRow<kWords>);
  const float* const* sources = job.sources + channel;
  for (; at < whole; at += kTile<Ops>) {
    interleave_tile<Ops, kLayout, kWords, kOverhang, kDithered>(
        sources, wanted, at, job.target + column.offset(at), column.stride, noise,
        at * job.channels + channel);
  }
  for (; at < end; at += kTile<Ops>) {
    interleave_edge<Ops, kLayout, kWords, kDithered>(
        sources, wanted, at, smaller(kTile<Ops>, end - at), job.target + column.offset(at),
        column.stride, noise, at * job.channels + channel);
  }
}

/// Within a band a last column with channels to spare goes first: what it writes beyond its own is
/// the start of the next frames, and their turn is still to come. The others follow in order, each
/// free to write over the one after it, as the stores of packed int24 do, but for the last of them.
/// A full last column of packed int24 goes first, too: where it is the only one, it is as free.
template <class Ops, DeviceLayout kLayout, std::uint32_t kWords, bool kDithered>
void interleave_block(const InterleaveJob& job) {
  constexpr std::uint32_t kSamples = kWords * kPerWord<kLayout>;
  const std::uint32_t full = kLayout == DeviceLayout::int24 ? job.channels - 1 : job.channels;
  const std::uint32_t last = full / kSamples * kSamples;
  const std::uint32_t band = band_of<Ops, kLayout>(job.channels);
  const Noise<Ops> noise(job);
  for (std::uint32_t at = 0; at < job.frames; at += band) {
    const std::uint32_t end = at + smaller(band, job.frames - at);
    if (last + kSamples == job.channels) {
      interleave_column<Ops, kLayout, kWords, Overhang::allowed, kDithered>(job, noise, last,
                                                                            kSamples, at, end);
    } else if (last < job.channels) {
      interleave_column<Ops, kLayout, kWords, Overhang::allowed, kDithered>(
          job, noise, last, job.channels - last, at, end);
    }
    std::uint32_t c = 0;
    if constexpr (kWords == 4 && kWide<Ops, kLayout>) {
      for (; c + 2 * kSamples <= last; c += 2 * kSamples) {
        interleave_column<Ops, kLayout, 8, Overhang::none, kDithered>(job, noise, c, 2 * kSamples,
                                                                      at, end);
      }
    }
    for (; c + kSamples < last; c += kSamples) {
      interleave_column<Ops, kLayout, kWords, Overhang::allowed, kDithered>(job, noise, c, kSamples,
                                                                            at, end);
    }
    if (c < last) {
      interleave_column<Ops, kLayout, kWords, Overhang::none, kDithered>(job, noise, c, kSamples,
                                                                         at, end);
    }
  }
}

template <class Ops, DeviceLayout kLayout, bool kDithered>
ASIODRV_KERNEL_INLINE void interleave_layout(const InterleaveJob& job) {
  if (job.channels == kPerWord<kLayout>) return interleave_block<Ops, kLayout, 1, kDithered>(job);
  if (job.channels == 2 * kPerWord<kLayout>) {
    return interleave_block<Ops, kLayout, 2, kDithered>(job);
  }
  interleave_block<Ops, kLayout, 4, kDithered>(job);
}

template <class Ops, DeviceLayout kLayout>
ASIODRV_KERNEL_INLINE void interleave_reduced(const InterleaveJob& job) {
  if (job.dithered) return interleave_layout<Ops, kLayout, true>(job);
  interleave_layout<Ops, kLayout, false>(job);
}

template <class Ops>
ASIODRV_KERNEL_INLINE void interleave(DeviceLayout layout, const InterleaveJob& job) {
  switch (layout) {
    case DeviceLayout::int16: return interleave_reduced<Ops, DeviceLayout::int16>(job);
    case DeviceLayout::int24: return interleave_reduced<Ops, DeviceLayout::int24>(job);
    case DeviceLayout::int24_in_32: return interleave_reduced<Ops, DeviceLayout::int24_in_32>(job);
    case DeviceLayout::int32: return interleave_layout<Ops, DeviceLayout::int32, false>(job);
    case DeviceLayout::float32: return interleave_layout<Ops, DeviceLayout::float32, false>(job);
  }
}

}  // namespace
}  // namespace asiodrv::audio::kernel
