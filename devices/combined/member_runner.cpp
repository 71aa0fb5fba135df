#include "devices/combined/member_runner.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "devices/combined/member_plan.hpp"

namespace asiodrv::devices {
namespace {

/// wait_period comes back within 500 ms, interrupted within far less.
constexpr nanoseconds kJoinBound = std::chrono::seconds{1};

bool is_away(ErrorCode code) {
  return code == ErrorCode::device_gone || code == ErrorCode::device_busy ||
         code == ErrorCode::access_denied || code == ErrorCode::not_found;
}

}  // namespace

MemberRunner::MemberRunner(ports::Clock& clock, ports::Threads* threads,
                           std::unique_ptr<ports::Device> device)
    : clock_(clock), threads_(threads), parts_(std::make_shared<Parts>()) {
  parts_->device = std::move(device);
}

bool MemberRunner::follow(const MemberOrder& order) {
  using Wish = MemberOrder::Wish;
  const bool runs = started_ && session_->exchange.epoch.load(std::memory_order_acquire) != 0;
  const bool known = session_ != nullptr && session_ == order.session;  // this is no first start
  if (order.wish == Wish::running && runs && known) return true;
  if (!halt()) return false;
  needs_plan_ = false;
  if (order.wish == Wish::closed) {
    close();
    trouble_.clear();
    return true;
  }
  const bool lost = order.wish == Wish::running && known;
  if (open_ && (lost || order.format.rate != format_.rate || order.format.period != format_.period))
    close();
  if (order.wish == Wish::open) {
    session_.reset();
    if (!open_) {
      open(order.format);
    } else if (!note_latency()) {
      close();
    }
    return true;
  }
  session_ = order.session;
  if (lost) open(order.format);
  if (open_) run(order);
  if (lost && started_) ++returns_;
  needs_plan_ = !started_ && (needs_plan_ || has_become_another(order));
  return true;
}

/// Its rate or its periods were changed in the system. One that refuses what it offers is not
/// meant, nor one that no plan brings back: for those nobody else shall be disturbed.
bool MemberRunner::has_become_another(const MemberOrder& order) const {
  if (opened_ || opened_.error().code != ErrorCode::format_refused) return false;
  const auto now = member_format(device().info(), order.master);
  return now && (now->rate != order.format.rate || now->period != order.format.period);
}

void MemberRunner::open(const ports::DeviceFormat& format) {
  format_ = format;
  latency_ = {format.period, format.period};
  opened_ = parts_->device->open(format);
  if (!opened_) {
    trouble_ = opened_.error().message;
    if (is_away(opened_.error().code)) opened_ = {};
    return;
  }
  open_ = true;
  mode_ = parts_->device->mode();
  if (!note_latency()) return close();
  trouble_.clear();
}

/// What the device says of itself now; it may have measured itself while it ran. False: nonsense.
bool MemberRunner::note_latency() {
  const ports::DeviceLatency own = parts_->device->latency();
  if (own.input.count > format_.rate.hz || own.output.count > format_.rate.hz) {
    trouble_ = device().info().name + " says that it is more than a second behind (" +
               std::to_string(own.input.count) + " and " + std::to_string(own.output.count) +
               " frames): nothing can be aligned with that.";
    return false;
  }
  latency_ = own;
  return true;
}

/// The device is open and nothing runs. A device that refuses is closed, and lost.
void MemberRunner::run(const MemberOrder& order) {
  const ports::DeviceInfo& info = device().info();
  const MemberExchange& exchange = order.session->exchange;
  if (info.input_channels != exchange.inputs || info.output_channels != exchange.outputs) {
    trouble_ = info.name + " has " + std::to_string(info.input_channels) + " inputs and " +
               std::to_string(info.output_channels) + " outputs now, and had " +
               std::to_string(exchange.inputs) + " and " + std::to_string(exchange.outputs) +
               ": all devices have to be opened anew.";
    needs_plan_ = true;
    return close();
  }
  if (Result<> started = parts_->device->start(); !started) {
    trouble_ = started.error().message;
    return close();
  }
  started_ = true;
  const ports::DeviceLatency own = parts_->device->latency();
  const auto beyond = [&](Frames now, Frames planned) {
    return now.count > std::uint64_t{planned.count} + order.spare.count;
  };
  if (beyond(own.input, order.planned.input) || beyond(own.output, order.planned.output)) {
    trouble_ = device().info().name + " has a longer latency now (" +
               std::to_string(own.input.count) + " and " + std::to_string(own.output.count) +
               " frames) than there is room for: all devices have to be opened anew.";
    // What it said when it was opened is what the next plan will be made of. One that says more
    // only once it runs would end every run.
    needs_plan_ = beyond(latency_.input, order.planned.input) ||
                  beyond(latency_.output, order.planned.output);
  } else if (start_thread()) {
    trouble_.clear();
    return;
  }
  parts_->device->stop();
  started_ = false;
  close();
}

bool MemberRunner::start_thread() {
  parts_->stop_wanted.store(false, std::memory_order_release);
  session_->pump.begin();
  if (threads_ == nullptr) return true;
  auto thread = threads_->start("asiodrv-member", ports::ThreadRole::audio,
                                [parts = parts_, session = session_] {
                                  while (!parts->stop_wanted.load(std::memory_order_acquire)) {
                                    if (session->pump.step() == ports::PeriodStatus::lost) break;
                                  }
                                });
  if (!thread) {
    session_->pump.end();
    trouble_ = thread.error().message;
    return false;
  }
  thread_ = std::move(*thread);
  return true;
}

/// Ends the audio thread, then stops the device. False when the thread has not ended.
bool MemberRunner::halt() {
  parts_->stop_wanted.store(true, std::memory_order_release);
  if (thread_) {
    parts_->device->interrupt();
    if (!thread_->join(clock_.now() + kJoinBound)) {
      trouble_ = device().info().name + " does not let its thread go: it is left alone until then.";
      return false;
    }
    thread_.reset();
  }
  if (session_) session_->pump.end();
  if (std::exchange(started_, false)) parts_->device->stop();
  return true;
}

void MemberRunner::close() {
  if (std::exchange(open_, false)) parts_->device->close();
}

}  // namespace asiodrv::devices
