#include "simulation/world/host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "simulation/world/flight_check.hpp"

namespace asiodrv::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// The longest that any call may take, whatever happens: connecting, a session, a start, twice.
constexpr nanoseconds kLongestCall = seconds{20};
/// The longest when nothing has gone wrong for a while that could keep anybody waiting.
constexpr nanoseconds kLongestCalmCall = milliseconds{900};
constexpr nanoseconds kCalm = seconds{30};
/// How long after a fault a call may still be refused for it. A conversation is begun within 3 s or
/// not at all, a lost device is looked for every 500 ms, and one that does not open is asked once
/// more.
constexpr nanoseconds kAftermath = seconds{5};
/// A started client is called at least this often, whatever happens to the service.
constexpr nanoseconds kLongestSilence = milliseconds{500};
constexpr nanoseconds kSlice = milliseconds{200};

// ASIO's callbacks carry no context: each host has functions of its own.
std::array<Host*, kMaxHosts> slots{};

template <std::uint32_t Slot>
struct SlotCallbacks {
  static void ASIO_CALLBACK switch_buffers(std::int32_t, std::int32_t) {}
  static void ASIO_CALLBACK rate_changed(double) {}
  static std::int32_t ASIO_CALLBACK message(std::int32_t selector, std::int32_t value, void*,
                                            double*) {
    return slots[Slot]->message(selector, value);
  }
  static asio::Time* ASIO_CALLBACK time_info(asio::Time* time, std::int32_t half, std::int32_t) {
    slots[Slot]->block(*time, half);
    return nullptr;
  }
  static asio::Callbacks all() { return {&switch_buffers, &rate_changed, &message, &time_info}; }
};

asio::Callbacks callbacks_of(std::uint32_t slot) {
  switch (slot) {
    case 0: return SlotCallbacks<0>::all();
    case 1: return SlotCallbacks<1>::all();
    case 2: return SlotCallbacks<2>::all();
    case 3: return SlotCallbacks<3>::all();
    default: return SlotCallbacks<4>::all();
  }
}
static_assert(kMaxHosts == 5);

/// Called by the front at the beginning of each stream, on the host's own fiber.
std::uint64_t host_epoch_ms() {
  const Scheduler& scheduler = Scheduler::current();
  for (Host* const host : slots) {
    if (host != nullptr && host->name() == scheduler.running().process.name) {
      host->note_anchor(scheduler.now());
    }
  }
  return static_cast<std::uint64_t>(scheduler.now().ns) / 1'000'000U;
}

}  // namespace

Host::Host(World& world, std::uint32_t slot)
    : world_(world),
      slot_(slot),
      process_{fmt::format("host-{}", slot), {}},
      threads_(world.scheduler, process_),
      rng_(world.rng.next()),
      wire_(std::make_shared<Wire>(world.transport, 100 + slot)),
      regions_(world.regions),
      callbacks_(callbacks_of(slot)),
      expected_(8192) {
  slots[slot] = this;
  spy_.on_session = [this](std::uint32_t id) {
    torn_before_session_ = wire_->torn;
    linked_since_ = world_.clock.now();
    // It went on alone, for as long as the service refused it, and finds its way back now.
    if (streaming_) troubles_.add(world_.clock.now(), world_.clock.now());
    world_.flight->note_session(id, slot_);
  };
  spy_.on_lost = [this] {
    const Instant now = world_.clock.now();
    // An attempt that comes to nothing belongs to the loss before it.
    if (unlinked_since_ == Instant{} || now - linked_since_ > kAftermath) unlinked_since_ = now;
  };
}

Host::~Host() { slots[slot_] = nullptr; }

void Host::begin() {
  fiber_ = world_.scheduler.start("host", process_, ports::ThreadRole::control, [this] { live(); });
}

template <class Call>
auto Host::timed(const char* name, Call call) {
  const Instant began = world_.clock.now();
  asked_ = {began, world_.regions.failed(), world_.journal.counted(Fault::allocation_failure),
            wire_->torn};
  const auto answer = call();
  const nanoseconds took = world_.clock.now() - began;
  world_.journal.count(Check::answers);
  const bool excused = dead_ || process_.held_until > began || in_callback_;
  const bool calm = world_.calm(kCalm + took) || !was_slowed();
  const nanoseconds limit = calm ? kLongestCalmCall : kLongestCall;
  if (!excused && took > limit) {
    world_.journal.fail(Check::answers, fmt::format("{} of {} took {} ms.", name, process_.name,
                                                    took.count() / 1'000'000));
  }
  return answer;
}

