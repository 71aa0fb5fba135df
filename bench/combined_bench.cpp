// A period of a combined device against the sum of its parts, measured alternately in one run.
//
// Three devices of 2 channels each way at 48 kHz and 64 frames, the members 300 ppm fast and slow.
// The whole: wait_period and commit of the combined device, and the members' own periods. The
// parts: four resamplers of 2 channels in blocks of 64 frames, and one memcpy for each copy that
// cannot be avoided: into and out of a ring, for the members' four directions and the master's
// two. The devices under it cost next to nothing. Prints one JSON object per line.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "core/audio/resampler/resampler.hpp"
#include "core/ports/virtual_clock.hpp"
#include "devices/combined/combined_device.hpp"
#include "devices/combined/member_pump.hpp"
#include "platform/platform.hpp"

namespace asiodrv {
namespace {

constexpr Frames kPeriod{64};
constexpr SampleRate kRate{48'000};
constexpr std::uint32_t kChannels = 2;
constexpr int kPeriods = 500;  // some milliseconds: less than others' turns on a shared machine
constexpr int kRounds = 200;

using Blocks = std::array<std::array<float, kPeriod.count>, kChannels>;

/// Boundaries at its own pace, constant sound, no cost.
class IdleDevice final : public ports::Device {
 public:
  IdleDevice(ports::Clock& clock, const char* id, double ppm)
      : clock_(clock), period_ns_(kPeriod.count * 1e9 / (kRate.hz * (1 + ppm * 1e-6))) {
    info_.id = info_.name = id;
    info_.input_channels = info_.output_channels = kChannels;
    info_.rates = {kRate};
    info_.default_rate = kRate;
    info_.min_period = info_.max_period = info_.default_period = kPeriod;
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      std::fill(capture_[c].begin(), capture_[c].end(), 0.25F);
      captures_[c] = capture_[c].data();
      renders_[c] = render_[c].data();
    }
  }
  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return info_; }
  [[nodiscard]] Result<> open(const ports::DeviceFormat&) override { return {}; }
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override { return {}; }
  [[nodiscard]] Result<> start() override {
    started_ = clock_.now();
    return {};
  }
  void stop() noexcept override {}
  void close() noexcept override {}
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    period.index = index_++;
    period.boundary = due(index_);
    period.next_boundary = due(index_ + 1);
    period.lost = 0;
    period.gap = false;
    period.capture = {captures_.data(), kChannels, kPeriod};
    period.render = {renders_.data(), kChannels, kPeriod};
    return ports::PeriodStatus::ready;
  }
  bool commit() RT_SAFE override { return true; }
  void interrupt() RT_SAFE override {}
  /// When the next period begins.
  [[nodiscard]] Instant next_due() const { return due(index_ + 1); }

 private:
  [[nodiscard]] Instant due(std::uint64_t number) const {
    const auto ns = static_cast<std::int64_t>(static_cast<double>(number) * period_ns_);
    return started_ + nanoseconds{ns};
  }
  ports::Clock& clock_;
  const double period_ns_;
  ports::DeviceInfo info_;
  Blocks capture_{}, render_{};
  std::array<const float*, kChannels> captures_{};
  std::array<float*, kChannels> renders_{};
  Instant started_{};
  std::uint64_t index_ = 0;
};

