// Conversion between a device's interleaved bytes and planar samples, against a copy.
//
// The peer is memcpy of as many bytes: a conversion reads one block and writes the other, so it is
// compared with a copy of the mean of both sizes, in the same run. Both blocks together fill a
// quarter of a mebibyte: more than a first-level cache, less than a second-level one. Rates are the
// best of many short rounds in which copy and conversion take turns: what the machine does besides
// only ever adds. Prints one JSON object per line; "sense" says how "goal" is meant.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/audio/interleave.hpp"
#include "platform/platform.hpp"

namespace asiodrv {
namespace {

constexpr std::size_t kWorkingSet = 256 * 1024;  // bytes, both blocks
constexpr int kRounds = 101;
constexpr int kRepeats = 4;  // per round: one block takes too little time for the clock
constexpr double kGoal = 0.7;
constexpr std::array kChannels{2U, 3U, 4U, 6U, 8U, 16U, 18U, 32U, 64U};

/// Memory that begins at a cache line, as the engine's blocks and devices' buffers do.
class Aligned {
 public:
  explicit Aligned(std::size_t bytes) : memory_(bytes + kLine) {}
  [[nodiscard]] std::byte* data() noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (kLine - address % kLine) % kLine;
  }

 private:
  static constexpr std::size_t kLine = 64;
  std::vector<std::byte> memory_;
};

/// Both blocks of one conversion, and room for the copy.
struct Blocks {
  Blocks(audio::DeviceLayout layout, std::uint32_t channels)
      : sample_bytes(audio::device_layout_bytes(layout)),
        channel_count(channels),
        frames(static_cast<std::uint32_t>(kWorkingSet / (sample_bytes + sizeof(float)) / channels /
                                          64 * 64)),
        device(std::size_t{channels} * frames * sample_bytes),
        samples(std::size_t{channels} * frames * sizeof(float)),
        copied_from(moved() / 2),
        copied_to(moved() / 2) {
    auto* first = reinterpret_cast<float*>(samples.data());
    std::fill_n(first, std::size_t{channels} * frames, 0.25F);
    for (std::uint32_t c = 0; c < channels; ++c) {
      blocks.push_back(first + std::size_t{c} * frames);
      const_blocks.push_back(blocks.back());
    }
  }
  /// Bytes read and written by one conversion.
  [[nodiscard]] std::size_t moved() const {
    return std::size_t{channel_count} * frames * (sample_bytes + sizeof(float));
  }
  std::size_t sample_bytes;
  std::uint32_t channel_count, frames;
  Aligned device, samples;
  std::vector<float*> blocks;
  std::vector<const float*> const_blocks;
  Aligned copied_from, copied_to;
};

/// Gigabytes per second, read and written, of the best round of each.
struct Rates {
  double conversion = 0, copy = 0;
};

/// The optimiser must take it that somebody reads the block.
void keep(const void* block) { asm volatile("" : : "r"(block) : "memory"); }

Rates measure(Blocks& blocks, const std::function<void()>& convert) {
  const auto clock = platform::make_clock();
  const auto rate = [&](const auto& work) {
    const Instant start = clock->now();
    for (int i = 0; i < kRepeats; ++i) work();
    const auto took = static_cast<double>((clock->now() - start).count());
    return static_cast<double>(blocks.moved()) * kRepeats / took;
  };
  const auto copy = [&] {
    std::memcpy(blocks.copied_to.data(), blocks.copied_from.data(), blocks.moved() / 2);
    keep(blocks.copied_to.data());
  };
  const auto warmed = [&](const auto& work) {  // the other's turn has taken the cache
    work();
    return rate(work);
  };
  Rates best;
  for (int round = 0; round < kRounds; ++round) {
    best.copy = std::max(best.copy, warmed(copy));
    best.conversion = std::max(best.conversion, warmed(convert));
  }
  return best;
}

void report(const std::string& name, const Rates& rates, std::optional<double> goal) {
  fmt::print("{{\"name\": \"{}\", \"value\": {:.2f}, \"unit\": \"GB/s\", ", name, rates.conversion);
  fmt::print("\"peer\": \"memcpy of as many bytes\", \"peer_value\": {:.2f}, \"ratio\": {:.3f}, ",
             rates.copy, rates.conversion / rates.copy);
  if (goal) {
    fmt::print("\"goal\": {:.2f}, \"sense\": \"ratio at least\"}}\n", *goal);
  } else {
    fmt::print("\"goal\": null, \"sense\": null}}\n");
  }
}

Rates into_engine(audio::DeviceLayout layout, std::uint32_t channels, audio::SimdPath path) {
  Blocks blocks(layout, channels);
  const PlanarView<float> view{blocks.blocks.data(), channels, {blocks.frames}};
  return measure(blocks, [&] {
    audio::deinterleave_to_float(layout, blocks.device.data(), view, path);
    keep(blocks.samples.data());
  });
}

Rates out_of_engine(audio::DeviceLayout layout, std::uint32_t channels, audio::SimdPath path,
                    audio::Dither* dither = nullptr) {
  Blocks blocks(layout, channels);
  const PlanarView<const float> view{blocks.const_blocks.data(), channels, {blocks.frames}};
  return measure(blocks, [&] {
    audio::interleave_from_float(layout, view, blocks.device.data(), dither, path);
    keep(blocks.device.data());
  });
}

void compare_layouts() {
  const auto path = audio::best_simd_path();
  for (const auto layout : audio::kDeviceLayouts) {
    for (const std::uint32_t channels : kChannels) {
      const std::string what =
          fmt::format("{}, {} channels", audio::device_layout_name(layout), channels);
      report("deinterleave " + what, into_engine(layout, channels, path), kGoal);
      report("interleave " + what, out_of_engine(layout, channels, path), kGoal);
    }
  }
}

/// What dithering costs, and what the other instruction sets give. Without goals.
void compare_ways() {
  audio::Dither dither;
  for (const auto layout : audio::kDeviceLayouts) {
    for (const std::uint32_t channels : {2U, 8U}) {
      const std::string what =
          fmt::format("{}, {} channels", audio::device_layout_name(layout), channels);
      if (layout != audio::DeviceLayout::int32 && layout != audio::DeviceLayout::float32) {
        report("interleave with dither " + what,
               out_of_engine(layout, channels, audio::best_simd_path(), &dither), std::nullopt);
      }
      for (const auto path :
           {audio::SimdPath::baseline, audio::SimdPath::avx2, audio::SimdPath::avx512}) {
        if (!audio::simd_path_available(path)) continue;
        const std::string on = fmt::format("{} on {}", what, audio::simd_path_name(path));
        report("deinterleave " + on, into_engine(layout, channels, path), std::nullopt);
        report("interleave " + on, out_of_engine(layout, channels, path), std::nullopt);
      }
    }
  }
}

}  // namespace
}  // namespace asiodrv

int main() {
  asiodrv::compare_layouts();
  asiodrv::compare_ways();
  return 0;
}