void Host::rest(nanoseconds duration) {
  const Instant until = world_.clock.now() + duration;
  while (!leaving() && world_.clock.now() < until) {
    world_.clock.sleep_until(std::min(until, world_.clock.now() + kSlice));
  }
}

void Host::live() {
  while (!world_.over) {
    if (world_.quiet) {
      idle_ = true;
      world_.sleep(kSlice);
      continue;
    }
    rest(milliseconds{rng_.between(0, 8000)});
    if (leaving()) continue;
    idle_ = false;
    visit();
    dead_ = false;
    wire_->refuses = false;
    left_ = world_.clock.now();
    idle_ = true;
  }
}

/// Takes the driver, uses it, gives it back.
void Host::visit() {
  came_ = world_.clock.now();
  lazy_ = rng_.chance(0.15);
  const std::string program = lazy_ ? "lazy.exe" : process_.name + ".exe";
  const auto make_link = [this, program] {
    auto client = std::make_unique<ipc::ServiceClient>(
        world_.clock, threads_, *wire_,
        ipc::ServiceClientOptions{program, 100 + slot_, 64, [](ipc::Need) { return Result<>{}; }});
    return std::make_unique<LinkSpy>(std::move(client), spy_);
  };
  front_ = asio::AsioFront::create({.clock = world_.clock,
                                    .threads = threads_,
                                    .regions = regions_,
                                    .make_link = make_link,
                                    .host_epoch_ms = &host_epoch_ms},
                                   {});
  if (timed("init", [this] { return front_->init(); })) {
    world_.journal.note(process_.name + " is connected");
    for (int sets = 0; sets < 3 && !leaving(); ++sets) use_buffers();
  } else {
    refused("init", asio::kNotPresent);
  }
  begin_ending();
  timed("shutdown", [this] {
    front_->shutdown();
    return true;
  });
  finish_ending();
  may_be_called_ = false;
  spy_.session = 0;
  unlinked_since_ = {};
  front_.reset();
  world_.journal.note(process_.name + " has left");
}

void Host::choose_channels() {
  inputs_.clear();
  outputs_.clear();
  for (std::uint32_t c = 0; c < world_.scenario.inputs; ++c) {
    if (rng_.chance(0.6)) inputs_.push_back(c);
  }
  for (std::uint32_t c = 0; c < world_.scenario.outputs; ++c) {
    const bool free = world_.scenario.shared_outputs || (world_.outputs_taken >> c & 1U) == 0;
    if (free && rng_.chance(0.6)) outputs_.push_back(c);
  }
  if (inputs_.empty() && outputs_.empty()) inputs_.push_back(0);
  for (auto* const list : {&inputs_, &outputs_}) {
    for (std::size_t i = list->size(); i > 1; --i) {
      std::swap((*list)[i - 1], (*list)[rng_.below(i)]);
    }
  }
  output_mask_ = 0;
  for (const std::uint32_t c : outputs_) output_mask_ |= 1U << c;
  if (!world_.scenario.shared_outputs) world_.outputs_taken |= output_mask_;
  infos_.clear();
  for (const std::uint32_t c : inputs_) infos_.push_back({1, static_cast<std::int32_t>(c), {}});
  for (const std::uint32_t c : outputs_) infos_.push_back({0, static_cast<std::int32_t>(c), {}});
}

void Host::release_outputs() {
  if (!world_.scenario.shared_outputs) world_.outputs_taken &= ~output_mask_;
}

/// An error is an answer. But who is refused, not because of the others and not for a fault that
/// can do that, was refused without a reason.
void Host::refused(const char* call, std::int32_t error) {
  char text[asio::kErrorMessageBytes]{};
  front_->get_error_message(text);
  world_.journal.note(fmt::format("{}: {} is refused ({}): {}", process_.name, call, error, text));
  const bool too_short = lazy_ && frames_ < world_.device->format.period;
  if (dead_ || too_short || explains(error)) return;
  world_.journal.fail(Check::answers, fmt::format("{} of {} is refused without a reason: {}", call,
                                                  process_.name, text));
}

