#include "devices/wasapi/fake/endpoint.hpp"

#include <algorithm>

#include "devices/wasapi/fake/client.hpp"
#include "devices/wasapi/fake/stream.hpp"

namespace asiodrv::devices::wasapi::fake {
namespace {

/// Ten seconds of the fastest stream that anybody has; enough for a test to look back.
constexpr std::uint32_t kKeptFrames = 1'920'000 / 4;

std::uint64_t next_multiple(std::uint64_t value, std::uint64_t unit) {
  return (value / unit + 1) * unit;
}

}  // namespace

Endpoint::Endpoint(World& world, EndpointSpec spec)
    : world_(world),
      spec_(std::move(spec)),
      random_(world.random().next()),
      device_clock_(world.now(), spec_.rate_hz, spec_.knobs.offset_ppm),
      recorder_(spec_.channels, spec_.flow == Flow::render ? kKeptFrames : 1) {}

Endpoint::~Endpoint() = default;

// --- what happens to it --------------------------------------------------------------------------

void Endpoint::lose(Hr code, std::optional<DisconnectReason> reason, Extent extent) {
  const auto apply = [this, code, extent] {
    if (extent == Extent::device) {
      ++life_;
      loss_code_ = code == kOk ? kDeviceInvalidated : code;
    }
    const std::vector<Stream*> streams = streams_;
    for (Stream* stream : streams) {
      if (extent == Extent::shared_streams && stream->is_exclusive()) continue;
      stream->lose(code);
    }
  };
  const auto tell = [this, reason, extent] {
    const std::vector<Stream*> streams = streams_;
    for (Stream* stream : streams) {
      if (!reason || (extent == Extent::shared_streams && stream->is_exclusive())) continue;
      stream->disconnect(*reason);
    }
  };
  const nanoseconds after = spec_.knobs.disconnect_after;
  const Instant now = world_.now();
  if (after.count() < 0) {
    tell();
    world_.schedule(now - after, apply);
  } else {
    apply();
    world_.schedule(now + after, tell);
  }
}

void Endpoint::unplug(std::uint32_t state) {
  if (spec_.state == state) return;
  spec_.state = state;
  lose(hr_of(spec_.knobs.loss), DisconnectReason::device_removal, Extent::device);
  world_.notify([this, state](NotificationClient& client) {
    client.on_state_changed(spec_.id.c_str(), state);
  });
  world_.choose_default(spec_.flow);
}

void Endpoint::replug() {
  if (spec_.state == kActive) return;
  spec_.state = kActive;
  world_.notify(
      [this](NotificationClient& client) { client.on_state_changed(spec_.id.c_str(), kActive); });
  world_.choose_default(spec_.flow);
}

void Endpoint::change_format(std::uint32_t rate_hz, std::uint16_t channels) {
  spec_.rate_hz = rate_hz;
  spec_.channels = channels;
  lose(hr_of(spec_.knobs.loss), DisconnectReason::format_changed, Extent::device);
  device_clock_.set_rate(world_.now(), rate_hz);
  recorder_.set_channels(channels);
  world_.notify([this](NotificationClient& client) {
    client.on_property_changed(spec_.id.c_str(), kDeviceFormat);
  });
}

void Endpoint::take_over() {
  is_taken_by_others_ = true;
  lose(kDeviceInvalidated, DisconnectReason::exclusive_override, Extent::all_streams);
}

void Endpoint::let_go() {
  is_taken_by_others_ = false;
  busy_until_ = world_.now() + spec_.knobs.busy_after_exclusive;
}

void Endpoint::lose_streams(LossCode code, std::optional<DisconnectReason> reason) {
  lose(hr_of(code), reason, Extent::all_streams);
}

void Endpoint::unplug_at_call(std::uint64_t calls) {
  world_.before_call_number(calls, [this] { unplug(); });
}

// --- what it hears -------------------------------------------------------------------------------

void Endpoint::wire_from(const Endpoint* source, std::uint32_t delay) {
  wired_from_ = source;
  wire_delay_ = delay;
  piece_ = {};
}

/// The frame of the source that passes in the middle of our frame `frame`: rounding must not move
/// it into the neighbour. Divisions are dear, so whole pieces are kept.
std::uint64_t Endpoint::wired_frame(std::uint64_t frame) const {
  if (frame >= piece_.begin && frame < piece_.end) return piece_.source + (frame - piece_.begin);
  constexpr std::uint64_t kPiece = 64;
  const auto source = [this](std::uint64_t at) {
    return wired_from_->device_clock_.frame_at(device_clock_.middle_of(at));
  };
  const std::uint64_t first = source(frame);
  const bool alike = source(frame + kPiece - 1) == first + kPiece - 1;
  piece_ = {frame, frame + (alike ? kPiece : 1), first};
  return first;
}

float Endpoint::heard(std::uint64_t frame, std::uint32_t channel) const {
  if (wired_from_ == nullptr) return signal(frame, channel);
  const std::uint64_t source = wired_frame(frame);
  return source < wire_delay_ ? 0 : wired_from_->recorder_.at(source - wire_delay_, channel);
}

void Endpoint::add_glitch(Glitch::Kind kind, std::uint64_t frame, std::uint32_t frames) {
  if (!glitches_.empty() && glitches_.back().kind == kind &&
      glitches_.back().frame + glitches_.back().frames == frame) {
    glitches_.back().frames += frames;
    return;
  }
  glitches_.push_back({kind, frame, frames});
}

void Endpoint::record(std::uint64_t frame, const float* samples, std::uint32_t frames,
                      std::uint32_t of_client) {
  recorder_.write(frame, samples, frames);
  frames_played_ += of_client;
}

// --- formats and periods -------------------------------------------------------------------------

WaveFormatExtensible Endpoint::mix_format() const {
  return extensible(Layout::float32, spec_.rate_hz, spec_.channels, usual_mask(spec_.channels));
}

WaveFormatExtensible Endpoint::device_format() const {
  return extensible(spec_.device_layout, spec_.rate_hz, spec_.channels, usual_mask(spec_.channels));
}

std::uint32_t Endpoint::standard_frames() const {
  const auto period = static_cast<std::uint64_t>(spec_.knobs.standard_period);
  return static_cast<std::uint32_t>((period * spec_.rate_hz + 5'000'000) / 10'000'000);
}

std::uint32_t Endpoint::pinned_frames() const {
  for (const Stream* stream : streams_) {
    if (stream->settings().pinned_frames > 0 && !stream->is_dead()) {
      return stream->settings().pinned_frames;
    }
  }
  return 0;
}

std::uint32_t Endpoint::engine_frames() const {
  const std::uint32_t pinned = pinned_frames();
  return pinned > 0 ? pinned : standard_frames();
}

// --- who is there --------------------------------------------------------------------------------

Hr Endpoint::may_join(ShareMode mode, const Client& client) const {
  if (is_taken_by_others_ || world_.now() < busy_until_) return kDeviceInUse;
  if (claim_ != nullptr && claim_ != &client) return kDeviceInUse;
  for (const Stream* stream : streams_) {
    if (stream->life() != life_) continue;
    if (stream->is_exclusive()) return kDeviceInUse;
    if (mode == ShareMode::exclusive && !spec_.knobs.exclusive_wins && !stream->is_dead()) {
      return kDeviceInUse;
    }
  }
  return kOk;
}

void Endpoint::drop_claim(const Client& client) {
  if (claim_ == &client) claim_ = nullptr;
}

void Endpoint::join(Stream& stream) {
  if (stream.is_exclusive()) {
    lose(kDeviceInvalidated, DisconnectReason::exclusive_override, Extent::shared_streams);
    device_clock_.set_rate(world_.now(), stream.settings().format.rate_hz);
  }
  streams_.push_back(&stream);
}

void Endpoint::leave(Stream& stream) {
  streams_.erase(std::remove(streams_.begin(), streams_.end(), &stream), streams_.end());
  if (!stream.is_exclusive() || stream.life() != life_) return;
  busy_until_ = world_.now() + spec_.knobs.busy_after_exclusive;
  device_clock_.set_rate(world_.now(), spec_.rate_hz);
}

// --- the shared engine ---------------------------------------------------------------------------

void Endpoint::schedule_tick(Instant nominal, std::function<void()> action) {
  const Knobs& knobs = spec_.knobs;
  Instant at = nominal;
  if (knobs.event_jitter.count() > 0) {
    at = at + nanoseconds{random_.between(0, knobs.event_jitter.count())};
  }
  if (knobs.event_clump.count() > 0) {
    const std::int64_t clump = knobs.event_clump.count();
    at.ns = (at.ns + clump - 1) / clump * clump;
  }
  world_.schedule(at, std::move(action));
}

void Endpoint::wake_engine() {
  if (engine_runs_) return;
  engine_runs_ = true;
  ++engine_run_;
  const std::uint64_t frame = next_multiple(device_clock_.frame_at(world_.now()), engine_frames());
  engine_heard_ = frame - engine_frames();
  schedule_engine_tick(frame);
}

void Endpoint::schedule_engine_tick(std::uint64_t frame) {
  schedule_tick(device_clock_.instant_of(frame),
                [this, frame, run = engine_run_] { engine_tick(frame, run); });
}

void Endpoint::engine_tick(std::uint64_t frame, std::uint64_t run) {
  if (run != engine_run_ || !engine_runs_) return;
  const auto is_served = [this](const Stream* stream) {
    return !stream->is_exclusive() && !stream->is_dead() && stream->has_started() &&
           (stream->is_running() || spec_.knobs.events_after_stop);
  };
  if (std::none_of(streams_.begin(), streams_.end(), is_served)) {
    engine_runs_ = false;
    return;
  }
  const std::uint32_t frames = engine_frames();
  const std::vector<Stream*> streams = streams_;
  std::uint32_t of_client = 0;
  if (spec_.flow == Flow::render) {
    std::vector<float> mix(std::size_t{frames} * spec_.channels);
    for (Stream* stream : streams) {
      if (!stream->has_flag(kLoopback)) stream->tick(frame, frames, mix, of_client);
    }
    record(frame, mix.data(), frames, of_client);
    for (Stream* stream : streams) {
      if (stream->has_flag(kLoopback)) stream->tick(frame, frames, mix, of_client);
    }
  } else {
    std::vector<float> none;
    const auto heard = static_cast<std::uint32_t>(frame - engine_heard_);
    for (Stream* stream : streams) stream->tick(engine_heard_, heard, none, of_client);
  }
  engine_heard_ = frame;
  schedule_engine_tick(frame + frames);
}

}  // namespace asiodrv::devices::wasapi::fake
