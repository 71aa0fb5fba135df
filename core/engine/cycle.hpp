// One pass of the engine thread through a period. Private to core/engine.
//
//   1 a period arrives               wait_period
//   2 inputs go out, clients ring    ring_clients    (cycle.cpp; adapted clients:
//   cycle_adapted.cpp) 3 acknowledgements come in       await_clients   (until the deadline) 4
//   outputs are mixed, clipped     mix             (cycle_mix.cpp) 5 the block is committed finish
//   (and the flight record written)
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/engine/client.hpp"
#include "core/engine/engine.hpp"
#include "core/engine/scratch.hpp"
#include "core/engine/wiring.hpp"

namespace asiodrv::engine {

inline std::uint32_t saturate_ns(nanoseconds duration) noexcept {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(duration.count(), 0, std::numeric_limits<std::uint32_t>::max()));
}

constexpr std::uint32_t bit(XrunCause cause) noexcept { return static_cast<std::uint32_t>(cause); }

inline nanoseconds part(nanoseconds whole, double fraction) noexcept {
  return nanoseconds{static_cast<std::int64_t>(static_cast<double>(whole.count()) * fraction)};
}

/// Counts one up. Only the engine thread writes these counters, so no locked instruction is needed.
inline void bump(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// Lives on the engine thread's stack.
class Engine::Cycle {
 public:
  Cycle(Engine& engine, const Plan& plan, ports::DevicePeriod& period) noexcept
      : engine_(engine),
        plan_(plan),
        period_(period),
        scratch_(*engine.scratch_),
        length_(period.next_boundary - period.boundary),
        woken_(engine.clock_.now()),
        metering_(period.boundary.ns < engine.metering_until_ns_.load(std::memory_order_relaxed)) {}

  void serve() noexcept;

 private:
  using Member = Plan::Member;

  // cycle.cpp
  void note_lost_periods() noexcept;
  void ring_clients() noexcept;
  void begin_client(const Member& member) noexcept;
  void ring(Client& client, bool resync) noexcept;
  void await_clients() noexcept;
  /// Waits until the client acknowledges or `limit` passes; true when it has.
  bool await(Client& client, Instant limit) noexcept;
  void accept(Client& client) noexcept;
  ClientReply note_reply(Client& client) noexcept;
  void publish(Client& client, const ClientStamp& stamp) noexcept;
  void blame(Client& client, XrunCause cause, nanoseconds late) noexcept;
  void finish() noexcept;

  // cycle_adapted.cpp
  void begin_adapted(const Member& member) noexcept;
  void feed_adapter(const Member& member) noexcept;
  void ring_adapted(Client& client) noexcept;
  void await_small_buffers() noexcept;
  void serve_small(Client& client) noexcept;
  void await_adapted(Client& client) noexcept;
  void accept_adapted(Client& client) noexcept;
  void hand_in(Client& client, std::uint32_t half) noexcept;
  void mix_adapted(const Member& member) noexcept;

  // cycle_mix.cpp
  void copy_inputs(const Member& member) noexcept;
  void mix() noexcept;
  void mix_client(const Member& member) noexcept;
  void mix_sinks() noexcept;
  void add_output(const Member& member, std::uint32_t half) noexcept;
  void sound_again(Client& client) noexcept;
  void fade_away(const Member& member) noexcept;
  [[nodiscard]] std::uint32_t direct_output(const Member& member,
                                            std::size_t channel) const noexcept;
  [[nodiscard]] const float* source(const Strand& strand) const noexcept;
  [[nodiscard]] const float* only_source(const Sink& sink) const noexcept;
  std::uint32_t gather(const Sink& sink, float* target) noexcept;

  [[nodiscard]] Frames frames() const noexcept { return period_.render.frames; }
  [[nodiscard]] Instant deadline() const noexcept;

  Engine& engine_;
  const Plan& plan_;
  ports::DevicePeriod& period_;
  Scratch& scratch_;
  const nanoseconds length_;
  const Instant woken_;
  const bool metering_;     ///< somebody looks at the levels
  Instant rung_{};          ///< when the first wait began; zero while nobody was waited for
  Instant acknowledged_{};  ///< when the last wait ended
  FlightRecord record_{};
};

}  // namespace asiodrv::engine