/// Is there a reason for an answer like this one to the call that has just ended?
bool Host::explains(std::int32_t error) const {
  switch (error) {
    case asio::kNoMemory:
      // A section that could not be made, which may be asked for long after the fault, or an
      // allocation that failed and was caught: either way within this call.
      return world_.regions.failed() != asked_.sections ||
             world_.journal.counted(Fault::allocation_failure) != asked_.allocations;
    case asio::kInvalidMode:
    case asio::kNoClock: return lazy_ || is_among_others() || was_broken_off();
    case asio::kInvalidParameter:
      if (lazy_ && !world_.calm(kCalm) && is_shorter_than_period()) return true;
      [[fallthrough]];
    default: return !world_.calm(kCalm) && was_broken_off();
  }
}

/// Where nobody is adapted, whoever has buffers dictates the rate and the size to the others. The
/// service learns a little later who has left: that may be this program itself, in an earlier
/// visit.
bool Host::is_among_others() const {
  if (world_.scenario.adapted) return false;
  const Instant lately = asked_.began - seconds{1};
  return left_ >= lately ||
         std::any_of(world_.hosts.begin(), world_.hosts.end(), [&](const auto& each) {
           return each.get() != this && each->present_since(lately);
         });
}

/// By time, at its own rate: a program that defers its output cannot have such buffers.
bool Host::is_shorter_than_period() const {
  double rate = 0;
  front_->get_sample_rate(&rate);
  const ports::DeviceFormat& device = world_.device->format;
  return static_cast<double>(frames_.count) * device.rate.hz < rate * device.period.count;
}

/// Has something been at work that breaks a conversation off, or keeps the device from opening?
///
///   service_restart, _crash   nobody answers; a call under way is disconnected. The host's sound
///                             and its session are brought back by the notifier, in its own time
///   device_loss, open_refused the device is not there, or busy
///   engine_stall              whoever waits for the engine's thread waits, and the others for it
///   allocation_failure        "internal"; a rate that could not be set may have taken the session
///                             out of the engine until its buffers are disposed, and buffers that
///                             could not be disposed stay until the program leaves
///   torn_request, of its own  disconnected: within the call, or since then without a session
///   suspension, death, own    nobody reads the answer before the call's time is up
///
/// While a stream runs without a session, the rate cannot be set, however long that takes: others
/// may have made the device what the notifier cannot use. So the fault is looked for from then on.
///
/// The rest refuses nothing. A late or hanging callback and a stalled stream are between the host
/// and the engine, which waits for nobody beyond its deadline. Gaps and drift are periods. What
/// strangers send is answered on their own connections; a configuration that they load closes the
/// device and opens it within their request, where it fails by the kinds above. A scribbled section
/// is read by the engine alone. A failed section is "no memory". A rate moves the device of
/// somebody who is alone, and refuses with "no clock".
bool Host::was_broken_off() const {
  if (wire_->torn > std::min(asked_.torn, torn_before_session_)) return true;
  const bool linked = spy_.session != 0 && asked_.began - linked_since_ > kAftermath;
  const bool was_lost = unlinked_since_ != Instant{} && !linked;
  const Instant from =
      (was_lost ? std::min(asked_.began, unlinked_since_) : asked_.began) - kAftermath;
  return world_.faults.any_since({Fault::service_restart, Fault::service_crash, Fault::device_loss,
                                  Fault::open_refused, Fault::engine_stall},
                                 from) ||
         world_.faults.any_since({Fault::allocation_failure}, std::min(from, came_ - kAftermath)) ||
         faults_.any_since({Fault::suspension, Fault::death}, from);
}

/// Has something been at work that keeps a call waiting, beyond what breaks a conversation off?
///
///   device_gap, rate_change   whoever stops the engine waits for its period, or until the device
///                             is opened anew, and the others for their turn
///   hang, stream_stall, own   a stop waits for the callback, and for the thread after it, 500 ms
///                             each; a callback that is only late counts as well
///   scribble, own             nobody has looked at what its stream reads meanwhile
///   no session, own           the notifier may be in the middle of bringing it back
///
/// Of the others' programs, nothing: a cycle waits for them until its deadline, and a request for
/// the end of that cycle. Nor what strangers send.
bool Host::was_slowed() const {
  const Instant from = asked_.began - kAftermath;
  const bool unlinked =
      spy_.session == 0 && unlinked_since_ != Instant{} && unlinked_since_ < asked_.began;
  return was_broken_off() || unlinked ||
         world_.faults.any_since({Fault::device_gap, Fault::rate_change}, from) ||
         faults_.any_since({Fault::hang, Fault::stream_stall, Fault::scribble}, from);
}

