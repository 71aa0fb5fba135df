// An audio interface as the engine sees it. One folder under devices/ implements it per backend.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/planar.hpp"
#include "core/base/result.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::ports {

/// The periods that a device offers at one rate: least, least + step, ... most.
struct PeriodRange {
  Frames least{}, most{};
  Frames step{};      ///< 0: the powers of two from least to most
  Frames standard{};  ///< what it runs at by itself
  friend bool operator==(const PeriodRange&, const PeriodRange&) = default;
};

/// What a device offers, known without opening it.
struct DeviceInfo {
  std::string id;       ///< stable across restarts, UTF-8
  std::string name;     ///< for people, UTF-8
  bool present = true;  ///< false: it is not there now, and the rest is a guess
  std::uint32_t input_channels = 0;
  std::uint32_t output_channels = 0;
  std::vector<SampleRate> rates;  ///< ascending
  SampleRate default_rate{};
  Frames min_period{}, max_period{}, default_period{};  ///< powers of two in between all work,
                                                        ///< unless `periods` says otherwise
  std::vector<PeriodRange> periods;  ///< one per rate, for a device that is choosy; or empty
  std::vector<std::string> input_names, output_names;  ///< one per channel
  /// What may pace it, the clock of its own first; empty: that one only.
  std::vector<std::string> clock_sources;
  friend bool operator==(const DeviceInfo&, const DeviceInfo&) = default;
};

/// What paces a device now.
struct ClockState {
  std::uint32_t source = 0;  ///< index into DeviceInfo::clock_sources; 0 is the device's own
  SampleRate rate{};         ///< that another source dictates; 0: nothing arrives from it
};

struct DeviceFormat {
  SampleRate rate{};
  Frames period{};
};

/// What is true of an open device at its current format, in frames, beyond the double buffer.
struct DeviceLatency {
  Frames input{};   ///< age of the newest captured frame when its period arrives
  Frames output{};  ///< from the end of the period in which a frame is written to the converter
};

/// One of several devices that make one, for people and scripts.
struct DevicePart {
  std::string name;
  std::string state;    ///< one word: "tracking", "lost", ...
  std::string trouble;  ///< why it does not play, a sentence; or empty
  DeviceFormat format{};
  double offset_ppm = 0;  ///< of its clock, relative to the one that paces all
  std::uint64_t xruns = 0, skips = 0, lost_periods = 0, late_commits = 0, returns = 0;
};

/// What happened to a part, and why: words as reports show them.
struct DevicePartEvent {
  std::string part, what, cause;
  std::uint64_t period = 0;  ///< of the device as a whole
  std::uint64_t xruns = 0, skips = 0, lost_periods = 0, late_commits = 0;
};

/// One period, as it arrives.
struct DevicePeriod {
  std::uint64_t index = 0;  ///< counts every period of the hardware since start, lost ones too
  Instant boundary{};       ///< when the period began (filtered), never when we noticed
  Instant next_boundary{};  ///< by then the render block must have been committed
  std::uint32_t lost = 0;   ///< hardware periods between the previous one and this
  bool gap = false;         ///< the device itself dropped data (not: we came late)
  PlanarView<const float> capture{};  ///< the newest block, valid until the next wait_period
  PlanarView<float> render{};         ///< to be filled completely, valid until commit
};

enum class PeriodStatus {
  ready,        ///< a period has arrived
  interrupted,  ///< interrupt() was called
  lost          ///< the device is gone or refuses to go on; stop and close it
};

/// Life: open, start, (wait_period, commit)*, stop, close; any part repeatable.
/// open, start, stop, close: control threads, may block (at most 2 s) and allocate.
class Device {
 public:
  virtual ~Device() = default;

  /// Changes within open() and refresh() only.
  [[nodiscard]] virtual const DeviceInfo& info() const noexcept = 0;

  /// Looks again at what the device is, for one that may be exchanged or set up anew outside; what
  /// is known stays known when it is not there. Control threads, while closed. Opens nothing.
  virtual void refresh() {}

  /// Errors: format_refused (names what is accepted; info() is then as of now), device_gone,
  /// device_busy, access_denied, invalid_state. Never falls back to another format.
  [[nodiscard]] virtual Result<> open(const DeviceFormat& format) = 0;
  [[nodiscard]] virtual DeviceLatency latency() const noexcept = 0;
  /// How an open device runs, where it can run in several ways that differ in latency: a short
  /// word, or one for each of several devices. Control threads.
  [[nodiscard]] virtual std::string mode() const { return {}; }
  [[nodiscard]] virtual Result<> start() = 0;
  virtual void stop() noexcept = 0;
  virtual void close() noexcept = 0;

  /// Sentences for people about the open device: how it runs, why not better, what is missing.
  /// Control threads.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
  /// The parts that the device is made of; none for most. Control threads.
  [[nodiscard]] virtual std::vector<DevicePart> parts() const { return {}; }
  /// What happened to them since the last call, oldest first. One control thread at a time.
  [[nodiscard]] virtual std::vector<DevicePartEvent> take_part_events() { return {}; }
  /// Why the last stream ended by itself, a sentence; empty when it did not, or nobody knows.
  /// Control threads, after wait_period has returned `lost`.
  [[nodiscard]] virtual std::string loss() const { return {}; }

  /// Control threads, open or not. While another source than 0 dictates a rate, open() takes no
  /// other; when that rate changes a running stream goes on at the new pace until it is opened
  /// anew, and while nothing arrives the device keeps the last pace by itself.
  [[nodiscard]] virtual ClockState clock_state() const noexcept { return {}; }
  /// Control threads, open or not. Errors: invalid_argument, invalid_state (nothing arrives there).
  [[nodiscard]] virtual Result<> select_clock(std::uint32_t source) {
    if (source == 0) return {};
    return fail(ErrorCode::invalid_argument, info().name + " has one clock source, number 0.");
  }
  /// What arrives at the external clock input of a device that exists only as arithmetic; rate 0 is
  /// a pulled cable. Any thread. Errors: unsupported, format_refused.
  [[nodiscard]] virtual Result<> feed_external_clock(SampleRate) {
    return fail(ErrorCode::unsupported, info().name + " has no external clock input to feed.");
  }

  /// Waits for the next period. Engine thread only, between start and stop. Bounded: returns
  /// `lost` when nothing arrived for 500 ms. RT but for that wait, which holds its own RtPermit.
  virtual PeriodStatus wait_period(DevicePeriod& period) RT_SAFE = 0;

  /// Hands the filled render block to the hardware. Engine thread only, once per period. Returns
  /// false when the hardware had already moved on: the block was not played. RT: wait-free.
  virtual bool commit() RT_SAFE = 0;

  /// Makes wait_period return `interrupted`. Any thread.
  virtual void interrupt() RT_SAFE = 0;
};

}  // namespace asiodrv::ports
