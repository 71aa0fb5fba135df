// Direct monitoring, gains and meters: what hosts reach through future().
#include <algorithm>
#include <utility>

#include "asio/front.hpp"

namespace asiodrv::asio {
namespace {

using ports::MutexLock;

constexpr nanoseconds kMixerBound = std::chrono::milliseconds{500};
/// For one wish that is said again: so long may the service be busy with another program's request.
/// No host turns a knob here, and an answer that is late ends the whole attempt.
constexpr nanoseconds kRepeatBound = std::chrono::seconds{3};
/// For all of them. While another program plays, each change of the graph may cost the service two
/// periods: a hundred monitors take that long at 2048 frames. Only a service that answers all the
/// time is waited for so long.
constexpr nanoseconds kRepeatAllBound = std::chrono::seconds{10};
/// Hosts ask for one channel after the other; within this time one answer serves them all.
constexpr nanoseconds kLevelsLast = std::chrono::milliseconds{20};
/// A service that was too busy to say its levels is not asked for so long: a host that asks again
/// and again would wait each time.
constexpr nanoseconds kLevelsPause = std::chrono::seconds{1};
/// No device has a channel beyond. The service would call the message malformed, and that answer
/// ends the conversation, the sound with it.
constexpr auto kLastChannel = static_cast<std::int32_t>(wire::kMaxChannels - 1);

}  // namespace

/// True on the thread that is inside this driver's callback, where nothing may wait.
bool AsioFront::inside_own_callback() noexcept {
  readers_.fetch_add(1, std::memory_order_seq_cst);
  const Stream* const stream = live_.load(std::memory_order_seq_cst);
  const bool inside = stream != nullptr && stream->is_calling_thread();
  readers_.fetch_sub(1, std::memory_order_seq_cst);
  return inside;
}

std::int32_t AsioFront::mixer(std::int32_t selector, void* option) {
  if (option == nullptr) return explain(kInvalidParameter, "The call was given a null pointer.");
  if (inside_own_callback()) {
    return explain(kInvalidMode, "Monitors, gains and meters cannot be used inside the callback.");
  }
  const MutexLock lock(control_);
  if (state() == State::loaded) {
    return explain(kInvalidMode, "The driver is not initialised; call init first.");
  }
  if (auto linked = ensure_link(); !linked) return pass_on(linked);
  switch (selector) {
    case kSetInputMonitor: return set_monitor(static_cast<const InputMonitor*>(option));
    case kSetInputGain: return set_gain(static_cast<const ChannelControls*>(option), true);
    case kSetOutputGain: return set_gain(static_cast<const ChannelControls*>(option), false);
    case kGetInputMeter: return get_meter(static_cast<ChannelControls*>(option), true);
    default: return get_meter(static_cast<ChannelControls*>(option), false);
  }
}

std::int32_t AsioFront::pass_on(const Result<>& answer) {
  if (answer) return kFutureSuccess;
  if (answer.error().code == ErrorCode::invalid_argument) {
    return explain(kInvalidParameter, answer.error().message);
  }
  return explain(to_asio_error(answer.error().code), answer.error().message);
}

/// A monitor or a gain that is not answered in time counts as granted. It is on its way: the
/// service, which may be busy with another program's request for three seconds, carries it out in
/// its turn, before whatever we ask next, and the late answer is dropped. Hanging up would cost the
/// host its session and its sound for a knob. An error would be wrong, too: the host would show the
/// old value while the new one sounds. What stays unknown is a late refusal, of a channel that the
/// device does not have: nothing sounds otherwise than before then. The end of a service that died
/// closes the connection, which the notifier sees; the one that follows is told the wish again.
Result<> AsioFront::judge_wish(Result<> answer) {
  if (!answer && answer.error().code == ErrorCode::timed_out) return {};
  return judge(std::move(answer));
}

std::int32_t AsioFront::set_monitor(const InputMonitor* monitor) {
  const InputMonitor wish = *monitor;
  if (wish.input < -1 || wish.output < 0 || wish.gain < 0 || wish.pan < 0) {
    return explain(kInvalidParameter,
                   "A monitor needs an input (or -1 for all), an output, a gain and a pan that are "
                   "not negative.");
  }
  if (wish.input > kLastChannel || wish.output > kLastChannel) {
    return explain(kInvalidParameter, "There is no such channel to monitor.");
  }
  wire::MonitorRequest request;
  if (wish.input >= 0) request.input = static_cast<std::uint32_t>(wish.input);
  request.output = static_cast<std::uint32_t>(wish.output);
  request.gain = static_cast<std::uint32_t>(wish.gain);
  request.pan = static_cast<std::uint32_t>(wish.pan);
  request.on = wish.state != 0;
  const auto answer = judge_wish(link_->set_monitor(request, within(kMixerBound)));
  if (answer) mixer_.note(request);
  return pass_on(answer);
}

std::int32_t AsioFront::set_gain(const ChannelControls* controls, bool input) {
  const ChannelControls wish = *controls;
  if (wish.channel < 0 || wish.gain < 0) {
    return explain(kInvalidParameter, "A gain needs a channel and a value that are not negative.");
  }
  if (wish.channel > kLastChannel) {
    return explain(kInvalidParameter, "There is no such channel to set a gain for.");
  }
  const wire::GainRequest request{input, static_cast<std::uint32_t>(wish.channel),
                                  static_cast<std::uint32_t>(wish.gain)};
  const auto answer = judge_wish(link_->set_gain(request, within(kMixerBound)));
  if (answer) mixer_.note(request);
  return pass_on(answer);
}

/// To a service that was just connected. What its device has no channel for is left out. Who breaks
/// the attempt off hangs up, so that the next wish fails at once. Errors: those that end the
/// conversation.
Result<> AsioFront::repeat_mixer() {
  const Instant last = within(kRepeatAllBound);
  const auto deadline = [this, last] { return std::min(last, within(kRepeatBound)); };
  for (const wire::MonitorRequest& each : mixer_.monitors()) {
    auto answer = judge(link_->set_monitor(each, deadline()));
    if (!link_up_) return answer;
  }
  for (const wire::GainRequest& each : mixer_.gains()) {
    auto answer = judge(link_->set_gain(each, deadline()));
    if (!link_up_) return answer;
  }
  return {};
}

std::int32_t AsioFront::get_meter(ChannelControls* controls, bool input) {
  const Instant now = ports_.clock.now();
  if (levels_at_ == Instant{} || now - levels_at_ > kLevelsLast) {
    if (now < levels_again_) {
      return explain(kHardwareMalfunction, "The audio service is busy; ask for the levels later.");
    }
    auto levels = link_->levels(within(kMixerBound));
    if (!levels && levels.error().code == ErrorCode::timed_out) {
      // Nothing in the service has changed, whatever it made of it: no reason to end the sound.
      levels_again_ = within(kLevelsPause);
      return pass_on(tl::unexpected<Error>(levels.error()));
    }
    if (!levels) return pass_on(judge(tl::unexpected<Error>(levels.error())));
    levels_ = std::move(*levels);
    levels_at_ = now;
  }
  const auto& side = input ? levels_.inputs : levels_.outputs;
  const std::int32_t channel = controls->channel;
  if (channel < 0 || static_cast<std::size_t>(channel) >= side.size()) {
    return explain(kInvalidParameter, "There is no such channel to meter.");
  }
  controls->meter = static_cast<std::int32_t>(side[static_cast<std::size_t>(channel)]);
  return kFutureSuccess;
}

}  // namespace asiodrv::asio
