#include "devices/wasapi/wasapi_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "devices/wasapi/codes.hpp"
#include "devices/wasapi/text.hpp"

namespace asiodrv::devices::wasapi {
namespace {

tl::unexpected<Error> no_com() { return refuse(kComNotInitialized, "Using the sound devices"); }

std::vector<std::string> channel_names(const EndpointInfo& endpoint, std::uint32_t count) {
  const std::string& base = endpoint.description.empty() ? endpoint.name : endpoint.description;
  std::vector<std::string> names;
  for (std::uint32_t i = 1; i <= count; ++i) names.push_back(fmt::format("{} {}", base, i));
  return names;
}

}  // namespace

WasapiDevice::WasapiDevice(System& system, ports::Clock& clock, WasapiOptions options)
    : system_(system), clock_(clock), options_(std::move(options)) {
  render_.flow = Flow::render;
  render_.choice = options_.render;
  capture_.flow = Flow::capture;
  capture_.choice = options_.capture;
}

WasapiDevice::~WasapiDevice() { close(); }

/// The endpoint of the side among `endpoints`: the one it was, or the one that the options name.
Result<> WasapiDevice::choose(const std::vector<EndpointInfo>& endpoints, Side& side) {
  if (!side.used()) return {};
  if (!side.follows_default() && !side.endpoint.id.empty()) {
    const EndpointMatch match = match_endpoint(endpoints, side.flow, side.endpoint);
    if (match.endpoint == nullptr) return fail(ErrorCode::device_gone, match.why);
    if (match.by != MatchedBy::id) notes_.push_back(match.why);
    side.endpoint = *match.endpoint;
    return {};
  }
  Result<const EndpointInfo*> chosen = choose_endpoint(endpoints, side.flow, side.choice);
  if (!chosen) return tl::unexpected(chosen.error());
  side.endpoint = **chosen;
  return {};
}

Result<ComPtr<MmDevice>> WasapiDevice::find(MmDeviceEnumerator& enumerator, const Side& side) {
  ComPtr<MmDevice> device;
  const Hr code = enumerator.device(to_utf16(side.endpoint.id).c_str(), device.out());
  if (failed(code)) return refuse(code, fmt::format("Finding \"{}\"", side.endpoint.name));
  if (!device) return refuse(kPointer, fmt::format("Finding \"{}\"", side.endpoint.name));
  return device;
}

Result<> WasapiDevice::ask(MmDeviceEnumerator& enumerator, Side& side) {
  if (!side.used()) return {};
  Result<ComPtr<MmDevice>> device = find(enumerator, side);
  if (!device) return tl::unexpected(device.error());
  Result<Offer> offer = make_offer(system_, *device->get(), side.endpoint,
                                   modes_of(options_.mode, options_.prefer_exclusive));
  if (!offer) return tl::unexpected(offer.error());
  side.offer = std::move(*offer);
  return {};
}

Result<> WasapiDevice::prepare() {
  const std::shared_ptr<void> com = system_.hold_com();
  if (!com) return no_com();
  ComPtr<MmDeviceEnumerator> enumerator;
  const Hr code = system_.make_enumerator(enumerator.out());
  if (failed(code)) return refuse(code, "Using the sound devices");
  Result<std::vector<EndpointInfo>> endpoints = list_endpoints(system_);
  if (!endpoints) return tl::unexpected(endpoints.error());
  for (Side* side : {&render_, &capture_}) {
    if (Result<> chosen = choose(*endpoints, *side); !chosen) return chosen;
    if (Result<> asked = ask(*enumerator.get(), *side); !asked) return asked;
  }
  Result<std::vector<RateOffer>> rates = common_rates(render_.used() ? &render_.offer : nullptr,
                                                      capture_.used() ? &capture_.offer : nullptr);
  if (!rates) return tl::unexpected(rates.error());
  describe_device(*rates);
  return {};
}

void WasapiDevice::refresh() {
  if (run_) return;
  (void)prepare();  // what cannot be asked now stays as it was
}

void WasapiDevice::describe_device(const std::vector<RateOffer>& rates) {
  ports::DeviceInfo info;
  const bool duplex = render_.used() && capture_.used();
  // From what was configured where that is stable, so that "default" stays one device.
  for (const Side* side : {&render_, &capture_}) {
    if (!side->used()) continue;
    info.id += (info.id.empty() ? "wasapi:" : "+") +
               (side->follows_default() ? side->choice : side->endpoint.id);
    if (side == &capture_ && duplex && render_.endpoint.adapter == capture_.endpoint.adapter) {
      info.name = render_.endpoint.adapter;  // two ends of one box
    } else {
      info.name += (info.name.empty() ? "" : " / ") + side->endpoint.name;
    }
  }
  if (info.name.empty()) info.name = "Windows sound device";
  info.output_channels = render_.used() ? render_.offer.channels : 0;
  info.input_channels = capture_.used() ? capture_.offer.channels : 0;
  info.output_names = channel_names(render_.endpoint, info.output_channels);
  info.input_names = channel_names(capture_.endpoint, info.input_channels);
  const Side& leading = render_.used() ? render_ : capture_;
  const SampleRate mixer = leading.endpoint.mix ? leading.endpoint.mix->rate : SampleRate{};
  const RateOffer* standard = &rates.front();
  for (const RateOffer& offer : rates) {
    info.rates.push_back(offer.rate);
    info.periods.push_back(offer.periods);
    if (offer.rate == mixer) standard = &offer;
  }
  info.default_rate = standard->rate;
  info.min_period = standard->periods.least;
  info.max_period = standard->periods.most;
  info.default_period = standard->periods.standard;
  info_ = std::move(info);
}

Result<> WasapiDevice::check(const ports::DeviceFormat& format) const {
  std::string accepted;
  for (std::size_t i = 0; i < info_.rates.size(); ++i) {
    const ports::PeriodRange& range = info_.periods[i];
    const std::uint32_t period = format.period.count;
    if (info_.rates[i] == format.rate && period >= range.least.count &&
        period <= range.most.count && period % range.step.count == 0) {
      return {};
    }
    accepted += fmt::format("{}{} Hz at ", accepted.empty() ? "" : ", ", info_.rates[i].hz);
    accepted += range.least == range.most
                    ? fmt::format("{} frames", range.least.count)
                    : fmt::format("multiples of {} from {} to {} frames", range.step.count,
                                  range.least.count, range.most.count);
  }
  return fail(ErrorCode::format_refused,
              fmt::format("{} does not run at {} Hz with {} frames a period; accepted: {}.",
                          info_.name, format.rate.hz, format.period.count, accepted));
}

Result<> WasapiDevice::open(const ports::DeviceFormat& format) {
  if (run_) return fail(ErrorCode::invalid_state, info_.name + " is open already: close it.");
  const std::shared_ptr<void> com = system_.hold_com();
  if (!com) return no_com();
  notes_.clear();
  mode_.clear();
  // Anew each time: ids, rates and periods may be others than they were.
  if (Result<> prepared = prepare(); !prepared) return prepared;
  if (Result<> checked = check(format); !checked) return checked;
  const Hr code = system_.make_enumerator(enumerator_.out());
  if (failed(code)) return refuse(code, "Using the sound devices");
  Result<> opened;
  try {
    opened = open_streams(*enumerator_.get(), format);
  } catch (const std::bad_alloc&) {
    opened = fail(ErrorCode::out_of_memory, info_.name + " got no memory for its channels.");
  }
  if (!opened) close();
  return opened;
}

Result<OpenStream> WasapiDevice::open_side(MmDeviceEnumerator& enumerator, const Side& side,
                                           const ports::DeviceFormat& format, EventHandle event) {
  Result<ComPtr<MmDevice>> device = find(enumerator, side);
  if (!device) return tl::unexpected(device.error());
  StreamRequest request;
  request.flow = side.flow;
  request.modes = modes_of(options_.mode, options_.prefer_exclusive);
  request.rate = format.rate;
  request.period = format.period;
  request.channels = side.offer.channels;
  request.chosen = side.endpoint.chosen;
  request.may_convert_rate = side.flow == Flow::capture && render_.used();
  Result<OpenStream> stream = open_stream(system_, clock_, *device->get(), request, event);
  if (!stream) {
    return fail(stream.error().code,
                fmt::format("\"{}\": {}", side.endpoint.name, stream.error().message));
  }
  if (stream->format.channels != side.offer.channels) {
    return fail(ErrorCode::device_gone,
                fmt::format("\"{}\" has just been changed to {} channels. Open it again.",
                            side.endpoint.name, stream->format.channels));
  }
  return stream;
}

Result<> WasapiDevice::open_streams(MmDeviceEnumerator& enumerator,
                                    const ports::DeviceFormat& format) {
  events_ = std::make_unique<RunEvents>(system_);
  if (!events_->complete()) return refuse(kOutOfMemory, "Making events");
  RunSetup setup;
  setup.format = format;
  setup.inputs = info_.input_channels;
  if (learned_at_.rate == format.rate && learned_at_.period == format.period) {
    setup.target_periods = last_.target_periods;
  }
  if (render_.used()) {
    Result<OpenStream> stream = open_side(enumerator, render_, format, events_->render.get());
    if (!stream) return tl::unexpected(stream.error());
    note_stream(render_, *stream);
    auto made = RenderStream::make(std::move(*stream));
    if (!made) return tl::unexpected(made.error());
    setup.render = std::move(*made);
  }
  if (capture_.used()) {
    Result<OpenStream> stream = open_side(enumerator, capture_, format, events_->capture.get());
    if (stream) {
      note_stream(capture_, *stream);
      auto made = CaptureStream::make(std::move(*stream));
      if (!made) return tl::unexpected(made.error());
      setup.capture = std::move(*made);
    } else if (stream.error().code == ErrorCode::access_denied && setup.render) {
      notes_.push_back("Without input: " + stream.error().message);  // the outputs go on
    } else {
      return tl::unexpected(stream.error());
    }
  }
  WatchedEndpoints watched;
  if (render_.follows_default()) watched.default_render = to_utf16(render_.endpoint.id);
  if (setup.capture && capture_.follows_default()) {
    watched.default_capture = to_utf16(capture_.endpoint.id);
  }
  run_ = std::make_unique<WasapiRun>(system_, clock_, *events_, std::move(setup));
  nominal_ = run_->nominal_latency();
  watcher_ = std::make_unique<EndpointWatcher>(enumerator, std::move(watched));
  learned_at_ = format;
  return {};
}

void WasapiDevice::note_stream(const Side& side, const OpenStream& stream) {
  mode_ += (mode_.empty() ? "" : "+") + std::string(mode_name(stream.mode));
  notes_.push_back(fmt::format("\"{}\" runs in {} mode: {}, a period of {} frames, a buffer of {}.",
                               side.endpoint.name, mode_name(stream.mode),
                               format_text(stream.format), stream.period.count,
                               stream.buffer.count));
  notes_.insert(notes_.end(), stream.steps.begin(), stream.steps.end());
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
  if (!run_) return fail(ErrorCode::invalid_state, info_.name + " is not open: open it first.");
  if (running_) return fail(ErrorCode::invalid_state, info_.name + " runs already: stop it first.");
  const std::shared_ptr<void> com = system_.hold_com();
  if (!com) return no_com();
  const Hr code = run_->start();
  if (failed(code)) return refuse(code, fmt::format("Starting {}", info_.name));
  running_ = true;
  return {};
}

void WasapiDevice::stop() noexcept {
  if (!std::exchange(running_, false)) return;
  const std::shared_ptr<void> com = system_.hold_com();
  run_->stop();
}

void WasapiDevice::close() noexcept {
  stop();
  const std::shared_ptr<void> com = system_.hold_com();
  watcher_.reset();
  if (run_) last_ = run_->figures();
  run_.reset();
  events_.reset();
  enumerator_.reset();
}

ports::PeriodStatus WasapiDevice::wait_period(ports::DevicePeriod& period) RT_SAFE {
  return running_ ? run_->wait(period, watcher_.get()) : ports::PeriodStatus::lost;
}

bool WasapiDevice::commit() RT_SAFE { return running_ && run_->commit(); }

void WasapiDevice::interrupt() RT_SAFE {
  if (run_) run_->interrupt();
}

RunFigures WasapiDevice::figures() const noexcept { return run_ ? run_->figures() : last_; }

std::string WasapiDevice::loss() const {
  const RunFigures figures = this->figures();
  if (figures.loss == kOk) return {};
  if (figures.moved) return info_.name + " is no longer Windows' default device.";
  if (figures.silent) return info_.name + " fell silent: Windows sends no events any more.";
  return describe(figures.loss, info_.name + " was lost").message;
}

Result<std::unique_ptr<WasapiDevice>> make_wasapi_device(System& system, ports::Clock& clock,
                                                         WasapiOptions options) {
  auto device = std::make_unique<WasapiDevice>(system, clock, std::move(options));
  if (Result<> prepared = device->prepare(); !prepared) return tl::unexpected(prepared.error());
  return device;
}

}  // namespace asiodrv::devices::wasapi