/// Three devices as one, stepped by hand.
class Whole {
 public:
  Whole() : threads_(platform::make_threads()) {
    std::vector<devices::CombinedMember> members;
    for (const auto& [id, ppm] : {std::pair{"a", 0.0}, {"b", 300.0}, {"c", -300.0}}) {
      auto own = std::make_unique<IdleDevice>(clock_, id, ppm);
      idle_.push_back(own.get());
      members.push_back({std::move(own), "", {}, {}});
    }
    devices::CombinedOptions options;
    options.by_hand = true;
    auto made =
        devices::CombinedDevice::make(clock_, *threads_, std::move(members), std::move(options));
    if (!made) std::abort();
    device_ = std::move(*made);
    if (!device_->open({kRate, kPeriod}) || !device_->start()) std::abort();
    for (int i = 0; i < 3'000; ++i) period();  // all have found their places
    for (std::size_t i = 0; i < 2; ++i) {
      if (device_->status(i).state != devices::MemberState::tracking) std::abort();
    }
  }

  void period() {
    const Instant due = idle_[0]->next_due();
    for (std::size_t i = 1; i < idle_.size(); ++i) {
      while (idle_[i]->next_due() < due) {
        clock_.sleep_until(idle_[i]->next_due());
        (void)device_->pump(i - 1)->step();
      }
    }
    clock_.sleep_until(due);
    ports::DevicePeriod period;
    if (device_->wait_period(period) != ports::PeriodStatus::ready) std::abort();
    (void)device_->commit();
  }

 private:
  ports::VirtualClock clock_{Instant{1'000'000'000}};
  std::unique_ptr<ports::Threads> threads_;
  std::vector<IdleDevice*> idle_;
  std::unique_ptr<devices::CombinedDevice> device_;
};

/// The work that no way of doing it saves.
class Parts {
 public:
  Parts() {
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      reads_[c] = in_[c].data();
      writes_[c] = out_[c].data();
    }
    for (int i = 0; i < 4; ++i) {
      audio::ResamplerOptions options;
      options.channels = kChannels;
      options.input_rate = options.output_rate = kRate;
      options.max_block = {2 * kPeriod.count};
      auto made = audio::Resampler::make(options);
      if (!made) std::abort();
      resamplers_.push_back(std::move(*made));
      resamplers_.back().reset({-std::int64_t{resamplers_.back().look_ahead().count}, 0});
    }
  }

  void resample() {
    for (audio::Resampler& resampler : resamplers_) {
      const audio::ReadSpeed speed{1.0003};
      const Frames need = resampler.needed(kPeriod, speed);
      (void)resampler.process({reads_.data(), kChannels, need},
                              {writes_.data(), kChannels, kPeriod}, speed);
    }
  }

  void copy() {
    constexpr std::size_t kCopies = 12;  // six directions, into a ring and out of it
    for (std::size_t i = 0; i < kCopies; ++i) {
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        float* const ring = ring_.data() + (i * kChannels + c) * kPeriod.count;
        std::memcpy(i % 2 == 0 ? ring : writes_[c], i % 2 == 0 ? reads_[c] : ring,
                    kPeriod.count * sizeof(float));
        asm volatile("" : : "r"(ring), "r"(writes_[c]) : "memory");
      }
    }
  }

 private:
  std::array<std::array<float, 2 * kPeriod.count>, kChannels> in_{}, out_{};
  std::array<const float*, kChannels> reads_{};
  std::array<float*, kChannels> writes_{};
  std::vector<float> ring_ = std::vector<float>(12 * kChannels * kPeriod.count);
  std::vector<audio::Resampler> resamplers_;
};

template <class Work>
double time_of(ports::Clock& clock, const Work& work) {
  const Instant begun = clock.now();
  for (int i = 0; i < kPeriods; ++i) work();
  return static_cast<double>((clock.now() - begun).count()) / kPeriods;
}

/// The round that nobody disturbed.
double best(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

int run() {
  const auto clock = platform::make_clock();
  Whole whole;
  Parts parts;
  std::vector<double> wholes, resampling, copying;
  for (int round = 0; round < kRounds; ++round) {
    wholes.push_back(time_of(*clock, [&] { whole.period(); }));
    resampling.push_back(time_of(*clock, [&] { parts.resample(); }));
    copying.push_back(time_of(*clock, [&] { parts.copy(); }));
  }
  const double all = best(wholes), resamplers = best(resampling), copies = best(copying);
  const auto report = [](const char* name, double value, const char* peer, double peer_value,
                         double goal) {
    fmt::print(
        "{{\"name\": \"{}\", \"value\": {:.1f}, \"unit\": \"ns\", \"peer\": \"{}\", "
        "\"peer_value\": {:.1f}, \"ratio\": {:.3f}, \"goal\": {:.2f}}}\n",
        name, value, peer, peer_value, value / peer_value, goal);
  };
  report("period of three devices as one, 6x6 channels, 64 frames", all,
         "its four resamplers and its copies", resamplers + copies, 1.5);
  report("what joining costs beside resampling and copies", all - resamplers - copies,
         "its four resamplers", resamplers, 0.5);
  return 0;
}

}  // namespace
}  // namespace asiodrv

int main() { return asiodrv::run(); }
