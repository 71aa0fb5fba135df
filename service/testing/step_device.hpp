// A device that takes a step when a test says so: hardware without time, wired output n to input n.
// Its periods are as long as the format says, so nobody is late on a slow machine, and the next one
// comes as soon as it is allowed and the one before is committed, so tests are fast.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "core/ports/mutex.hpp"
#include "core/ports/periods.hpp"
#include "core/ports/thread.hpp"

namespace asiodrv::service::testing {

/// What the tests hold while the service owns the device.
struct StepControl {
  explicit StepControl(ports::Clock& clock_in, ports::Threads& threads)
      : clock(clock_in), step(threads.make_signal()), served(threads.make_signal()) {}

  /// Lets `periods` more pass.
  void allow(std::uint64_t periods) {
    allowed += periods;
    step->signal();
  }
  void unplug() {
    plugged = false;
    step->signal();
  }
  void replug() { plugged = true; }
  /// Waits until `periods` were committed since the beginning; false after 20 s.
  bool wait_committed(std::uint64_t periods) {
    const Instant limit = clock.now() + std::chrono::seconds{20};
    while (committed < periods) {
      if (!served->wait(limit)) return false;
    }
    return true;
  }

  ports::Clock& clock;
  const std::unique_ptr<ports::Signal> step, served;
  std::atomic<std::uint64_t> allowed{0}, committed{0};
  std::atomic<bool> plugged{true}, interrupted{false};
  std::atomic<int> opens{0}, closes{0}, starts{0}, stops{0};
  std::atomic<bool> refuse_open{false};
  std::atomic<bool> stale{false};      ///< what is open starts no more: until it is opened anew
  std::atomic<bool> no_memory{false};  ///< at the next open
  std::atomic<std::uint32_t> clock_source{0}, word_clock_hz{8'000};
  ports::DeviceLatency latency{Frames{3}, Frames{5}};
  std::uint32_t channels = 4;       ///< in and out; before the device is made
  std::uint32_t left_channels = 0;  ///< so many of them from the next open on; 0: all
  /// As set up in the system; noticed by refresh() and open(), on control threads.
  std::vector<SampleRate> rates{{8'000}, {48'000}, {96'000}};
  std::vector<ports::PeriodRange> ranges;  ///< of periods: one per rate, or empty
};

class StepDevice final : public ports::Device {
 public:
  explicit StepDevice(std::shared_ptr<StepControl> control) : control_(std::move(control)) {
    info_.id = "step";
    info_.name = "Step device";
    info_.input_channels = info_.output_channels = control_->channels;
    StepDevice::refresh();
    info_.min_period = Frames{16};
    info_.max_period = Frames{8192};
    info_.default_period = Frames{64};
    info_.clock_sources = {"Internal", "Word clock"};
    for (std::uint32_t i = 1; i <= control_->channels; ++i) {
      info_.input_names.push_back("In " + std::to_string(i));
      info_.output_names.push_back("Out " + std::to_string(i));
    }
  }

  const ports::DeviceInfo& info() const noexcept override { return info_; }
  ports::DeviceLatency latency() const noexcept override { return control_->latency; }

  void refresh() override {
    info_.rates = control_->rates;
    info_.periods = control_->ranges;
    info_.default_rate = control_->rates.front();
  }

  Result<> open(const ports::DeviceFormat& format) override {
    if (control_->plugged) refresh();
    control_->stale = false;
    if (!control_->plugged) return fail(ErrorCode::device_gone, "The cable is out.");
    if (control_->no_memory.exchange(false)) throw std::bad_alloc();
    if (control_->refuse_open) return fail(ErrorCode::device_busy, "It is taken.");
    const SampleRate dictated = clock_state().rate;
    if (dictated.hz != 0 && dictated != format.rate) {
      return fail(ErrorCode::format_refused, "The word clock has another rate.");
    }
    const auto& rates = info_.rates;
    if (std::find(rates.begin(), rates.end(), format.rate) == rates.end() ||
        !ports::offers(ports::periods_at(info_, format.rate), format.period)) {
      return fail(ErrorCode::format_refused, "It is set up otherwise.");
    }
    ++control_->opens;
    format_ = format;
    if (control_->left_channels != 0) {
      info_.input_channels = info_.output_channels = control_->left_channels;
      info_.input_names.resize(control_->left_channels);
      info_.output_names.resize(control_->left_channels);
    }
    for (Block& block : blocks_) block = Block(format.period.count, control_->channels);
    return {};
  }
  Result<> start() override {
    if (control_->stale) return fail(ErrorCode::device_gone, "What was opened is no more.");
    ++control_->starts;
    index_ = 0;
    control_->interrupted = false;
    return {};
  }
  void stop() noexcept override { ++control_->stops; }
  void close() noexcept override { ++control_->closes; }

  ports::ClockState clock_state() const noexcept override {
    return {control_->clock_source,
            SampleRate{control_->clock_source == 0 ? 0U : control_->word_clock_hz.load()}};
  }
  Result<> select_clock(std::uint32_t source) override {
    if (source > 1) return fail(ErrorCode::invalid_argument, "There are two clock sources.");
    control_->clock_source = source;
    return {};
  }
  Result<> feed_external_clock(SampleRate rate) override {
    control_->word_clock_hz = rate.hz;
    return {};
  }

  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override {
    const RtPermit permit;  // as long as the test likes
    while (control_->allowed == 0 || control_->interrupted || !control_->plugged) {
      if (!control_->plugged) return ports::PeriodStatus::lost;
      if (control_->interrupted.exchange(false)) return ports::PeriodStatus::interrupted;
      control_->step->wait(control_->clock.now() + std::chrono::seconds{60});
    }
    --control_->allowed;
    period = {};
    period.index = index_;
    period.boundary = control_->clock.now();
    period.next_boundary = period.boundary + duration_ceil(format_.period, format_.rate);
    const Block& heard = blocks_[(index_ + 1) % 3];  // rendered two periods ago
    period.capture = {heard.read.data(), info_.input_channels, format_.period};
    period.render = {blocks_[index_ % 3].write.data(), info_.output_channels, format_.period};
    return ports::PeriodStatus::ready;
  }
  bool commit() RT_SAFE override {
    ++index_;
    ++control_->committed;
    control_->served->signal();
    return true;
  }
  void interrupt() RT_SAFE override {
    control_->interrupted = true;
    control_->step->signal();
  }

 private:
  struct Block {
    Block() = default;
    Block(std::uint32_t frames, std::uint32_t channels) : samples(std::size_t{frames} * channels) {
      for (std::uint32_t i = 0; i < channels; ++i) {
        write.push_back(samples.data() + std::size_t{i} * frames);
        read.push_back(write.back());
      }
    }
    std::vector<float> samples;
    std::vector<float*> write;
    std::vector<const float*> read;
  };

  const std::shared_ptr<StepControl> control_;
  ports::DeviceInfo info_;
  ports::DeviceFormat format_{};
  Block blocks_[3];
  std::uint64_t index_ = 0;  // engine thread, or stopped
};

}  // namespace asiodrv::service::testing
