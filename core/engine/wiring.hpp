// The graph as the engine thread walks it, and how the control side makes it. Private to
// core/engine.
//
// A sink has strands, one per source. Which strands there are and the gain each strives for is part
// of an immutable plan; the gain that a strand has reached belongs to the engine thread and
// outlives plans, so a change of the graph begins where the sound is.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/engine/engine.hpp"
#include "core/engine/graph.hpp"
#include "core/engine/meter.hpp"

namespace asiodrv::engine {

/// Two blocks per channel: one is read in this period while the other is written for the next.
class Cable {
 public:
  Cable(std::uint32_t id, std::uint32_t channels, Frames period)
      : meters(channels),
        id_(id),
        channels_(channels),
        frames_(period.count),
        memory_(std::size_t{2} * channels * period.count) {}

  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
  [[nodiscard]] std::uint32_t channels() const noexcept { return channels_; }
  [[nodiscard]] const float* reading(std::uint32_t channel) const noexcept {
    return memory_.data() + at(channel, reading_);
  }
  [[nodiscard]] float* writing(std::uint32_t channel) noexcept {
    return memory_.data() + at(channel, reading_ ^ 1U);
  }
  /// The period is over. Engine thread.
  void turn() noexcept { reading_ ^= 1U; }

  MeterBank meters;

 private:
  [[nodiscard]] std::size_t at(std::uint32_t channel, std::uint32_t half) const noexcept {
    return (std::size_t{channel} * 2 + half) * frames_;
  }
  std::uint32_t id_, channels_;
  std::uint32_t reading_ = 0;
  std::size_t frames_;
  std::vector<float> memory_;
};

/// The gain that a strand has reached. Written by the engine thread.
struct StrandState {
  std::atomic<float> gain{0.0F};
};

/// One source of a sink: a cable's channel, a client's, or the device's when both are null.
struct Strand {
  const Cable* cable = nullptr;
  const Engine::Client* client = nullptr;
  std::uint32_t channel = 0;
  float target = 1.0F;
  StrandState* state = nullptr;

  /// Bit-exact in this period. RT: wait-free.
  [[nodiscard]] bool is_unity() const noexcept {
    return target == 1.0F && state->gain.load(std::memory_order_relaxed) == 1.0F;
  }
};

struct Sink {
  std::vector<Strand> strands;
};

/// What the engine thread works on for a whole cycle. Immutable once installed, but for the sound
/// in the clients and cables that it shares with the control side.
struct Engine::Plan {
  struct Member {
    std::shared_ptr<Client> client;
    std::vector<Sink> inputs;
    /// Per output: the device output that it alone feeds and that nothing else reads, or kNone. Its
    /// samples can be converted where they are played.
    std::vector<std::uint32_t> direct;
  };
  struct CableUse {
    std::shared_ptr<Cable> cable;
    std::vector<Sink> sinks;
  };
  static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

  std::vector<Member> running;
  std::vector<CableUse> cables;
  std::vector<Sink> outputs;  ///< of the device
  std::vector<std::shared_ptr<StrandState>> states;
};

/// The control side: keeps the graph, and turns it and the running clients into plans.
class Engine::Wiring {
 public:
  /// Errors: see Engine::set_graph.
  [[nodiscard]] static Result<> judge(const GraphSpec& graph);
  /// What a graph has taken the place of.
  struct Earlier {
    GraphSpec graph;
    std::map<std::uint32_t, std::shared_ptr<Cable>> cables;
  };
  /// Without memory it throws and changes nothing.
  Earlier set(const GraphSpec& graph);
  void restore(Earlier earlier) noexcept;
  /// The device is another one, or none (zero channels): all sound begins anew.
  void set_device(std::uint32_t inputs, std::uint32_t outputs, Frames period);

  /// True when `port` is there for the straight connection of a client.
  [[nodiscard]] bool offers_source(const Port& port) const noexcept;
  [[nodiscard]] bool offers_sink(const Port& port) const noexcept;

  /// `clients`: those that run and fit.
  [[nodiscard]] std::unique_ptr<Plan> compile(const std::vector<std::shared_ptr<Client>>& clients);

  [[nodiscard]] const std::map<std::uint32_t, std::shared_ptr<Cable>>& cables() const noexcept {
    return cables_;
  }

 private:
  using Ends = std::pair<Port, Port>;
  using Gains = std::map<Ends, float>;

  [[nodiscard]] Gains wanted(const std::vector<std::shared_ptr<Client>>& clients);
  void relay(Gains& gains);
  void let_go(Gains& gains, const Plan& plan);
  void connect(Plan& plan, const Ends& ends, float gain);
  [[nodiscard]] StrandState& state_of(const Ends& ends, float gain);
  [[nodiscard]] static Sink* find_sink(Plan& plan, const Port& port) noexcept;
  [[nodiscard]] static bool has_source(const Plan& plan, const Port& port,
                                       std::uint32_t device_inputs) noexcept;
  static void find_direct(Plan& plan);

  GraphSpec graph_;
  std::uint32_t device_inputs_ = 0, device_outputs_ = 0;
  Frames period_{};
  std::map<std::uint32_t, std::shared_ptr<Cable>> cables_;
  /// For a client's output that goes to another client's input: a cable that nobody sees.
  std::map<Port, std::shared_ptr<Cable>> relays_;
  std::uint32_t next_relay_ = 0x8000'0000;
  std::map<Ends, std::shared_ptr<StrandState>> states_;
  std::set<std::uint32_t> known_;  ///< clients in the plan before
};

}  // namespace asiodrv::engine
