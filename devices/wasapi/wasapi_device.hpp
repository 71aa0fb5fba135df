// Windows' own sound devices as one of ours: a render endpoint, a capture endpoint, or both.
//
// Which mode the streams run in is decided at open (stream_open.hpp); periods are made by
// WasapiRun. A lost device is opened again by open(): endpoints are found by id, else by box or
// name.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "devices/wasapi/endpoints.hpp"
#include "devices/wasapi/offer.hpp"
#include "devices/wasapi/system.hpp"
#include "devices/wasapi/wasapi_run.hpp"

namespace asiodrv::devices::wasapi {

struct WasapiOptions {
  /// "default", an id, a name or a description (see choose_endpoint); empty: none.
  std::string render = "default";
  std::string capture = "default";
  ModeChoice mode = ModeChoice::automatic;
  /// Lets "automatic" take the device from all other programs.
  bool prefer_exclusive = false;
};

class WasapiDevice final : public ports::Device {
 public:
  /// Use make_wasapi_device.
  WasapiDevice(System& system, ports::Clock& clock, WasapiOptions options);
  ~WasapiDevice() override;

  /// Chooses the endpoints and asks what they offer. Errors: as make_wasapi_device.
  [[nodiscard]] Result<> prepare();

  /// Describes the endpoints as of the last prepare or open; changes only within open, when an
  /// endpoint was exchanged or its format changed.
  [[nodiscard]] const ports::DeviceInfo& info() const noexcept override { return info_; }
  void refresh() override;
  [[nodiscard]] Result<> open(const ports::DeviceFormat& format) override;
  [[nodiscard]] ports::DeviceLatency latency() const noexcept override;
  /// "shared", "low-latency" or "exclusive"; of two endpoints both, joined by "+".
  [[nodiscard]] std::string mode() const override { return mode_; }
  [[nodiscard]] Result<> start() override;
  void stop() noexcept override;
  void close() noexcept override;
  ports::PeriodStatus wait_period(ports::DevicePeriod& period) RT_SAFE override;
  bool commit() RT_SAFE override;
  void interrupt() RT_SAFE override;

  // --- control threads ---------------------------------------------------------------------------

  /// Sentences about the open device: the mode of each side, why no better one, what is missing
  /// (an input that Windows' privacy settings deny) and what was found again.
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }
  /// Of the open device, or of the last one that was.
  [[nodiscard]] RunFigures figures() const noexcept;
  /// Why the last run ended, for people; empty when it did not.
  [[nodiscard]] std::string loss() const override;

 private:
  struct Side {  // one endpoint
    Flow flow = Flow::render;
    std::string choice;     // of the options
    EndpointInfo endpoint;  // chosen; empty id: not yet
    Offer offer;
    [[nodiscard]] bool used() const noexcept { return !choice.empty(); }
    [[nodiscard]] bool follows_default() const noexcept { return choice == "default"; }
  };

  [[nodiscard]] Result<> choose(const std::vector<EndpointInfo>& endpoints, Side& side);
  [[nodiscard]] Result<> ask(MmDeviceEnumerator& enumerator, Side& side);
  [[nodiscard]] Result<ComPtr<MmDevice>> find(MmDeviceEnumerator& enumerator, const Side& side);
  void describe_device(const std::vector<RateOffer>& rates);
  [[nodiscard]] Result<> check(const ports::DeviceFormat& format) const;
  [[nodiscard]] Result<OpenStream> open_side(MmDeviceEnumerator& enumerator, const Side& side,
                                             const ports::DeviceFormat& format, EventHandle event);
  [[nodiscard]] Result<> open_streams(MmDeviceEnumerator& enumerator,
                                      const ports::DeviceFormat& format);
  void note_stream(const Side& side, const OpenStream& stream);

  System& system_;
  ports::Clock& clock_;
  const WasapiOptions options_;
  Side render_, capture_;
  ports::DeviceInfo info_;
  std::string mode_;  // of the open device, or of the last one that was
  std::vector<std::string> notes_;
  ComPtr<MmDeviceEnumerator> enumerator_;  // while open
  std::unique_ptr<RunEvents> events_;      // while open; outlives the rest
  std::unique_ptr<EndpointWatcher> watcher_;
  std::unique_ptr<WasapiRun> run_;
  bool running_ = false;
  ports::DeviceLatency nominal_{};
  RunFigures last_;                   // of the run that was closed last
  ports::DeviceFormat learned_at_{};  // the format that last_ belongs to
};

/// Errors: not_found, invalid_argument (with the names that are accepted), device_gone,
/// unsupported, format_refused (the two endpoints have no rate in common). Both outlive the device.
[[nodiscard]] Result<std::unique_ptr<WasapiDevice>> make_wasapi_device(System& system,
                                                                       ports::Clock& clock,
                                                                       WasapiOptions options);

}  // namespace asiodrv::devices::wasapi
