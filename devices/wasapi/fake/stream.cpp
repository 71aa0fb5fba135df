#include "devices/wasapi/fake/stream.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace asiodrv::devices::wasapi::fake {

Stream::Stream(Endpoint& endpoint, StreamSettings settings)
    : endpoint_(endpoint), settings_(std::move(settings)), life_(endpoint.life()) {
  endpoint_.join(*this);
}

Stream::~Stream() {
  endpoint_.leave(*this);
  if (!session_events_.empty()) {
    world().violate("session events were still registered when their stream ended");
  }
  for (const auto& release : releases_) {
    if (release.second == releases_.back().second) continue;
    world().violate(fmt::format("E6: the last release of a {} on thread {}, of its {} on thread {}",
                                release.first, release.second, releases_.back().first,
                                releases_.back().second));
  }
}

std::uint32_t Stream::period_frames() const {
  return is_exclusive() ? settings_.buffer_frames : endpoint_.engine_frames();
}

// --- state ---------------------------------------------------------------------------------------

Hr Stream::set_event(EventHandle event) {
  if (loss_) return *loss_;
  if (event == nullptr) return kInvalidArgument;
  if (!has_flag(kEventCallback)) return kEventNotExpected;
  if (event_ != nullptr) return endpoint_.knobs().second_event;
  event_ = event;
  return kOk;
}

Hr Stream::start() {
  if (loss_) return *loss_;
  if (is_spoiled_) return kDeviceInvalidated;
  Knobs& knobs = endpoint_.knobs();
  if (has_flag(kEventCallback) && event_ == nullptr) return knobs.start_without_event;
  if (is_running_) return kNotStopped;
  is_running_ = has_started_ = true;
  is_reset_ = false;
  const auto draw = [&](nanoseconds most) {
    return nanoseconds{endpoint_.random().between(0, std::max<std::int64_t>(0, most.count()))};
  };
  started_at_ = world().now() + draw(knobs.first_event_most);
  if (last_position_ == 0) first_position_at_ = world().now() + draw(knobs.position_zero_most);
  on_start();
  return kOk;
}

Hr Stream::stop() {
  if (loss_) {
    if (!endpoint_.knobs().odd_codes_after_loss) return *loss_;
    const Hr codes[] = {*loss_, kNotReady, kBadHandle, kNotStopped};
    return codes[endpoint_.random().below(std::size(codes))];
  }
  if (!is_running_) return kFalse;
  is_running_ = false;
  on_stop();
  return kOk;
}

Hr Stream::reset() {
  if (loss_) {
    if (!endpoint_.knobs().odd_codes_after_loss) return *loss_;
    const Hr codes[] = {*loss_, kNotReady, kBadHandle, kNotStopped};
    return codes[endpoint_.random().below(std::size(codes))];
  }
  if (is_running_) return kNotStopped;
  if (is_held_) return kBufferOperationPending;
  if (is_reset_) return endpoint_.knobs().second_reset;
  is_reset_ = true;
  last_position_ = 0;
  on_reset();
  return kOk;
}

std::uint64_t Stream::frequency() const {
  const std::uint64_t rate = settings_.format.rate_hz;
  return is_exclusive() ? rate : rate * settings_.format.frame_bytes;
}

Hr Stream::position(std::uint64_t* position, std::uint64_t* qpc) {
  if (position == nullptr) return kPointer;
  *position = 0;
  if (loss_) return *loss_;
  const std::uint64_t unit = is_exclusive() ? 1 : settings_.format.frame_bytes;
  if (world().now() >= first_position_at_ || !is_running_) {
    last_position_ = std::max(last_position_, frames_passed() * unit);
  }
  *position = last_position_;
  if (qpc != nullptr) *qpc = world().qpc_of(world().now());
  return endpoint_.random().chance(endpoint_.knobs().position_inaccurate) ? kFalse : kOk;
}

// --- buffers of the other direction --------------------------------------------------------------

Hr Stream::get_render(std::uint32_t /*frames*/, std::uint8_t** /*data*/) {
  return kWrongEndpointType;
}
Hr Stream::put_render(std::uint32_t /*frames*/, std::uint32_t /*flags*/) {
  return kWrongEndpointType;
}
Hr Stream::get_capture(PacketView& /*packet*/) { return kWrongEndpointType; }
Hr Stream::put_capture(std::uint32_t /*frames*/) { return kWrongEndpointType; }

void Stream::begin_hold(std::uint32_t frames) {
  is_held_ = true;
  held_frames_ = frames;
  held_by_ = world().current_thread();
  held_since_ = world().now();
}

void Stream::end_hold() {
  if (!is_held_) return;
  is_held_ = false;
  const ThreadId thread = world().current_thread();
  if (thread != held_by_) {
    world().violate(
        fmt::format("B3: a buffer of thread {} was released by thread {}", held_by_, thread));
  }
  const nanoseconds period = duration_ceil({period_frames()}, {settings_.format.rate_hz});
  if (is_running_ && world().now() - held_since_ > period) {
    world().violate(fmt::format("B3: a buffer was held for {} us, longer than a period",
                                (world().now() - held_since_).count() / 1000));
  }
}

// --- events --------------------------------------------------------------------------------------

void Stream::fire() {
  if (event_ == nullptr || is_dead_) return;
  Knobs& knobs = endpoint_.knobs();
  Prng& random = endpoint_.random();
  ++events_;
  const nanoseconds age = world().now() - started_at_;
  if (knobs.triples_after.count() > 0 && age > knobs.triples_after && events_ % 3 != 0) return;
  if (random.chance(knobs.missing_event)) return;
  const auto again = [&](nanoseconds after) {
    world().schedule(world().now() + after, [alive = weak_from_this(), event = event_] {
      const std::shared_ptr<Stream> stream = alive.lock();
      if (stream != nullptr && !stream->is_dead_) stream->world().device_signals(event);
    });
  };
  if (random.chance(knobs.late_event)) return again(knobs.late_by);
  if (random.chance(knobs.double_event)) again(std::chrono::microseconds{200});
  if (!world().device_signals(event_)) {
    world().violate("an event was closed while its stream lived");
    event_ = nullptr;
  }
}

void Stream::lose(Hr code) {
  if (is_dead_) return;
  is_dead_ = true;
  if (code == kOk) return;
  loss_ = code;
  if (event_ != nullptr && endpoint_.knobs().last_signal_on_loss) {
    world().device_signals(event_);
  }
}

void Stream::disconnect(DisconnectReason reason) {
  world().call_back([alive = weak_from_this(), reason] {
    const std::shared_ptr<Stream> stream = alive.lock();
    if (stream == nullptr) return;
    const std::vector<SessionEvents*> told = stream->session_events_;
    for (SessionEvents* events : told) events->on_disconnected(reason);
  });
}

Hr Stream::unregister_events(SessionEvents* events) {
  const auto found = std::find(session_events_.begin(), session_events_.end(), events);
  if (found == session_events_.end()) return kNotFound;
  session_events_.erase(found);
  return kOk;
}

void Stream::released(std::string_view kind) {
  releases_.emplace_back(std::string(kind), world().current_thread());
}

}  // namespace asiodrv::devices::wasapi::fake
