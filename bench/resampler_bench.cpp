// The resampler against its Debian peers: cost, noise and latency, all measured in one run.
//
// Stereo, 64-frame blocks, output 1.0001 times faster than the input, one core. Costs are the best
// of many short rounds in which every engine takes its turn: what the machine does besides only
// ever adds, and it adds to every engine alike. Each engine gets its native layout: ours and soxr
// planar, zita and libsamplerate interleaved. Prints one JSON object per line; "sense" says how
// "goal" is meant.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/audio/resampler/resampler.hpp"
#include "core/audio/resampler/testing/sine_fit.hpp"
#include "platform/platform.hpp"

#ifdef ASIODRV_PEER_ZITA
#include <zita-resampler/vresampler.h>
#endif
#ifdef ASIODRV_PEER_SAMPLERATE
#include <samplerate.h>
#endif
#ifdef ASIODRV_PEER_SOXR
#include <soxr.h>
#endif

namespace asiodrv {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kRoundFrames = 4096;
constexpr std::size_t kSettleFrames = 8192;
constexpr std::size_t kFitFrames = 65'536;
constexpr std::size_t kSignalFrames = 131'072;
constexpr int kRounds = 201;
constexpr double kRatio = 1.0001;
constexpr double kRate = 48'000;
constexpr std::array kTones{997.0, 10'007.0, 18'013.0};

/// A stereo signal in both layouts.
struct Signal {
  explicit Signal(double hz)
      : left(audio::testing::sine(kSignalFrames, hz, kRate, 0.9)),
        right(audio::testing::sine(kSignalFrames, hz, kRate, 0.9, 1.0)) {
    for (std::size_t i = 0; i < kSignalFrames; ++i) {
      interleaved.push_back(left[i]);
      interleaved.push_back(right[i]);
    }
  }
  std::vector<float> left, right, interleaved;
};

/// A stereo resampler that streams: kBlock frames out per call, as much in as that takes.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual void restart() = 0;
  /// Reads `signal` from frame `at` on; returns how many frames it has taken.
  virtual std::size_t block(const Signal& signal, std::size_t at) = 0;
  /// Frame `i` of the left channel of the block just made.
  [[nodiscard]] virtual float left(std::size_t i) const = 0;
};

class Ours final : public Engine {
 public:
  Ours(const audio::ResamplerOptions& options, double ratio) : speed_{1 / ratio} {
    auto made = audio::Resampler::make(options);
    if (!made) std::abort();
    resampler_.emplace(std::move(*made));
  }
  void restart() override { resampler_->reset(); }
  std::size_t block(const Signal& signal, std::size_t at) override {
    const std::array<const float*, 2> in{signal.left.data() + at, signal.right.data() + at};
    const std::array<float*, 2> out{left_.data(), right_.data()};
    const Frames need = resampler_->needed({kBlock}, speed_);
    const auto flow = resampler_->process({in.data(), 2, need}, {out.data(), 2, {kBlock}}, speed_);
    if (flow.produced.count != kBlock) std::abort();
    return flow.consumed.count;
  }
  [[nodiscard]] float left(std::size_t i) const override { return left_[i]; }

 private:
  audio::ReadSpeed speed_;
  std::optional<audio::Resampler> resampler_;
  std::array<float, kBlock> left_{}, right_{};
};

/// What engines with interleaved blocks share.
class Interleaved : public Engine {
 public:
  [[nodiscard]] float left(std::size_t i) const override { return out_[2 * i]; }

 protected:
  std::array<float, 2 * kBlock> out_{};
};

#ifdef ASIODRV_PEER_ZITA
class Zita final : public Interleaved {
 public:
  Zita(unsigned half_length, double ratio) : half_length_(half_length), ratio_(ratio) { restart(); }
  void restart() override {
    if (resampler_.setup(ratio_, 2, half_length_) != 0) std::abort();
  }
  std::size_t block(const Signal& signal, std::size_t at) override {
    std::size_t taken = 0;
    resampler_.out_count = kBlock;
    resampler_.out_data = out_.data();
    while (resampler_.out_count != 0) {
      resampler_.inp_count = kBlock;
      resampler_.inp_data = const_cast<float*>(signal.interleaved.data()) + 2 * (at + taken);
      resampler_.process();
      taken += kBlock - resampler_.inp_count;
    }
    return taken;
  }

 private:
  VResampler resampler_;
  unsigned half_length_;
  double ratio_;
};
#endif

