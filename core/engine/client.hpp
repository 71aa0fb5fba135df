// One client as the engine thread works with it. Private to core/engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "core/engine/engine.hpp"

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

  // --- any thread -------------------------------------------------------------------------------
  const ClientSetup setup;
  std::atomic<bool> removed{false};  ///< no one needs to wait for it any more
  std::atomic<std::uint64_t> cycles{0}, late{0}, away{0}, start_period{0};

  // --- control threads, under Engine::control_ --------------------------------------------------
  bool running = false;

  // --- engine thread only -----------------------------------------------------------------------
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
  std::uint32_t rung = 0;          ///< the count rung last
  std::uint32_t half = 0;          ///< the half rung last
  std::vector<float> last_sample;  ///< per output: what was played last, to fade from
  XrunBurst burst;

  void restart() noexcept;
};

}  // namespace asiodrv::engine
