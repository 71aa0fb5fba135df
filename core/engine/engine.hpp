// The real-time graph: one device, any number of clients, one synchronous cycle per period.
//
// Control threads describe what should run; the engine turns each change into a new immutable
// plan and swaps a pointer. The engine thread works on one plan for a whole cycle and never
// allocates, locks or waits for a control thread. A change has taken effect, and what it removed
// is no longer touched, when the control call returns.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/sample_type.hpp"
#include "core/base/units.hpp"
#include "core/engine/flight_recorder.hpp"
#include "core/engine/graph.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "core/ports/doorbell.hpp"
#include "core/ports/mutex.hpp"

namespace asiodrv::engine {

/// What the engine tells a client about a cycle.
struct ClientStamp {
  std::uint64_t sample_position;  ///< frames since the client's start; lost periods count
  Instant boundary;
  nanoseconds period;
  nanoseconds gap;  ///< to the next ring, at most, where that is not the period: bursts
  double rate_hz;
  std::uint32_t half;
  bool resync;         ///< no audio in this cycle: the client is finding its way back
  bool discontinuity;  ///< frames were lost before this cycle
};

/// What a client says back. Already judged: every value is in range.
struct ClientReply {
  std::uint32_t next_half;  ///< 0 or 1
  bool free_running;        ///< the client owns both halves
  Instant entered{};        ///< when its last callback began, as it says; any value is harmless
};

/// The mailbox of one client, over shared memory in production. RT: wait-free.
class ClientMailbox {
 public:
  virtual ~ClientMailbox() = default;
  virtual void publish(const ClientStamp& stamp) RT_SAFE = 0;
  [[nodiscard]] virtual ClientReply reply() const RT_SAFE = 0;
};

/// A client as it joins. Pointers stay valid until remove_client has returned.
struct ClientSetup {
  std::uint32_t id = 0;  ///< unique, never kNoClient, never reused within a service's life
  SampleType type = SampleType::float32;
  bool deferred = false;  ///< take its output one period later (see wire::SessionGrant)
  Frames frames{};        ///< of its buffers; 0 follows the device's period
  SampleRate rate{};      ///< its own; 0 follows the device's rate
  /// Per channel, what it is connected straight to: a device's or a cable's channel.
  std::vector<Port> inputs, outputs;
  std::vector<std::array<std::byte*, 2>> input_halves, output_halves;  ///< [channel][half]
  ports::Doorbell* wake = nullptr;                                     ///< the engine rings
  ports::Doorbell* ack = nullptr;                                      ///< the engine waits
  ClientMailbox* mailbox = nullptr;
};

/// How old sound is, in the client's frames, its double buffer included, the device's own latency
/// not.
struct ClientLatency {
  Frames input{};   ///< the first frame of an input half when it is handed over
  Frames output{};  ///< from there to the first frame of the output half
};

/// Counters of one client, readable from any thread.
struct ClientCounters {
  std::uint64_t cycles = 0;        ///< rung and acknowledged in time
  std::uint64_t late = 0;          ///< rung, not acknowledged by the deadline
  std::uint64_t away = 0;          ///< not rung, because still busy
  std::uint64_t start_period = 0;  ///< device period of sample position 0
  bool running = false;
  bool rests = false;  ///< its buffers do not fit the device as it is now: it does not sound
};

struct EngineOptions {
  /// Part of the period after which a client that has not acknowledged is late.
  double deadline_fraction = 0.8;
  /// How long the engine spins for an acknowledgement before it sleeps.
  nanoseconds spin{0};
};

class Engine {
 public:
  Engine(ports::Clock& clock, const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- control threads (serialised inside; each call blocks for two periods at most) -------------

  /// Gives the engine an open device at `format`, or none. Only while no thread is inside run().
  /// Running clients start over; those with channels that the device lacks rest until it has them.
  void set_device(ports::Device* device, const ports::DeviceFormat& format);

  /// A client whose frames or rate are not the device's gets an adapter between its buffers and the
  /// graph, and stays as it is when the device moves. Errors: invalid_argument (id in use, a
  /// channel outside the device and the cables), limit_reached (kMaxClients), those of
  /// Adapter::make.
  [[nodiscard]] Result<> add_client(const ClientSetup& setup);
  /// From the next period on the client takes part. Its output half 1 is played in that period, if
  /// it is `prefilled`; its first ring comes in the one after it, with half 0 and position 0.
  /// Errors: not_found; invalid_state (it runs); format_refused (it rests, see ClientCounters).
  [[nodiscard]] Result<> start_client(std::uint32_t id, bool prefilled = true);
  /// After return the client is not rung. Idempotent.
  void stop_client(std::uint32_t id);
  /// After return nothing of the client's setup is touched. Idempotent. Also what to call when a
  /// client has died: a cycle that waits for it stops waiting.
  void remove_client(std::uint32_t id);

  /// Replaces all cables and routes. What is heard before and after goes on without a click; a
  /// cable that stays keeps its sound. Errors: invalid_argument (an end or gain outside its limits,
  /// two routes between the same ends, a loop of cables), limit_reached. The old graph stays then,
  /// and where there is no memory for a plan.
  [[nodiscard]] Result<> set_graph(const GraphSpec& graph);

  /// The levels of all channels now. The engine measures them only for 2 s after each call: the
  /// first call after a pause gives zeros.
  [[nodiscard]] Levels levels();

  [[nodiscard]] ClientLatency latency(std::uint32_t id) const;
  [[nodiscard]] ClientCounters counters(std::uint32_t id) const;
  [[nodiscard]] const FlightRecorder& flight() const noexcept { return flight_; }
  /// Those that take part now; none without a device.
  [[nodiscard]] std::uint32_t running_clients() const noexcept;
  /// Those that were started and not stopped, with a device or without.
  [[nodiscard]] std::uint32_t started_clients() const noexcept;

  /// Makes run() return after the current cycle. Any thread.
  void request_stop() noexcept;

  // --- engine thread -----------------------------------------------------------------------------

  /// Runs cycles on a started device until request_stop or until the device is lost; true when it
  /// was asked to stop.
  bool run();

  /// One cycle: waits for a period, serves every client, commits. What run() repeats; public so
  /// that tests drive it step by step in virtual time.
  ports::PeriodStatus run_cycle() RT_SAFE;

  static constexpr std::uint32_t kMaxClients = 64;

  // Known inside core/engine only.
  struct Client;
  struct Plan;
  struct Scratch;
  class Cycle;
  class Wiring;

 private:
  [[nodiscard]] Client* find(std::uint32_t id) const noexcept;
  [[nodiscard]] bool fits(const ClientSetup& setup) const noexcept;
  [[nodiscard]] Result<> judge(const ClientSetup& setup) const;
  /// Without memory it throws, and the plan before stays.
  void install_plan();
  /// All or nothing: without memory for a new plan it throws and the client stays as it was.
  void set_running(Client& client, bool running);

  ports::Clock& clock_;
  const EngineOptions options_;
  FlightRecorder flight_;
  mutable ports::Mutex control_;

  ports::Device* device_ = nullptr;
  ports::DeviceFormat format_{};
  std::vector<std::shared_ptr<Client>> clients_;  // guarded by control_
  std::unique_ptr<Wiring> wiring_;                // guarded by control_
  std::unique_ptr<const Plan> plan_;              // guarded by control_: owner of the active one
  std::vector<std::unique_ptr<const Plan>> retired_;  // plans whose release could not be proven
  std::atomic<const Plan*> active_{nullptr};          // what the engine thread picks up
  std::atomic<std::uint64_t> cycle_state_{0};         // even: between cycles, odd: inside one
  std::atomic<bool> stop_requested_{false};
  std::atomic<std::int64_t> metering_until_ns_{0};

  // engine thread only
  std::unique_ptr<Scratch> scratch_;
  std::uint32_t previous_causes_ = 0;  ///< found after the previous record was written
};

}  // namespace asiodrv::engine