#ifdef ASIODRV_PEER_SAMPLERATE
class LibSampleRate final : public Interleaved {
 public:
  explicit LibSampleRate(int type) : state_(src_new(type, 2, &error_), &src_delete) {
    if (!state_) std::abort();
  }
  void restart() override { src_reset(state_.get()); }
  std::size_t block(const Signal& signal, std::size_t at) override {
    std::size_t taken = 0, made = 0;
    while (made < kBlock) {
      SRC_DATA data{};
      data.data_in = signal.interleaved.data() + 2 * (at + taken);
      data.data_out = out_.data() + 2 * made;
      data.input_frames = kBlock;
      data.output_frames = static_cast<long>(kBlock - made);
      data.src_ratio = kRatio;
      if (src_process(state_.get(), &data) != 0) std::abort();
      taken += static_cast<std::size_t>(data.input_frames_used);
      made += static_cast<std::size_t>(data.output_frames_gen);
    }
    return taken;
  }

 private:
  int error_ = 0;
  std::unique_ptr<SRC_STATE, decltype(&src_delete)> state_;
};
#endif

#ifdef ASIODRV_PEER_SOXR
class Soxr final : public Engine {
 public:
  Soxr(unsigned long recipe, bool variable) : recipe_(recipe), variable_(variable) { restart(); }
  void restart() override {
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_S, SOXR_FLOAT32_S);
    const soxr_quality_spec_t quality = soxr_quality_spec(recipe_, variable_ ? SOXR_VR : 0);
    soxr_error_t error = nullptr;
    // A variable-rate instance is made for its largest ratio, then set.
    state_.reset(soxr_create(variable_ ? 2 : kRate, variable_ ? 1 : kRate * kRatio, 2, &error, &io,
                             &quality, nullptr));
    if (error != nullptr) std::abort();
    if (variable_) soxr_set_io_ratio(state_.get(), 1 / kRatio, 0);
  }
  std::size_t block(const Signal& signal, std::size_t at) override {
    std::size_t taken = 0, made = 0;
    while (made < kBlock) {
      const std::array<const float*, 2> in{signal.left.data() + at + taken,
                                           signal.right.data() + at + taken};
      std::array<float*, 2> out{left_.data() + made, right_.data() + made};
      std::size_t used = 0, got = 0;
      soxr_process(state_.get(), in.data(), kBlock, &used, out.data(), kBlock - made, &got);
      taken += used;
      made += got;
    }
    return taken;
  }
  [[nodiscard]] float left(std::size_t i) const override { return left_[i]; }

 private:
  struct Delete {
    void operator()(soxr_t state) const { soxr_delete(state); }
  };
  unsigned long recipe_;
  bool variable_;
  std::unique_ptr<soxr, Delete> state_;
  std::array<float, kBlock> left_{}, right_{};
};
#endif

std::unique_ptr<Engine> ours(audio::ResamplerQuality quality,
                             std::optional<audio::SimdPath> path = std::nullopt) {
  audio::ResamplerOptions options;
  options.quality = quality;
  options.simd_path = path;
  options.max_block = {kBlock};
  return std::make_unique<Ours>(options, kRatio);
}

struct Measured {
  std::string name;
  std::unique_ptr<Engine> engine;
  std::array<double, kTones.size()> snr_db{};
  double latency = 0;  ///< input frames taken beyond the one that an output frame shows, at most
  double ns = std::numeric_limits<double>::max();  ///< per stereo frame
  std::size_t at = 0;
};

/// Streams `signal` and returns the settled output; taken_after, if asked, gets the input frames
/// taken by the end of each of its blocks.
std::vector<float> stream(Engine& engine, const Signal& signal,
                          std::vector<std::size_t>* taken_after = nullptr) {
  engine.restart();
  std::vector<float> output;
  std::size_t taken = 0;
  for (std::size_t made = 0; made < kSettleFrames + kFitFrames; made += kBlock) {
    taken += engine.block(signal, taken);
    if (made < kSettleFrames) continue;
    for (std::size_t i = 0; i < kBlock; ++i) output.push_back(engine.left(i));
    if (taken_after != nullptr) taken_after->push_back(taken);
  }
  return output;
}

void measure_noise(Measured& measured) {
  for (std::size_t i = 0; i < kTones.size(); ++i) {
    const Signal signal(kTones[i]);
    const auto output = stream(*measured.engine, signal);
    measured.snr_db[i] = audio::testing::fit_sine(output, kTones[i] / kRate / kRatio, true).snr_db;
  }
}

/// A slow sine tells by its phase which input frame an output frame shows.
void measure_latency(Measured& measured) {
  constexpr double kSlow = 10;  // Hz: its period is longer than any latency
  std::vector<std::size_t> taken;
  const auto output = stream(*measured.engine, Signal(kSlow), &taken);
  const auto fit = audio::testing::fit_sine(output, kSlow / kRate / kRatio, true);
  constexpr double kPeriod = kRate / kSlow;  // frames
  const double first_shown = fit.phase / (2 * std::numbers::pi) * kPeriod;
  for (std::size_t block = 0; block < taken.size(); ++block) {
    const double last_shown = first_shown + static_cast<double>((block + 1) * kBlock - 1) / kRatio;
    const double ahead = static_cast<double>(taken[block]) - 1 - last_shown;
    const double within = ahead - kPeriod * std::floor(ahead / kPeriod + 0.01);
    measured.latency = std::max(measured.latency, within);
  }
}

