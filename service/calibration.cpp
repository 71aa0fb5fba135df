#include "service/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace asiodrv::service {
namespace {

constexpr nanoseconds kStalled = std::chrono::seconds{3};

}  // namespace

Calibration::Calibration(ports::Clock& clock, EngineHost& host, CalibrationRequest request)
    : clock_(clock),
      host_(host),
      request_(std::move(request)),
      signal_(request_.format.rate, reported()),
      client_(request_.id, engine::device_port(request_.output),
              engine::device_port(request_.input), request_.format, signal_.samples(),
              signal_.heard_at(LoopbackSignal::kShots - 1)),
      judge_(signal_, request_.output_name, request_.input_name),
      device_(host.info().id),
      looked_(clock.now()),
      heard_more_(looked_) {}

Calibration::~Calibration() { host_.remove(request_.id); }

Result<> Calibration::start() {
  if (auto added = host_.add(client_.setup()); !added) return added;
  return host_.start(request_.id);
}

Result<Calibration::State> Calibration::look() {
  looked_ = clock_.now();
  if (host_.is_lost()) {
    return fail(ErrorCode::device_gone,
                fmt::format("{} went away during the measurement.", host_.info().name));
  }
  const ports::DeviceFormat now = host_.format();
  if (client_.interrupted() || host_.info().id != device_ || now.rate != request_.format.rate ||
      now.period != request_.format.period) {
    return fail(ErrorCode::invalid_state,
                fmt::format("{} was moved or exchanged during the measurement. Try again while "
                            "no program is being opened.",
                            host_.info().name));
  }
  const auto recorded = client_.recorded();
  if (recorded.size() > std::exchange(heard_, recorded.size())) heard_more_ = looked_;
  if (looked_ - heard_more_ > kStalled) {
    return fail(
        ErrorCode::timed_out,
        fmt::format("{} delivers no sound. Look at \"asio-driver status\".", host_.info().name));
  }
  const std::uint32_t shot = judge_.next();
  if (recorded.size() < signal_.heard_at(shot)) return State::running;
  judge_.look(recorded,
              [this](std::size_t begin, std::size_t end) { return client_.lost(begin, end); });
  if (!judge_.done()) return State::running;
  auto verdict = judge_.verdict(recorded);
  if (!verdict) return tl::unexpected<Error>(std::move(verdict.error()));
  result_ = *verdict;
  return State::done;
}

/// Two periods, as every client has who runs as the device does, and what the device adds.
Frames Calibration::reported() const noexcept {
  const ports::DeviceLatency device = host_.latency();
  return Frames{2 * request_.format.period.count + device.input.count + device.output.count};
}

double Calibration::progress() const noexcept {
  const std::uint32_t last = std::max(judge_.next(), LoopbackJudge::kNeeded - 1);
  const auto needed =
      static_cast<double>(signal_.heard_at(std::min(last, LoopbackSignal::kShots - 1)));
  return std::min(1.0, static_cast<double>(client_.recorded().size()) / needed);
}

}  // namespace asiodrv::service
