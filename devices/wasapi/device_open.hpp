// From a plan to streams. Windows may take very long over it, or over taking it down again (a
// driver that hangs while its cable is being pulled), so both happen on a thread of their own,
// which is left alone with everything it holds when it does not come back (System::run_aside).
#pragma once

#include <memory>

#include "devices/wasapi/device_plan.hpp"
#include "devices/wasapi/endpoint_watcher.hpp"
#include "devices/wasapi/wasapi_run.hpp"

namespace asiodrv::devices::wasapi {

/// Everything that an open device holds of the system; ends from the last to the first.
struct OpenParts {
  explicit OpenParts(System& system) : events(system) {}
  /// All but the events, which outlive the thread that does this.
  void release() noexcept {
    watcher.reset();
    run.reset();
    enumerator.reset();
  }
  ComPtr<MmDeviceEnumerator> enumerator;
  RunEvents events;
  std::unique_ptr<WasapiRun> run;
  ports::DeviceLatency nominal{};  ///< of the run
  std::unique_ptr<EndpointWatcher> watcher;
};

/// Refreshes the plan, and nothing else; may be left alone like an Opening.
struct Looking {
  DevicePlan plan;
  Result<> result{};

  void run(System& system);
};

/// Refreshes the plan and opens its streams; may be left alone at any point, so it owns what it
/// works on.
struct Opening {
  DevicePlan plan;
  ports::DeviceFormat format;
  std::uint32_t target_periods =
      1;  ///< that an earlier run at this format has learned; see RunSetup
  Result<> result{};
  std::shared_ptr<OpenParts> parts{};  ///< when the result is good

  /// Blocks for 1.5 s, plus what calls of the system take.
  void run(System& system, ports::Clock& clock);

 private:
  [[nodiscard]] Result<> open(System& system, ports::Clock& clock);
  /// Whether there were any.
  [[nodiscard]] bool forget_held_periods();
  [[nodiscard]] Result<> judge_default(System& system, const DeviceSide& side) const;
  [[nodiscard]] Result<OpenStream> open_side(System& system, ports::Clock& clock, DeviceSide& side,
                                             Instant deadline, EventHandle event);
  [[nodiscard]] Result<> open_render(System& system, ports::Clock& clock, Instant deadline,
                                     RunSetup& setup);
  [[nodiscard]] Result<> open_capture(System& system, ports::Clock& clock, Instant deadline,
                                      RunSetup& setup);
  void note_stream(const DeviceSide& side, const OpenStream& stream);

  std::shared_ptr<OpenParts> unfinished_{};
  bool has_learned_ = false;  // the plan is not what was offered any more
};

}  // namespace asiodrv::devices::wasapi
