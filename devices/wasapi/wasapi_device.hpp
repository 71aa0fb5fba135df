// Windows' own sound devices as one of ours: a render endpoint, a capture endpoint, or both.
//
// Which mode the streams run in is decided at open (stream_open.hpp); periods are made by
// WasapiRun. A lost device is opened again by open(): endpoints are found by id, else by box or
// name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "devices/wasapi/device_open.hpp"
#include "devices/wasapi/device_plan.hpp"
#include "devices/wasapi/system.hpp"

namespace asiodrv::devices::wasapi {

class WasapiDevice final : public ports::Device {
 public:
  /// Use make_wasapi_device.
  WasapiDevice(System& system, ports::Clock& clock, const WasapiOptions& options);
  ~WasapiDevice() override;

  /// Chooses the endpoints and asks what they offer; for 1.9 s at most. Errors: as
  /// make_wasapi_device.
  [[nodiscard]] Result<> prepare();

  /// Describes the endpoints as of the last prepare or open; changes only within open, when an
  /// endpoint was exchanged or its format changed.
  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return plan_.info; }
  void refresh() override;
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override;
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override;
  /// "shared", "low-latency" or "exclusive"; of two endpoints both, joined by "+".
  [[nodiscard]] std::string mode() const override { return plan_.mode; }
  [[nodiscard]] Result<> start() override;
  void stop() noexcept override;
  void close() noexcept override;
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override;
  bool commit() RT_SAFE override;
  void interrupt() RT_SAFE override;

  // --- control threads ---------------------------------------------------------------------------

  /// Sentences about the open device: the mode of each side, why no better one, what is missing
  /// (an input that Windows' privacy settings deny) and what was found again.
  [[nodiscard]] std::vector<std::string> notes() const override { return plan_.notes; }
  /// Of the open device, or of the last one that was.
  [[nodiscard]] RunFigures figures() const noexcept;
  /// Why the last run ended, for people; empty when it did not.
  [[nodiscard]] std::string loss() const override;

 private:
  System& system_;
  ports::Clock& clock_;
  DevicePlan plan_;
  std::shared_ptr<OpenParts> parts_;  // while open
  std::weak_ptr<void> hanging_;       // what was looking, opening or starting and never came back
  bool running_ = false;
  ports::DeviceLatency nominal_{};
  RunFigures last_;                   // of the run that was closed last
  ports::DeviceFormat learned_at_{};  // the format that last_ belongs to
};

/// Errors: not_found, invalid_argument (with the names that are accepted), device_gone,
/// unsupported, format_refused (the two endpoints have no rate in common). Both outlive the device.
[[nodiscard]] Result<std::unique_ptr<WasapiDevice>> make_wasapi_device(
    System& system, ports::Clock& clock, const WasapiOptions& options);

}  // namespace asiodrv::devices::wasapi