void measure_costs(std::vector<Measured>& all) {
  const auto clock = platform::make_clock();
  const Signal signal(kTones[1]);
  for (auto& one : all) one.engine->restart();
  for (int round = 0; round < kRounds; ++round) {
    for (auto& one : all) {
      const Instant start = clock->now();
      for (std::size_t made = 0; made < kRoundFrames; made += kBlock) {
        one.at += one.engine->block(signal, one.at);
        if (one.at > kSignalFrames / 2) one.at = 0;
      }
      const auto took = static_cast<double>((clock->now() - start).count());
      one.ns = std::min(one.ns, took / kRoundFrames);
    }
  }
}

struct Goal {
  double value;
  const char* sense;
};

void report(const std::string& name, double value, const char* unit, const Measured* peer,
            double peer_value, std::optional<Goal> goal) {
  fmt::print("{{\"name\": \"{}\", \"value\": {:.2f}, \"unit\": \"{}\", ", name, value, unit);
  if (peer != nullptr) {
    fmt::print("\"peer\": \"{}\", \"peer_value\": {:.2f}, \"ratio\": {:.3f}, ", peer->name,
               peer_value, value / peer_value);
  } else {
    fmt::print("\"peer\": null, \"peer_value\": null, \"ratio\": null, ");
  }
  if (goal) {
    fmt::print("\"goal\": {:.3f}, \"sense\": \"{}\"}}\n", goal->value, goal->sense);
  } else {
    fmt::print("\"goal\": null, \"sense\": null}}\n");
  }
}

std::vector<Measured> peers() {
  std::vector<Measured> all;
  const auto missing = [](const char* peer, const char* package) {
    fmt::print("{{\"name\": \"peer {} is not installed\", \"package\": \"{}\"}}\n", peer, package);
  };
#ifdef ASIODRV_PEER_ZITA
  for (const unsigned half : {16U, 32U, 48U}) {
    all.push_back({fmt::format("zita hl={}", half), std::make_unique<Zita>(half, kRatio)});
  }
#else
  missing("zita-resampler", "libzita-resampler-dev");
#endif
#ifdef ASIODRV_PEER_SAMPLERATE
  all.push_back({"libsamplerate fastest", std::make_unique<LibSampleRate>(SRC_SINC_FASTEST)});
  all.push_back({"libsamplerate medium", std::make_unique<LibSampleRate>(SRC_SINC_MEDIUM_QUALITY)});
  all.push_back({"libsamplerate best", std::make_unique<LibSampleRate>(SRC_SINC_BEST_QUALITY)});
#else
  missing("libsamplerate", "libsamplerate0-dev");
#endif
#ifdef ASIODRV_PEER_SOXR
  all.push_back({"soxr HQ fixed", std::make_unique<Soxr>(SOXR_HQ, false)});
  all.push_back({"soxr VHQ fixed", std::make_unique<Soxr>(SOXR_VHQ, false)});
  all.push_back({"soxr HQ variable", std::make_unique<Soxr>(SOXR_HQ, true)});
#else
  missing("soxr", "libsoxr-dev");
#endif
  (void)missing;
  return all;
}

constexpr std::array kQualities{audio::ResamplerQuality::light, audio::ResamplerQuality::standard,
                                audio::ResamplerQuality::high};

/// The peer that a setting is made to beat, and by how much.
struct Match {
  const char* peer;
  double cost_ratio;
  double snr_db;
};

Match match_of(audio::ResamplerQuality quality) {
  switch (quality) {
    case audio::ResamplerQuality::light: return {"zita hl=16", 1.0 / 3, 120.0};
    case audio::ResamplerQuality::standard: return {"zita hl=32", 1.0 / 3, 143.0};
    case audio::ResamplerQuality::high: return {"soxr VHQ fixed", 1.0, 147.0};
  }
  return {};
}

