// The streams of an open device, and the engine's periods made of them.
//
// Who sets the pace: the render stream, or the capture stream when it is alone. A period of the
// engine begins when the pace-maker's side has room for (or holds) one period more.
//
//   shared render     The mixer takes one period per tick. After each commit `target` frames wait
//                     to be played; a tick leaves target - P, and then P more are asked for. The
//                     target is one period to begin with, the least there is (two at the mixer's
//                     usual period), and grows by one for each time that the mixer found nothing
//                     (up to three, or the buffer). Silence takes the place of what was missing.
//   exclusive render  Two halves of one period: one plays, one is written, once per event.
//   capture           Packets go to a CaptureQueue whenever they come; each period takes one
//                     period's worth. See there how its level is kept low.
//
// The two ends of a device with one clock keep their distance. With two clocks the capture queue
// slowly fills or empties and a period is dropped or put in now and then, which is reported as a
// gap: better than nothing, and no substitute for two devices with a resampler between.
//
// Missed ticks are told by the clock, never by counting events (which come doubled or not at all):
// a tick that passed by the filtered time while nothing was left to play found nothing.
//
// Threads: start and stop by control threads; wait and commit by the engine thread; interrupt and
// the figures by any.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "core/audio/clock/clock_filter.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "devices/wasapi/capture_stream.hpp"
#include "devices/wasapi/endpoint_watcher.hpp"
#include "devices/wasapi/latency_meter.hpp"
#include "devices/wasapi/render_stream.hpp"

namespace asiodrv::devices::wasapi {

/// Events of a run; they outlive its streams.
struct RunEvents {
  explicit RunEvents(System& system) : interrupt(system), render(system), capture(system) {}
  [[nodiscard]] bool complete() const noexcept {
    return interrupt.get() != nullptr && render.get() != nullptr && capture.get() != nullptr;
  }
  Event interrupt, render, capture;
};

struct RunSetup {
  ports::DeviceFormat format;
  std::uint32_t inputs = 0;                ///< channels of the capture views, stream or not
  std::unique_ptr<RenderStream> render;    ///< or null
  std::unique_ptr<CaptureStream> capture;  ///< or null
  bool awaits_input = false;               ///< there is none to open now, and one may come
  std::uint32_t target_periods = 1;        ///< what an earlier run has learned
};

/// Figures of a run, any thread.
struct RunFigures {
  std::uint32_t target_periods = 1;  ///< of the render side
  std::uint64_t underruns = 0;       ///< periods in which the mixer found nothing
  std::uint64_t dropped_frames = 0;  ///< of the capture side
  std::uint64_t inserted_frames = 0;
  std::int64_t input_latency_frames = -1;   ///< measured; negative: not yet
  std::int64_t output_latency_frames = -1;  ///< the same
  Hr loss = kOk;                            ///< why the run ended, if it did
  bool silent = false;                      ///< it ended because no event came any more
  bool moved = false;                       ///< it ended because the default is another device
  bool irregular = false;                   ///< it ended because most events were missing
  bool arrived = false;                     ///< it ended because a missing input may be back
};

class WasapiRun {
 public:
  WasapiRun(System& system, ports::Clock& clock, RunEvents& events, RunSetup setup);

  /// Capture first, then render. The error is that of the stream that did not start.
  [[nodiscard]] Hr start();
  void stop() noexcept;

  /// As ports::Device. `watcher` may be null; a default that moved ends the run, and so does a
  /// device that came while the input is missing.
  ports::PeriodStatus wait(ports::DevicePeriod& period, const EndpointWatcher* watcher) RT_SAFE;
  bool commit() RT_SAFE;
  void interrupt() RT_SAFE;

  [[nodiscard]] RunFigures figures() const RT_SAFE;
  [[nodiscard]] ports::DeviceLatency nominal_latency() const;
  [[nodiscard]] const RenderStream* render() const noexcept { return render_.get(); }
  [[nodiscard]] const CaptureStream* capture() const noexcept { return capture_.get(); }

 private:
  ports::PeriodStatus lose(Hr code, bool silent) RT_SAFE;
  [[nodiscard]] bool news(const EndpointWatcher* watcher, Instant now) RT_SAFE;
  bool look(Instant now) RT_SAFE;
  bool look_at_capture(Instant now) RT_SAFE;
  bool look_at_render(Instant now) RT_SAFE;
  void sleep(Instant deadline) RT_SAFE;
  [[nodiscard]] bool has_signalled(EventHandle event) RT_SAFE;
  void on_ticks(Instant now, std::uint32_t fresh, std::uint32_t starved) RT_SAFE;
  [[nodiscard]] bool too_irregular(Instant now, std::uint32_t came, std::uint32_t missing) RT_SAFE;
  [[nodiscard]] std::uint32_t ticks_since_boundary(Instant now) const RT_SAFE;
  Hr refill(std::uint32_t starved) RT_SAFE;
  void deliver(ports::DevicePeriod& period, Instant now) RT_SAFE;
  [[nodiscard]] bool looks_at_latency() const RT_SAFE;
  void measure_input() RT_SAFE;
  void measure_output(Instant now) RT_SAFE;

  System& system_;
  ports::Clock& clock_;
  RunEvents& events_;
  const ports::DeviceFormat format_;
  const std::uint32_t period_;
  const bool awaits_input_;
  const nanoseconds patience_;
  std::unique_ptr<RenderStream> render_;
  std::unique_ptr<CaptureStream> capture_;
  std::unique_ptr<CaptureQueue> queue_;
  std::uint32_t least_target_ = 1, most_target_ = 1;  // periods
  std::vector<float> samples_;
  std::vector<float*> render_blocks_, capture_blocks_;
  audio::ClockFilter filter_;

  // Engine thread, between start and stop.
  bool running_ = false;
  bool committed_ = true;
  bool render_event_ = false, capture_event_ = false;  // seen and not served; exclusive
  std::uint64_t chunks_ = 0;                           // periods that the mixer has taken
  std::uint32_t due_ = 0;      // periods that have begun and were not delivered
  std::uint32_t waiting_ = 0;  // frames that wait to be played, as of the newest boundary
  std::uint64_t next_index_ = 0;
  std::uint32_t missed_ = 0;     // periods, to be reported with the next
  std::uint32_t unstamped_ = 0;  // missed periods that the filter has not been told of
  bool discontinuity_ = false;
  Instant entered_{};  // the present wait
  std::uint32_t window_events_ = 0, window_missing_ = 0, bad_windows_ = 0;
  Instant news_since_{};             // 0: there are none
  std::uint32_t arrivals_ = 0;       // that were known when the news began
  Instant newest_capture_{};         // when packets last came; 0: nobody has looked yet
  Instant newest_frame_{};           // when the newest frame passed the input
  Instant boundary_{};               // of the delivered period, not limited by anything
  Instant boundary_after_{};         // of the period after it
  Instant next_boundary_{};          // by when it should be committed
  std::uint32_t buffer_errors_ = 0;  // in a row
  Hr refusal_ = kOk;                 // the last of them

  std::atomic<bool> interrupted_{false};
  std::atomic<std::uint32_t> target_{1};  // periods
  std::atomic<std::uint64_t> underruns_{0}, dropped_{0}, inserted_{0};
  LatencyMeter input_latency_, output_latency_;
  std::atomic<Hr> loss_{kOk};
  std::atomic<bool> silent_{false}, moved_{false}, irregular_{false}, arrived_{false};
};

}  // namespace asiodrv::devices::wasapi
