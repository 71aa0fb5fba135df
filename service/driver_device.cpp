// The device as something that changes by itself: it goes and comes back, is set up anew in the
// system, or turns out to be slower than it said.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/ports/periods.hpp"
#include "service/buffer_policy.hpp"
#include "service/driver_service.hpp"

namespace asiodrv::service {

using wire::HostEventKind;

namespace {

constexpr std::size_t kMaxPartEvents = 1000;
/// A stream that was lost sooner than this after it could begin has not lasted.
constexpr nanoseconds kLastingStream = std::chrono::seconds{3};
/// So many losses in a row are like any other; then each doubles the pause.
constexpr std::uint32_t kPatientLosses = 3;
constexpr nanoseconds kLongestPause = std::chrono::seconds{8};
/// The system says when it is awake; should it not, the device is not away for longer.
constexpr nanoseconds kSleepLimit = std::chrono::seconds{10};
/// Latencies that a device measures while it runs move a little; hosts are told of what matters.
constexpr std::uint32_t kLatencyTolerance = 2;  // a part of the period: a half

bool differ(Frames one, Frames other, Frames period) {
  const std::int64_t distance = std::int64_t{one.count} - std::int64_t{other.count};
  return std::abs(distance) * kLatencyTolerance > std::int64_t{period.count};
}

}  // namespace

/// A closed device may have been exchanged, or set up anew, since it was looked at last.
void DriverService::refresh_device() {
  if (host_->is_open()) return;
  host_->refresh();
  note_device();
}

/// Opens the device, or moves it; what it turns out to be by then is told to everybody.
Result<> DriverService::prepare_device(const ports::DeviceFormat& format) {
  const bool was_open = host_->is_open();
  auto prepared = host_->prepare(format);
  note_device();
  if (prepared) left_playing_ = false;
  if (prepared && !was_open) {
    for (const std::string& note : host_->notes()) ports_.log(LogLevel::info, note);
  }
  return prepared;
}

/// Takes over what the device is now, if that is news.
void DriverService::note_device() {
  const ports::DeviceInfo& now = host_->info();
  if (now == known_device_) return;
  const bool first = known_device_.name.empty();
  known_device_ = now;
  if (std::find(now.rates.begin(), now.rates.end(), rate_) == now.rates.end()) {
    rate_ = now.default_rate;
  }
  studio_.set_device({now.id, now.name, now.input_channels, now.output_channels});
  if (first) return;
  refresh_graph();
  ports_.log(LogLevel::info,
             fmt::format("The device is {} now: {} inputs, {} outputs, {} Hz.", now.name,
                         now.input_channels, now.output_channels, now.default_rate.hz));
  tell_new_channels();
}

/// Lost under programs that play, or not there for programs that want to.
bool DriverService::device_is_away() const {
  return host_->is_lost() || std::any_of(clients_.begin(), clients_.end(),
                                         [](const auto& each) { return each.second.waiting; });
}

/// How long a device that has just been lost is left alone. One that opens, starts and is lost
/// again at once would otherwise fill the logs, and be opened for ever.
nanoseconds DriverService::pause_after_loss() {
  const auto pause = [this] {
    nanoseconds grown = kLookInterval;
    for (std::uint32_t i = kPatientLosses; i <= losses_in_a_row_ && grown < kLongestPause; ++i) {
      grown *= 2;
    }
    return std::min(grown, kLongestPause);
  };
  const Instant now = ports_.clock.now();
  const bool soon = lost_at_ && now - *lost_at_ < pause() + kLastingStream;
  losses_in_a_row_ = soon ? losses_in_a_row_ + 1 : 0;
  lost_at_ = now;
  return pause();
}

void DriverService::device_was_lost() {
  host_->quieten();
  loss_told_ = left_playing_ = true;
  const nanoseconds pause = pause_after_loss();
  look_again_ = ports_.clock.now() + pause;
  const std::string loss = host_->loss();
  const std::string what = loss.empty() ? host_->info().name + " is gone." : loss;
  if (losses_in_a_row_ >= kPatientLosses) {  // programs were asked for new buffers: that is no help
    const auto pause_s = std::chrono::duration_cast<std::chrono::seconds>(pause).count();
    return ports_.log(LogLevel::error,
                      fmt::format("{} It does not last: it is looked for again in {} s; programs "
                                  "hear silence meanwhile.",
                                  what, pause_s));
  }
  ports_.log(
      LogLevel::error,
      fmt::format("{} It is looked for every 500 ms; programs hear silence meanwhile.", what));
  ports_.on_device_lost(loss.empty() ? host_->info().name : loss);
  for (const auto& [connection, client] : clients_) {
    if (client.session) notify(client, {HostEventKind::reset_request, {}, {}, {}});
  }
}

void DriverService::suspend() {
  if (!host_->is_open()) return;
  host_->suspend();
  loss_told_ = left_playing_ = host_->is_lost();  // it comes back as it was: no word to programs
  look_again_ = ports_.clock.now() + kSleepLimit;
  attention_->signal();
  // Last: there may be no memory for it.
  ports_.log(LogLevel::info,
             fmt::format("The machine goes to sleep; {} is let go of.", host_->info().name));
}

void DriverService::resume() {
  look_again_ = ports_.clock.now();
  look_at_device();
  ports_.log(LogLevel::info, "The machine is awake.");
}

void DriverService::look_at_device() {
  look_at_device_ = true;
  attention_->signal();
}

/// Brings a lost device back, at the format that it had, or at one that it has now.
void DriverService::look_for_device() {
  look_again_ = ports_.clock.now() + kLookInterval;
  note_starts();
  const bool was_there = host_->is_open() && !host_->is_lost();  // only buffers wait then
  const std::uint64_t after = host_->next_period();
  const ports::DeviceFormat last = host_->format();
  // A device that was exchanged while it was closed has had none yet.
  const ports::DeviceFormat before = last.period.count != 0 ? last : at_rate(rate_);
  auto back = prepare_device(before);
  if (!back && back.error().code == ErrorCode::format_refused) {
    back = prepare_device({rate_, period_for(host_->info(), rate_, before.period)});
  }
  if (!back) {
    if (back.error().message != look_error_) ports_.log(LogLevel::warning, back.error().message);
    look_error_ = std::move(back.error().message);
    return;
  }
  look_error_.clear();
  loss_told_ = false;
  if (!was_there) restart_runs(after);
  admit_waiting();
  ports_.log(LogLevel::info, fmt::format("{} is back.", host_->info().name));
  for (auto& [connection, client] : clients_) {
    if (client.session) tell_latency(client);
  }
}

/// The device is there: buffers that waited for it join, and begin to sound where they play.
void DriverService::admit_waiting() {
  for (auto& [connection, client] : clients_) {
    if (!client.waiting) continue;
    Result<> joined = host_->add(client.session->setup());
    if (joined && client.running) joined = host_->start(client.session->id(), false);
    client.waiting = false;  // not before: who finds no memory here goes on waiting
    if (joined) continue;
    ports_.log(LogLevel::error, joined.error().message);
    notify(client, {HostEventKind::reset_request, {}, {}, {}});
  }
}

/// Buffers that found no place in the engine again. Without a device they wait for it as for a lost
/// one; with one it is they that do not fit, and their program is asked for others.
void DriverService::set_aside(Client& client) {
  host_->remove(client.session->id());
  if (host_->is_open() && !host_->is_lost()) {
    notify(client, {HostEventKind::reset_request, {}, {}, {}});
    return;
  }
  ports_.log(LogLevel::error, fmt::format("{} does not open for {} any more. It is looked for "
                                          "every 500 ms.",
                                          host_->info().name, client.program()));
  client.waiting = left_playing_ = true;
  attention_->signal();
}

/// What happened to the parts of the device: told when one comes or goes, kept for the flight.
void DriverService::watch_parts() {
  for (ports::DevicePartEvent& event : host_->take_part_events()) {
    if (event.what != "damaged") {
      ports_.log(event.what == "left" ? LogLevel::error : LogLevel::info,
                 fmt::format("{} has {} {}.", event.part, event.what, known_device_.name));
    }
    part_events_.push_back(std::move(event));
    if (part_events_.size() > kMaxPartEvents) part_events_.pop_front();
    ++part_events_seen_;
  }
}

/// What the device has measured of itself since a program was told. Each was told at its own time:
/// what one has heard long ago is news to another that has made its buffers since.
void DriverService::watch_latency() {
  if (!host_->is_running()) return;
  const ports::DeviceLatency now = device_latency();
  const Frames period = host_->format().period;
  for (auto& [connection, client] : clients_) {
    if (!client.session) continue;
    if (differ(now.input, client.told_latency.input, period) ||
        differ(now.output, client.told_latency.output, period)) {
      tell_latency(client);
    }
  }
}

}  // namespace asiodrv::service
