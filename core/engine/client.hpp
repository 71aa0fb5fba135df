// One client as the engine thread works with it. Private to core/engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "core/engine/adapter.hpp"
#include "core/engine/engine.hpp"
#include "core/engine/meter.hpp"

namespace asiodrv::engine {

/// Damage of one kind that may last: written at once for the first periods, then in batches, so
/// that a client which never comes back cannot push everyone else's history out of the ring.
class XrunBurst {
 public:
  /// Engine thread. RT: wait-free.
  void add(FlightRecorder& recorder, std::uint64_t period, XrunCause cause, std::uint32_t client,
           std::uint32_t late_ns) RT_SAFE;
  /// The client is back: what was gathered is written.
  void end(FlightRecorder& recorder) RT_SAFE;

 private:
  static constexpr std::uint32_t kImmediate = 8;
  static constexpr std::uint32_t kBatch = 64;

  std::uint32_t length_ = 0;  ///< periods since the burst began
  XrunEvent pending_{};       ///< pending_.periods == 0: nothing gathered
};

struct Engine::Client {
  explicit Client(const ClientSetup& from);

  // --- any thread --------------------------------------------------------------------------------
  const ClientSetup setup;
  std::atomic<bool> removed{false};  ///< no one needs to wait for it any more
  std::atomic<std::uint64_t> cycles{0}, late{0}, away{0}, start_period{0};

  // --- control threads, under Engine::control_ ---------------------------------------------------
  bool running = false;

  // --- engine thread only ------------------------------------------------------------------------
  /// Where the client stands between its start and its stop.
  enum class Phase : std::uint8_t {
    starting,   ///< its pre-filled half is played, nothing is rung yet
    following,  ///< rung once a period
    resyncing   ///< rung without audio until it says that it follows again
  };
  Phase phase = Phase::starting;
  bool outstanding = false;  ///< rung and not yet acknowledged
  bool rung_now = false;     ///< rung in the present cycle
  bool silenced = false;     ///< its sound was taken away; it comes back through a ramp
  bool answered = false;     ///< acknowledged in the present cycle: its output counts
  bool first_ring = true;
  bool prefilled = true;           ///< half 1 holds what the host filled in for its start
  std::uint32_t rung = 0;          ///< the count rung last
  std::uint32_t half = 0;          ///< the half rung last
  std::vector<float> last_sample;  ///< per output: what was played last, to fade from
  /// What it gave in the present period, but for outputs that were converted where they are played.
  bool sounding = false;
  XrunBurst burst;

  /// Memory for one period of each channel, and the adapter where one is needed. Control thread,
  /// while not in a plan. Errors: those of Adapter::make; invalid_argument (a deferred client with
  /// buffers shorter than a period); the client cannot run then.
  [[nodiscard]] Result<> prepare(const ports::DeviceFormat& format);
  [[nodiscard]] bool is_prepared() const noexcept { return prepared_; }
  /// Begins anew. `with_prefilled`: half 1 holds what the host has filled in for its start; after a
  /// restart of the device it holds what was played long ago.
  void restart(bool with_prefilled) noexcept;
  [[nodiscard]] ClientLatency latency(Frames device_period) const noexcept;

  /// One period of an output, in the engine's samples.
  [[nodiscard]] float* block(std::size_t output) const noexcept {
    return blocks_.get() + output * stride_;
  }
  /// Null when the client runs at the device's own rate and period.
  std::unique_ptr<Adapter> adapter;
  /// With an adapter: where its inputs are gathered, and what it reads and writes per channel.
  [[nodiscard]] float* feed(std::size_t input) const noexcept {
    return blocks_.get() + (setup.outputs.size() + input) * stride_;
  }
  /// More than one of its blocks may be due in one period.
  [[nodiscard]] bool has_small_buffers() const noexcept { return small_buffers_; }
  /// After lost periods: for so many more, what is missing was lost with them.
  std::uint32_t catching_up = 0;
  std::uint32_t answers = 0;  ///< in the present cycle, while it is waited for
  std::vector<const float*> fed;
  std::vector<float*> taken;

  MeterBank input_meters, output_meters;

 private:
  std::unique_ptr<float[]> blocks_;
  std::size_t stride_ = 0;
  bool prepared_ = false;
  bool small_buffers_ = false;
};

}  // namespace asiodrv::engine
