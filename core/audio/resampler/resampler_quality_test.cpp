// How clean the resampler is. The arithmetic is deterministic, so levels are asserted as they are;
// the margins below the documented figures cover what a compiler may reorder.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <map>
#include <numbers>
#include <span>
#include <tuple>
#include <vector>

#include "core/audio/resampler/resampler.hpp"
#include "core/audio/resampler/testing/sine_fit.hpp"
#include "core/audio/resampler/testing/streaming.hpp"

namespace asiodrv::audio {
namespace {

using testing::fit_sine;
using testing::pull;
using testing::sine;

constexpr double kRate = 48'000;
constexpr double kTones[] = {997, 10'007, 18'013};
constexpr ResamplerQuality kQualities[] = {ResamplerQuality::light, ResamplerQuality::standard,
                                           ResamplerQuality::high};
constexpr SimdPath kPaths[] = {SimdPath::baseline, SimdPath::avx2, SimdPath::avx512};

/// One design per quality and rates for all tests of this program.
std::shared_ptr<const FilterTable> table_for(const ResamplerOptions& options) {
  using Key = std::tuple<ResamplerQuality, std::uint32_t, std::uint32_t>;
  static std::map<Key, std::shared_ptr<const FilterTable>> tables;
  auto& table = tables[{options.quality, options.input_rate.hz, options.output_rate.hz}];
  if (table == nullptr) {
    auto made = FilterTable::make(options.quality, options.input_rate, options.output_rate);
    if (made) table = *made;
  }
  return table;
}

Resampler make_cached(const ResamplerOptions& options) {
  auto made = Resampler::make(options, table_for(options));
  if (!made) ADD_FAILURE() << made.error().message;
  return std::move(made.value());
}

/// The documented figure of a quality, in dB.
double promised_snr(ResamplerQuality quality) {
  switch (quality) {
    case ResamplerQuality::light: return 120;
    case ResamplerQuality::standard: return 143;
    case ResamplerQuality::high: return 147;
  }
  return 0;
}

/// The part of `output` that no start-up touches.
std::span<const float> settled(const std::vector<float>& output) {
  return std::span(output).subspan(std::min<std::size_t>(4'096, output.size()));
}

class Path : public ::testing::TestWithParam<SimdPath> {
 protected:
  void SetUp() override {
    if (!simd_path_available(GetParam())) {
      GTEST_SKIP() << "this processor has no " << simd_path_name(GetParam());
    }
  }
};
INSTANTIATE_TEST_SUITE_P(every, Path, ::testing::ValuesIn(kPaths),
                         [](const auto& of) { return std::string(simd_path_name(of.param)); });

TEST_P(Path, keeps_the_documented_signal_to_noise_ratio) {
  for (const auto quality : kQualities) {
    auto resampler = make_cached({.channels = 1, .quality = quality, .simd_path = GetParam()});
    for (const double ratio : {1.0001, 1 / 1.0001, 1.000001, 1.005}) {
      for (const double tone : kTones) {
        resampler.reset();
        const auto output =
            pull(resampler, sine(40'000, tone, kRate, 0.9), 36'864, testing::constant(1 / ratio));
        ASSERT_EQ(output.size(), 36'864u);
        const auto fit = fit_sine(settled(output), tone / kRate / ratio);
        EXPECT_GE(fit.snr_db, promised_snr(quality))
            << resampler_quality_name(quality) << " at " << tone << " Hz, ratio " << ratio;
        EXPECT_NEAR(fit.amplitude, 0.9, 2e-6);
      }
    }
  }
}

TEST_P(Path, agrees_with_the_baseline_to_2_to_the_minus_21) {
  for (const auto quality : kQualities) {
    for (const std::uint32_t channels : {1U, 2U, 6U}) {
      testing::Channels input;  // unlike one another: a path may not mix them up either
      for (std::uint32_t c = 0; c < channels; ++c) {
        input.push_back(sine(9'000, 6'000.7 + 500 * c, kRate, 0.9));
      }
      ResamplerOptions options{.channels = channels, .quality = quality};
      options.simd_path = SimdPath::baseline;
      auto baseline = make_cached(options);
      options.simd_path = GetParam();
      auto path = make_cached(options);
      const auto blocks = [](std::size_t) { return 63; };
      const auto speed = testing::constant(0.9993);
      const auto expected = pull(baseline, input, 8'000, blocks, speed);
      const auto output = pull(path, input, 8'000, blocks, speed);
      ASSERT_EQ(output.size(), expected.size());
      for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t i = 0; i < 8'000; ++i) {
          ASSERT_NEAR(output[c][i], expected[c][i], 0x1p-21);
        }
      }
    }
  }
}

TEST(resampler_quality, conversions_of_the_high_quality_keep_its_signal_to_noise_ratio) {
  for (const auto& [input, output] : {std::pair{44'100U, 48'000U}, std::pair{48'000U, 44'100U}}) {
    auto resampler = make_cached({.channels = 1,
                                  .quality = ResamplerQuality::high,
                                  .input_rate = {input},
                                  .output_rate = {output}});
    for (const double tone : kTones) {
      resampler.reset();
      const auto result = pull(resampler, sine(40'000, tone, input, 0.9), 32'768);
      ASSERT_EQ(result.size(), 32'768u);
      EXPECT_GE(fit_sine(settled(result), tone / output).snr_db, 147) << tone << " Hz";
    }
  }
}

TEST(resampler_quality, the_preferred_path_is_available) {
  EXPECT_TRUE(simd_path_available(best_simd_path()));
  EXPECT_TRUE(simd_path_available(SimdPath::baseline));
}

struct Conversion {
  SampleRate input, output;
};
constexpr Conversion kConversions[] = {{{44'100}, {48'000}},
                                       {{48'000}, {44'100}},
                                       {{48'000}, {96'000}},
                                       {{96'000}, {48'000}},
                                       {{192'000}, {44'100}}};

/// What a table promises, as far as float32 noise lets it be seen; never less than 120 dB.
double promised_rejection(const FilterTable& table) {
  EXPECT_GE(table.rejection_db(), 120);
  return std::min(table.rejection_db(), 140.0);
}

/// Whatever a tone in the pass band leaves beside itself is image, alias or noise.
TEST(resampler_quality, tones_of_the_pass_band_leave_neither_image_nor_alias) {
  for (const auto quality : kQualities) {
    for (const auto& [input, output] : kConversions) {
      auto resampler = make_cached(
          {.channels = 1, .quality = quality, .input_rate = input, .output_rate = output});
      const double edge = resampler.table().pass_band_hz();
      constexpr int kSteps = 24;
      for (int step = 0; step <= kSteps; ++step) {
        const double hz = 50 + (edge - 50) * step / kSteps;
        resampler.reset();
        const auto frames = std::size_t{16'384} * output.hz / std::max(input, output).hz;
        const auto result = pull(resampler, sine(18'000, hz, input.hz, 1.0), frames);
        ASSERT_EQ(result.size(), frames);
        const auto fit = fit_sine(std::span(result).subspan(256), hz / output.hz);
        EXPECT_LE(fit.residual_db, -promised_rejection(resampler.table()))
            << resampler_quality_name(quality) << ": " << hz << " Hz, " << input.hz << " to "
            << output.hz;
        EXPECT_NEAR(20 * std::log10(fit.amplitude), 0, 0.0001) << hz << " Hz";
      }
    }
  }
}

TEST(resampler_quality, tones_beyond_the_lower_rate_are_rejected) {
  for (const auto quality : kQualities) {
    for (const auto& [input, output] : kConversions) {
      if (output >= input) continue;
      auto resampler = make_cached(
          {.channels = 1, .quality = quality, .input_rate = input, .output_rate = output});
      const double edge = output.hz - resampler.table().pass_band_hz();  // mirrored about rate / 2
      const double top = input.hz / 2.0 - 50;
      constexpr int kSteps = 24;
      for (int step = 0; step <= kSteps && edge < top; ++step) {
        const double hz = edge + (top - edge) * step / kSteps;
        resampler.reset();
        const auto frames = std::size_t{16'384} * output.hz / input.hz;
        const auto result = pull(resampler, sine(18'000, hz, input.hz, 1.0), frames);
        ASSERT_EQ(result.size(), frames);
        double power = 0;
        for (const float sample : std::span(result).subspan(256)) power += double{sample} * sample;
        const double level = 10 * std::log10(2 * power / static_cast<double>(frames - 256) + 1e-40);
        EXPECT_LE(level, -promised_rejection(resampler.table()))
            << resampler_quality_name(quality) << ": " << hz << " Hz, " << input.hz << " to "
            << output.hz;
      }
    }
  }
}

TEST(resampler_quality, a_lower_output_rate_adds_latency_in_proportion_only) {
  const auto look_ahead = [](ResamplerQuality quality, std::uint32_t in, std::uint32_t out) {
    return table_for({.quality = quality, .input_rate = {in}, .output_rate = {out}})->look_ahead();
  };
  EXPECT_EQ(look_ahead(ResamplerQuality::light, 44'100, 48'000), Frames{16});
  EXPECT_EQ(look_ahead(ResamplerQuality::light, 48'000, 44'100), Frames{18});
  EXPECT_EQ(look_ahead(ResamplerQuality::standard, 44'100, 48'000), Frames{48});
  EXPECT_EQ(look_ahead(ResamplerQuality::standard, 48'000, 44'100), Frames{53});
  EXPECT_EQ(look_ahead(ResamplerQuality::standard, 96'000, 48'000), Frames{64});
  EXPECT_EQ(look_ahead(ResamplerQuality::high, 48'000, 44'100), Frames{70});
}

TEST(resampler_quality, the_standard_pass_band_reaches_20_khz_from_44100_hz_on) {
  for (const auto& [input, output] : kConversions) {
    ResamplerOptions options{.input_rate = input, .output_rate = output};
    EXPECT_GE(table_for(options)->pass_band_hz(), 20'000);
  }
}

/// A shadow of the read head knows where every output frame lies; there the ideal sine is known.
TEST(resampler_quality, a_wandering_speed_adds_no_noise) {
  constexpr double kTone = 10'007;
  auto resampler = make_cached({.channels = 1});
  ReadHead shadow({48'000}, {48'000});
  std::vector<InputPosition> places;
  const auto wandering = [&](std::size_t frame) {
    const double t = static_cast<double>(frame) / kRate;
    const ReadSpeed speed{1 + 300e-6 * std::sin(2 * std::numbers::pi * 3 * t) +
                          (frame % 4'096 == 0 ? 50e-6 : 0)};
    shadow.visit(shadow.path(64, shadow.step_at(speed)),
                 [&](std::uint32_t, InputPosition at) { places.push_back(at); });
    return speed;
  };
  const auto output = pull(resampler, sine(40'000, kTone, kRate, 0.9), 36'864, wandering);
  ASSERT_EQ(output.size(), 36'864u);
  EXPECT_EQ(shadow.position(), resampler.position());
  double error = 0;
  for (std::size_t i = 64; i < output.size(); ++i) {
    const double cycles = std::fmod(kTone / kRate * places[i].frames(), 1.0);
    error += std::pow(output[i] - 0.9 * std::sin(2 * std::numbers::pi * cycles), 2);
  }
  const double snr =
      10 * std::log10(0.5 * 0.81 / (error / static_cast<double>(output.size() - 64)));
  EXPECT_GE(snr, 143);
}

/// Amplitude at `cycles_per_frame`, in dB, through a Hann window: lines some hundred bins away
/// leak less than -190 dB.
double line_db(std::span<const float> samples, double cycles_per_frame) {
  std::complex<double> sum;
  const auto n = static_cast<double>(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto t = static_cast<double>(i);
    const double window = 1 - std::cos(2 * std::numbers::pi * t / n);
    sum += std::polar(window * samples[i], -2 * std::numbers::pi * cycles_per_frame * t);
  }
  return 20 * std::log10(2 * std::abs(sum) / n + 1e-20);
}

/// A speed that changes once per block would be a staircase, whose corners repeat at the block
/// rate: lines at the block rate minus and plus the wobble, -112.8 dBc for this one. The ramp
/// removes them; what remains is the wobble's own sideband, by theory a f / (2 wobble).
TEST(resampler_quality, a_changing_speed_makes_no_clicks_at_the_block_rate) {
  constexpr double kTone = 10'007, kWobble = 100, kAmplitude = 2e-6;
  constexpr double kBlockRate = kRate / 64;
  auto resampler = make_cached({.channels = 1, .quality = ResamplerQuality::high});
  const auto wobbling = [](std::size_t frame) {
    const double t = static_cast<double>(frame) / kRate;
    return ReadSpeed{1 + kAmplitude * std::cos(2 * std::numbers::pi * kWobble * t)};
  };
  const auto output = pull(resampler, sine(140'000, kTone, kRate, 0.9), 135'168, wobbling);
  ASSERT_EQ(output.size(), 135'168u);
  const auto signal = settled(output);
  const double carrier = line_db(signal, kTone / kRate);
  const double theory = 20 * std::log10(kAmplitude * kTone / (2 * kWobble));
  EXPECT_NEAR(line_db(signal, (kTone + kWobble) / kRate) - carrier, theory, 0.7);
  EXPECT_NEAR(line_db(signal, (kTone - kWobble) / kRate) - carrier, theory, 0.7);
  for (const double offset : {kBlockRate - kWobble, kBlockRate + kWobble}) {
    EXPECT_LE(line_db(signal, (kTone + offset) / kRate) - carrier, -125);
    EXPECT_LE(line_db(signal, (kTone - offset) / kRate) - carrier, -125);
  }
}

}  // namespace
}  // namespace asiodrv::audio