void Host::use_buffers() {
  choose_channels();
  frames_ = world_.scenario.period;
  if (rng_.chance(world_.scenario.adapted ? 0.4 : 0.1)) frames_ = Frames{64U << rng_.below(5)};
  const Canary canary = world_.scenario.canary;
  if (canary == Canary::adapted_bit || canary == Canary::slow_adapted) {
    // Whoever comes second is adapted.
    frames_ = slot_ == 0 ? world_.scenario.period : Frames{world_.scenario.period.count / 2};
  }
  was_adapted_ = false;
  says_ready_ = rng_.chance(0.3);
  load_ = rng_.chance(0.3) ? 0.5 * rng_.unit() : 0.0;
  if (canary == Canary::slow_reply || canary == Canary::slow_adapted) load_ = 0.4;
  tainted_ = false;
  reset_wanted_ = false;
  const auto created = timed("createBuffers", [this] {
    return front_->create_buffers(infos_.data(), static_cast<std::int32_t>(infos_.size()),
                                  static_cast<std::int32_t>(frames_.count), &callbacks_);
  });
  if (created != asio::kOk) {
    refused("createBuffers", created);
    release_outputs();
    return rest(milliseconds{rng_.between(10, 2000)});
  }
  for (int runs = 0; runs < 3 && !leaving() && !reset_wanted_; ++runs) {
    if (!stream_for(milliseconds{rng_.between(0, 60'000)})) break;
    if (rng_.chance(0.3)) break;
  }
  begin_ending();
  timed("disposeBuffers", [this] { return front_->dispose_buffers(); });
  finish_ending();
  for (; scribbles_ > 0; --scribbles_) troubles_.close(world_.clock.now() + seconds{1});
  streaming_ = false;
  if (!in_callback_) may_be_called_ = false;
  release_outputs();
}

/// False when these buffers are not started again.
bool Host::stream_for(nanoseconds duration) {
  base_ = rng_.below(Pattern::kFrames);
  changed_ = world_.clock.now();
  ending_ = false;
  calls_ = last_position_ = last_take_ = last_index_ = streak_ = 0;
  last_call_ = world_.clock.now();
  may_be_called_ = true;
  for (std::size_t i = inputs_.size(); i < infos_.size(); ++i) {
    // What is in half 1 is played before the first callback.
    for (std::int32_t half = 0; half < 2; ++half) std::fill_n(buffer(i, half), frames_.count, 0.0F);
  }
  front_->get_latencies(&told_input_, &told_output_);
  const auto started = timed("start", [this] { return front_->start(); });
  if (started != asio::kOk) {
    may_be_called_ = in_callback_;
    refused("start", started);
    // Where a stop has failed before it, the engine rings a stream that is gone until the next one.
    troubles_.add(world_.clock.now(), world_.clock.now() + milliseconds{1500});
    rest(milliseconds{rng_.between(10, 1000)});
    return false;
  }
  front_->get_latencies(&told_input_, &told_output_);  // a start may have opened another session
  note_rate();
  world_.journal.note(fmt::format("{} streams {} frames, inputs {:#x}, outputs {:#x}, session {}{}",
                                  process_.name, frames_.count,
                                  inputs_.empty() ? 0U : 1U << inputs_.front(), output_mask_,
                                  spy_.session, lazy_ ? ", deferred" : ""));
  streaming_ = true;
  started_ = last_call_ = world_.clock.now();
  const Instant until = started_ + duration;
  while (!leaving() && !reset_wanted_ && world_.clock.now() < until) {
    world_.clock.sleep_until(std::min(until, world_.clock.now() + kSlice));
    watch_callbacks();
    if (std::exchange(latencies_stale_, false)) front_->get_latencies(&told_input_, &told_output_);
    if (wanted_rate_.hz == 0) continue;
    const double rate = std::exchange(wanted_rate_, SampleRate{}).hz;
    const auto set = timed("setSampleRate", [&] { return front_->set_sample_rate(rate); });
    if (set != asio::kOk) refused("setSampleRate", set);
    note_rate();
    disown_periods();  // a torn wire ends the session: what was to be taken next is not
  }
  streaming_ = false;
  if (rng_.chance(0.3)) return false;  // disposing stops as well
  begin_ending();
  timed("stop", [this] { return front_->stop(); });
  finish_ending();
  if (!in_callback_) may_be_called_ = false;
  return true;
}

/// What it plays from now on may be cut off without a word: that is what it asked for.
void Host::begin_ending() {
  troubles_.open(world_.clock.now());
  changed_ = world_.clock.now();
  ending_ = true;
  disown_periods();
}

void Host::finish_ending() {
  troubles_.close(world_.clock.now());
  changed_ = world_.clock.now();
  disown_periods();
}

void Host::note_rate() {
  double rate = 0;
  front_->get_sample_rate(&rate);
  rate_ = {static_cast<std::uint32_t>(rate)};
}

bool Host::is_adapted() const {
  const ports::DeviceFormat& device = world_.device->format;
  return frames_ != device.period || rate_ != device.rate;
}

/// Nothing is promised about its part in the present period and the two after it; what an adapted
/// host has handed in plays on for as long as its way back.
void Host::disown_periods() {
  if (world_.device->takes == 0) return;
  was_adapted_ = was_adapted_ || is_adapted();
  std::uint64_t reach = 3;
  if (was_adapted_) {
    const double period = world_.device->format.period.count;
    const double ratio =
        rate_.hz == 0 ? 1.0 : double{1.0} * world_.device->format.rate.hz / rate_.hz;
    reach += static_cast<std::uint64_t>((told_input_ + told_output_ + 3.0 * frames_.count) * ratio /
                                        period) +
             4;
  }
  for (std::uint64_t ahead = 0; ahead < reach; ++ahead) {
    Contribution& part =
        world_.ledger.at(world_.device->takes, world_.device->now.index + ahead).parts[slot_];
    part.kind = Contribution::Kind::unknown;
    part.outputs |= output_mask_;  // beside those of buffers that it had a moment ago
  }
}

/// While it streams, somebody calls it, or it was told why not.
void Host::watch_callbacks() {
  world_.journal.count(Check::callbacks);
  const Instant now = world_.clock.now();
  if (in_callback_ || dead_ || was_held_up(now - kLongestSilence, now)) return;
  if (now - last_call_ <= kLongestSilence) return;
  world_.journal.fail(Check::callbacks,
                      fmt::format("{} streams and was not called for {} ms.", process_.name,
                                  (now - last_call_).count() / 1'000'000));
}

std::int32_t Host::message(std::int32_t selector, std::int32_t value) {
  switch (selector) {
    case asio::kSelectorSupported:
      return value == asio::kSupportsTimeInfo || value == asio::kResetRequest ||
             value == asio::kLatenciesChanged || value == asio::kResyncRequest;
    case asio::kSupportsTimeInfo: return 1;
    case asio::kResetRequest: reset_wanted_ = true; return 1;
    case asio::kLatenciesChanged: latencies_stale_ = true; return 1;
    default: return 0;
  }
}

// --- what the director does to it ----------------------------------------------------------------

/// The process is gone: nothing of it runs, its wires end. What is left of it here is put away
/// later, when the service must have noticed.
void Host::die(nanoseconds unnoticed) {
  const Instant until = world_.clock.now() + unnoticed;
  dead_ = true;
  disown_periods();
  troubles_.add(world_.clock.now(), until);
  faults_.note(Fault::death, until);
  process_.held_until = until;
  wire_->refuses = true;
  wire_->cut();
}

void Host::suspend(nanoseconds duration) {
  process_.held_until = world_.clock.now() + duration;
  faults_.note(Fault::suspension, process_.held_until);
  troubles_.add(world_.clock.now(), process_.held_until);
}

void Host::stall_stream(nanoseconds duration) {
  Fiber* const stream = world_.scheduler.find(process_, ports::ThreadRole::audio);
  if (stream == nullptr) return;
  stream->held_until = world_.clock.now() + duration;
  faults_.note(Fault::stream_stall, stream->held_until);
  troubles_.add(world_.clock.now(), stream->held_until);
}

void Host::cut_off() { wire_->cut(); }

/// Writes garbage over its own section: the service must not mind, and neither must the others.
void Host::scribble() {
  auto region = regions_.open_newest();
  if (!region) return;
  tainted_ = true;
  faults_.note(Fault::scribble, world_.clock.now());
  disown_periods();
  troubles_.open(world_.clock.now());
  ++scribbles_;
  const std::span<std::byte> bytes = (*region)->bytes();
  const std::size_t reach =
      rng_.chance(0.5) ? std::min<std::size_t>(bytes.size(), 4096) : bytes.size();
  for (std::uint64_t i = 0, count = rng_.below(256); i <= count; ++i) {
    bytes[rng_.below(reach)] = static_cast<std::byte>(rng_.next());
  }
}

}  // namespace asiodrv::simulation
