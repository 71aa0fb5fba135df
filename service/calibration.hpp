// One calibration: a measuring client in the engine, and a judge that looks at what it records.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/base/units.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "service/engine_host.hpp"
#include "service/loopback.hpp"
#include "service/measuring_client.hpp"

namespace asiodrv::service {

struct CalibrationRequest {
  std::uint32_t id = 0;                 ///< of its client in the engine
  std::uint32_t output = 0, input = 0;  ///< channels of the device, from 0
  std::string output_name, input_name;  ///< in sentences
  ports::DeviceFormat format{};         ///< that the device is open at
};

/// Control threads, one call at a time.
class Calibration {
 public:
  /// The host must outlive it.
  Calibration(ports::Clock& clock, EngineHost& host, CalibrationRequest request);
  /// Takes the client out of the engine.
  ~Calibration();
  Calibration(const Calibration&) = delete;
  Calibration& operator=(const Calibration&) = delete;

  /// Once. Errors: those of EngineHost::add and start.
  [[nodiscard]] Result<> start();

  enum class State { running, done };
  /// Looks at what was recorded since the last time: at one shot, so that nobody who waits behind
  /// this call waits for long. Errors: why there will be no result: device_gone, invalid_state (the
  /// device was moved), timed_out (it delivers nothing), those of LoopbackJudge::verdict.
  [[nodiscard]] Result<State> look();
  /// After done.
  [[nodiscard]] const LoopbackResult& result() const noexcept { return result_; }

  /// From 0 to 1, as far as can be told.
  [[nodiscard]] double progress() const noexcept;
  /// Nobody has looked for 10 s.
  [[nodiscard]] bool is_forgotten() const { return clock_.now() - looked_ > kForgotten; }
  /// What the device accounts for by itself, now: two periods and its own latencies.
  [[nodiscard]] Frames reported() const noexcept;
  [[nodiscard]] const CalibrationRequest& request() const noexcept { return request_; }

 private:
  static constexpr nanoseconds kForgotten = std::chrono::seconds{10};

  ports::Clock& clock_;
  EngineHost& host_;
  const CalibrationRequest request_;
  const LoopbackSignal signal_;
  MeasuringClient client_;
  LoopbackJudge judge_;
  LoopbackResult result_;
  const std::string device_;  // DeviceInfo::id
  Instant looked_;
  std::size_t heard_ = 0;  // frames at the last look that found more
  Instant heard_more_;
};

}  // namespace asiodrv::service