void compare_with_peers() {
  std::vector<Measured> all = peers();
  const std::size_t peer_count = all.size();
  for (const auto quality : kQualities) {
    all.push_back(
        {fmt::format("resampler {}", audio::resampler_quality_name(quality)), ours(quality)});
  }
  for (auto& one : all) measure_noise(one);
  for (auto& one : all) measure_latency(one);
  measure_costs(all);

  const std::span others(all.data(), peer_count);
  for (std::size_t q = 0; q < kQualities.size(); ++q) {
    const Measured& ours = all[peer_count + q];
    const Match match = match_of(kQualities[q]);
    const Measured* rival = nullptr;
    for (const auto& peer : others) {
      const bool matched = peer.name == match.peer;
      if (matched) rival = &peer;
      report(ours.name + ", stereo, 64 frames", ours.ns, "ns/frame", &peer, peer.ns,
             matched ? std::optional<Goal>({match.cost_ratio, "ratio at most"}) : std::nullopt);
    }
    for (std::size_t i = 0; i < kTones.size(); ++i) {
      report(fmt::format("{}: SNR at {:.0f} Hz", ours.name, kTones[i]), ours.snr_db[i], "dB", rival,
             rival == nullptr ? 0 : rival->snr_db[i], Goal{match.snr_db, "value at least"});
    }
    report(ours.name + ": latency", ours.latency, "input frames", rival,
           rival == nullptr ? 0 : rival->latency, std::nullopt);
  }
  for (const auto& peer : others) {
    for (std::size_t i = 0; i < kTones.size(); ++i) {
      report(fmt::format("{}: SNR at {:.0f} Hz", peer.name, kTones[i]), peer.snr_db[i], "dB",
             nullptr, 0, std::nullopt);
    }
    report(peer.name + ": latency", peer.latency, "input frames", nullptr, 0, std::nullopt);
  }
}

void compare_paths() {
  for (const auto quality : kQualities) {
    std::vector<Measured> all;
    for (const auto path :
         {audio::SimdPath::baseline, audio::SimdPath::avx2, audio::SimdPath::avx512}) {
      if (!audio::simd_path_available(path)) continue;
      all.push_back({fmt::format("{} {}", audio::resampler_quality_name(quality),
                                 audio::simd_path_name(path)),
                     ours(quality, path)});
    }
    measure_costs(all);
    for (const auto& one : all) {
      report("resampler " + one.name + ", stereo, 64 frames", one.ns, "ns/frame", &all.front(),
             all.front().ns, std::nullopt);
    }
  }
}

/// Between the two families of rates the filter table is swept, and no rows are shared.
void conversion_costs() {
#ifdef ASIODRV_PEER_ZITA
  for (const auto& [input, output] : {std::pair{44'100U, 48'000U}, std::pair{48'000U, 44'100U}}) {
    audio::ResamplerOptions options;
    options.input_rate = {input};
    options.output_rate = {output};
    options.max_block = {kBlock};
    constexpr unsigned kHalfLength = 48;  // what zita's own programs take at 44.1 kHz
    std::vector<Measured> all;
    all.push_back({"resampler standard", std::make_unique<Ours>(options, 1.0)});
    all.push_back({fmt::format("zita hl={}", kHalfLength),
                   std::make_unique<Zita>(kHalfLength, static_cast<double>(output) / input)});
    measure_costs(all);
    report(fmt::format("{}, stereo, {} to {} Hz", all[0].name, input, output), all[0].ns,
           "ns/frame", &all[1], all[1].ns, std::nullopt);
  }
#endif
}

/// Cost per frame and channel when many channels share one place.
void many_channels() {
  const auto clock = platform::make_clock();
  const auto source = audio::testing::sine(kBlock * 2, 997, kRate, 0.9);
  for (const auto quality : kQualities) {
    for (const std::uint32_t channels : {1U, 2U, 8U, 32U, 128U}) {
      audio::ResamplerOptions options;
      options.quality = quality;
      options.channels = channels;
      options.max_block = {kBlock};
      auto resampler = audio::Resampler::make(options);
      if (!resampler) std::abort();
      std::vector<float> blocks(channels * (kBlock + 16));
      const std::vector<const float*> in(channels, source.data());
      std::vector<float*> out;
      for (std::uint32_t c = 0; c < channels; ++c) out.push_back(&blocks[c * (kBlock + 16)]);
      constexpr audio::ReadSpeed kSpeed{1 / kRatio};
      double best = std::numeric_limits<double>::max();
      for (int round = 0; round < kRounds; ++round) {
        const int calls = static_cast<int>(64 / channels) + 1;
        const Instant start = clock->now();
        for (int i = 0; i < calls; ++i) {
          const Frames need = resampler->needed({kBlock}, kSpeed);
          (void)resampler->process({in.data(), channels, need}, {out.data(), channels, {kBlock}},
                                   kSpeed);
        }
        const auto took = static_cast<double>((clock->now() - start).count());
        best = std::min(best, took / (calls * static_cast<double>(kBlock) * channels));
      }
      report(fmt::format("resampler {}, {} channels, 64 frames",
                         audio::resampler_quality_name(quality), channels),
             best, "ns/frame/channel", nullptr, 0,
             channels >= 8 && quality == audio::ResamplerQuality::standard
                 ? std::optional<Goal>({4, "value at most"})
                 : std::nullopt);
    }
  }
}

}  // namespace
}  // namespace asiodrv

int main() {
  asiodrv::compare_with_peers();
  asiodrv::compare_paths();
  asiodrv::conversion_costs();
  asiodrv::many_channels();
}
