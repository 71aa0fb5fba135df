#include "devices/wasapi/wasapi_device.hpp"

#include <fmt/format.h>

#include <utility>

#include "devices/wasapi/codes.hpp"

namespace asiodrv::devices::wasapi {
namespace {

// Together with what the caller does itself they stay below the two seconds that a call may take.
constexpr nanoseconds kLongestOpen = std::chrono::milliseconds{1900};
constexpr nanoseconds kLongestStart = std::chrono::milliseconds{1900};
constexpr nanoseconds kLongestStop = std::chrono::milliseconds{900};
constexpr nanoseconds kLongestRelease = std::chrono::milliseconds{900};

tl::unexpected<Error> no_com() { return refuse(kComNotInitialized, "Using the sound devices"); }

/// False: left alone. Without a thread to do it on it is done here, however long that takes.
template <class Work>
bool aside(System& system, const Work& work, nanoseconds limit) noexcept {
  try {
    return system.run_aside(work, limit);
  } catch (const std::exception&) {
    work();
    return true;
  }
}

}  // namespace

WasapiDevice::WasapiDevice(System& system, ports::Clock& clock, const WasapiOptions& options)
    : system_(system), clock_(clock), plan_(make_plan(options)) {}

WasapiDevice::~WasapiDevice() { close(); }

Result<> WasapiDevice::prepare() {
  const std::string& name = plan_.info.name;
  const Error no_answer{ErrorCode::device_gone,
                        fmt::format("{} does not answer: Windows has not finished telling what "
                                    "there is. Try again later.",
                                    name.empty() ? "The sound device" : name)};
  if (!hanging_.expired()) return tl::unexpected(no_answer);
  auto looking = std::make_shared<Looking>();
  looking->plan = plan_;
  const auto work = [looking, &system = system_] { looking->run(system); };
  if (!aside(system_, work, kLongestOpen)) {
    hanging_ = looking;
    return tl::unexpected(no_answer);
  }
  if (looking->result) plan_ = std::move(looking->plan);
  return looking->result;
}

void WasapiDevice::refresh() {
  if (parts_) return;
  (void)prepare();  // what cannot be asked now stays as it was
}

Result<> WasapiDevice::open(const ports::DeviceFormat& format) {
  if (parts_) {
    return fail(ErrorCode::invalid_state, plan_.info.name + " is open already: close it.");
  }
  const std::string no_answer = fmt::format(
      "{} does not answer: Windows has not finished opening or starting it. Try again later.",
      plan_.info.name);
  if (!hanging_.expired()) return fail(ErrorCode::device_gone, no_answer);
  auto opening = std::make_shared<Opening>();
  opening->plan = plan_;
  opening->format = format;
  if (learned_at_.rate == format.rate && learned_at_.period == format.period) {
    opening->target_periods = last_.target_periods;
  }
  const auto work = [opening, &system = system_, &clock = clock_] { opening->run(system, clock); };
  if (!aside(system_, work, kLongestOpen)) {
    hanging_ = opening;
    return fail(ErrorCode::device_gone, no_answer);
  }
  plan_ = std::move(opening->plan);
  // That somebody else has it says nothing about its formats, and it is tried again soon.
  const bool held = !opening->result && opening->result.error().code == ErrorCode::device_busy;
  const bool exclusive = plan_.mode.find(mode_name(StreamMode::exclusive)) != std::string::npos;
  if (!held && (!opening->result || !exclusive)) {
    // What drivers said about it is not what they do, or no longer.
    for (DeviceSide* side : {&plan_.render, &plan_.capture}) side->offer.exclusive.rates.clear();
  }
  if (!opening->result) return opening->result;
  parts_ = std::move(opening->parts);
  nominal_ = parts_->nominal;
  learned_at_ = format;
  return {};
}

ports::DeviceLatency WasapiDevice::latency() const noexcept {
  ports::DeviceLatency latency = nominal_;
  const RunFigures figures = this->figures();
  if (figures.input_latency_frames >= 0) {
    latency.input = {static_cast<std::uint32_t>(figures.input_latency_frames)};
  }
  if (figures.output_latency_frames >= 0) {
    latency.output = {static_cast<std::uint32_t>(figures.output_latency_frames)};
  }
  return latency;
}

Result<> WasapiDevice::start() {
  if (!parts_) {
    return fail(ErrorCode::invalid_state, plan_.info.name + " is not open: open it first.");
  }
  if (running_) {
    return fail(ErrorCode::invalid_state, plan_.info.name + " runs already: stop it first.");
  }
  const std::shared_ptr<void> com = system_.hold_com();
  if (!com) return no_com();
  const auto code = std::make_shared<Hr>(kOk);
  const auto work = [parts = parts_, code] { *code = parts->run->start(); };
  if (!aside(system_, work, kLongestStart)) {
    last_ = parts_->run->figures();
    hanging_ = parts_;
    parts_.reset();  // the thread that hangs has them
    return fail(ErrorCode::device_gone,
                fmt::format("{} does not answer: Windows has not finished starting it. Try again "
                            "later.",
                            plan_.info.name));
  }
  if (failed(*code)) return refuse(*code, fmt::format("Starting {}", plan_.info.name));
  running_ = true;
  return {};
}

void WasapiDevice::stop() noexcept {
  if (!std::exchange(running_, false)) return;
  const std::shared_ptr<void> com = system_.hold_com();
  const auto work = [parts = parts_] { parts->run->stop(); };
  if (aside(system_, work, kLongestStop)) return;
  last_ = parts_->run->figures();
  parts_.reset();  // the thread that hangs has them
}

void WasapiDevice::close() noexcept {
  stop();
  if (!parts_) return;
  last_ = parts_->run->figures();
  const std::shared_ptr<void> com = system_.hold_com();
  const auto work = [parts = std::exchange(parts_, nullptr)] { parts->release(); };
  (void)aside(system_, work, kLongestRelease);
}

ports::PeriodStatus WasapiDevice::wait_period(ports::DevicePeriod& period) RT_SAFE {
  if (!running_) return ports::PeriodStatus::lost;
  return parts_->run->wait(period, parts_->watcher.get());
}

bool WasapiDevice::commit() RT_SAFE { return running_ && parts_->run->commit(); }

void WasapiDevice::interrupt() RT_SAFE {
  if (parts_) parts_->run->interrupt();
}

RunFigures WasapiDevice::figures() const noexcept {
  return parts_ ? parts_->run->figures() : last_;
}

std::string WasapiDevice::loss() const {
  const RunFigures figures = this->figures();
  if (figures.loss == kOk) return {};
  if (figures.moved) return plan_.info.name + " is no longer Windows' default device.";
  if (figures.arrived) {
    return fmt::format("A device has come, which may be the missing \"{}\".",
                       plan_.capture.endpoint.name);
  }
  if (figures.irregular) {
    return plan_.info.name +
           " has become irregular: most events of its driver are missing. It is opened anew; if "
           "that repeats, choose a longer period or the mode \"shared\".";
  }
  if (figures.silent) return plan_.info.name + " fell silent: Windows sends no events any more.";
  return describe(figures.loss, plan_.info.name + " was lost").message;
}

Result<std::unique_ptr<WasapiDevice>> make_wasapi_device(System& system, ports::Clock& clock,
                                                         const WasapiOptions& options) {
  auto device = std::make_unique<WasapiDevice>(system, clock, options);
  if (Result<> prepared = device->prepare(); !prepared) return tl::unexpected(prepared.error());
  return device;
}

}  // namespace asiodrv::devices::wasapi
