#include "devices/wasapi/device_open.hpp"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "devices/wasapi/codes.hpp"
#include "devices/wasapi/text.hpp"

namespace asiodrv::devices::wasapi {
namespace {

/// For both sides together; a call of the system that is under way comes on top.
constexpr nanoseconds kPatience = std::chrono::milliseconds{1500};

}  // namespace

void Looking::run(System& system) {
  const std::shared_ptr<void> com = system.hold_com();
  if (!com) {
    result = refuse(kComNotInitialized, "Using the sound devices");
    return;
  }
  try {
    result = refresh(system, plan);
  } catch (const std::bad_alloc&) {
    result = fail(ErrorCode::out_of_memory, "There is no memory for a list of the sound devices.");
  }
}

void Opening::run(System& system, ports::Clock& clock) {
  const std::shared_ptr<void> com = system.hold_com();
  if (!com) {
    result = refuse(kComNotInitialized, "Using the sound devices");
    return;
  }
  try {
    result = open(system, clock);
    if (!result && has_learned_) {
      unfinished_.reset();          // before others are asked: it may hold one of the devices
      (void)refresh(system, plan);  // for who asks what is accepted; the error is told already
    }
  } catch (const std::bad_alloc&) {
    result = fail(ErrorCode::out_of_memory, plan.info.name + " got no memory for its channels.");
  }
  if (result) parts = std::move(unfinished_);
  unfinished_.reset();
}

Result<> Opening::open(System& system, ports::Clock& clock) {
  const Instant deadline = clock.now() + kPatience;
  // Anew each time: ids, rates and periods may be others than they were.
  if (Result<> refreshed = refresh(system, plan); !refreshed) return refreshed;
  Result<> checked = check_format(plan.info, format);
  if (!checked && forget_held_periods()) {
    // Who held the mixer may have let go of it meanwhile: only an attempt tells.
    if (Result<> refreshed = refresh(system, plan); !refreshed) return refreshed;
    checked = check_format(plan.info, format);
  }
  if (!checked) return checked;
  unfinished_ = std::make_shared<OpenParts>(system);
  OpenParts& made = *unfinished_;
  if (!made.events.complete()) return refuse(kOutOfMemory, "Making events");
  const Hr code = system.make_enumerator(made.enumerator.out());
  if (failed(code)) return refuse(code, "Using the sound devices");
  RunSetup setup;
  setup.format = format;
  setup.inputs = plan.info.input_channels;
  setup.target_periods = target_periods;
  if (Result<> opened = open_render(system, clock, deadline, setup); !opened) return opened;
  if (Result<> opened = open_capture(system, clock, deadline, setup); !opened) return opened;
  WatchedEndpoints watched;
  if (plan.render.follows_default()) watched.default_render = to_utf16(plan.render.endpoint.id);
  if (setup.capture && plan.capture.follows_default()) {
    watched.default_capture = to_utf16(plan.capture.endpoint.id);
  }
  setup.awaits_input = !plan.capture.absent.empty();
  made.run = std::make_unique<WasapiRun>(system, clock, made.events, std::move(setup));
  made.nominal = made.run->nominal_latency();
  made.watcher = std::make_unique<EndpointWatcher>(*made.enumerator.get(), std::move(watched));
  if (Result<> still = judge_default(system, plan.render); !still) return still;
  if (made.run->capture() != nullptr) {
    if (Result<> still = judge_default(system, plan.capture); !still) return still;
  }
  if (plan.capture.absent.empty()) return {};
  // It may have come before the watcher could hear of it: the two ends of a box come one by one.
  DevicePlan now = plan;
  if (Result<> refreshed = refresh(system, now); !refreshed) return refreshed;
  if (!now.capture.absent.empty()) return {};
  return fail(
      ErrorCode::device_gone,
      fmt::format("\"{}\" has just come back. Open the device again.", now.capture.endpoint.name));
}

bool Opening::forget_held_periods() {
  const bool known = plan.render.offer.held_period != 0 || plan.capture.offer.held_period != 0;
  plan.render.offer.held_period = plan.capture.offer.held_period = 0;
  return known;
}

/// It may have moved before the watcher could hear of it: while devices come, defaults move.
Result<> Opening::judge_default(System& system, const DeviceSide& side) const {
  if (!side.follows_default()) return {};
  const std::string now = default_endpoint_id(system, *unfinished_->enumerator.get(), side.flow);
  if (now.empty() || now == side.endpoint.id) return {};
  return fail(ErrorCode::device_gone,
              fmt::format("\"{}\" has just ceased to be Windows' default device. Open the device "
                          "again.",
                          side.endpoint.name));
}

Result<> Opening::open_render(System& system, ports::Clock& clock, Instant deadline,
                              RunSetup& setup) {
  if (!plan.render.used()) return {};
  Result<OpenStream> stream =
      open_side(system, clock, plan.render, deadline, unfinished_->events.render.get());
  if (!stream) return tl::unexpected(stream.error());
  note_stream(plan.render, *stream);
  auto made = RenderStream::make(std::move(*stream), plan.dither);
  if (!made) return tl::unexpected(made.error());
  setup.render = std::move(*made);
  return {};
}

Result<> Opening::open_capture(System& system, ports::Clock& clock, Instant deadline,
                               RunSetup& setup) {
  if (!plan.capture.used() || !plan.capture.absent.empty()) return {};
  Result<OpenStream> stream =
      open_side(system, clock, plan.capture, deadline, unfinished_->events.capture.get());
  if (stream) {
    note_stream(plan.capture, *stream);
    auto made = CaptureStream::make(std::move(*stream));
    if (!made) return tl::unexpected(made.error());
    setup.capture = std::move(*made);
    return {};
  }
  const ErrorCode code = stream.error().code;
  const bool withheld = code == ErrorCode::access_denied || code == ErrorCode::device_busy;
  if (!withheld || !setup.render) return tl::unexpected(stream.error());
  plan.notes.push_back("Without input: " + stream.error().message);  // the outputs go on
  return {};
}

Result<OpenStream> Opening::open_side(System& system, ports::Clock& clock, DeviceSide& side,
                                      Instant deadline, EventHandle event) {
  Result<ComPtr<MmDevice>> device = find_endpoint(*unfinished_->enumerator.get(), side);
  if (!device) return tl::unexpected(device.error());
  StreamRequest request;
  request.flow = side.flow;
  request.modes = plan.modes;
  request.rate = format.rate;
  request.period = format.period;
  request.channels = side.offer.channels;
  request.chosen = side.endpoint.chosen;
  request.may_convert_rate = side.flow == Flow::capture && plan.render.used();
  request.deadline = deadline;
  std::uint32_t named = 0, held = 0;
  request.named_period = &named;
  request.held_period = &held;
  Result<OpenStream> stream = open_stream(system, clock, *device->get(), request, event);
  if (!stream) {
    ExclusiveLesson& lesson = side.offer.exclusive.lesson;
    has_learned_ |= lesson.learn(format.rate, format.period.count, named);
    if (held != 0) {
      side.offer.held_period = held;
      has_learned_ = true;
    }
    const std::uint32_t mixers = side.offer.exclusive.channels;
    const bool refused = stream.error().code == ErrorCode::format_refused && named == 0;
    if (refused && mixers != 0 && side.offer.channels > mixers) {
      has_learned_ = lesson.mixers_channels = true;
    }
    return fail(stream.error().code,
                fmt::format("\"{}\": {}", side.endpoint.name, stream.error().message));
  }
  if (stream->format.channels != side.offer.channels) {
    return fail(ErrorCode::device_gone,
                fmt::format("\"{}\" has just been changed to {} channels. Open it again.",
                            side.endpoint.name, stream->format.channels));
  }
  // A mixer that is held at its usual period looks like one that nobody holds: found out anew.
  if (side.offer.held_period == frames_of(side.offer.mixer_period, stream->format.rate)) {
    side.offer.held_period = 0;
  }
  return stream;
}

void Opening::note_stream(const DeviceSide& side, const OpenStream& stream) {
  if (!plan.mode.empty()) plan.mode += '+';
  plan.mode += mode_name(stream.mode);
  plan.notes.push_back(
      fmt::format("\"{}\" runs in {} mode: {}, a period of {} frames, a buffer of {}.",
                  side.endpoint.name, mode_name(stream.mode), format_text(stream.format),
                  stream.period.count, stream.buffer.count));
  plan.notes.insert(plan.notes.end(), stream.steps.begin(), stream.steps.end());
}

}  // namespace asiodrv::devices::wasapi
