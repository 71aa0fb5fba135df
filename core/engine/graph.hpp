// What is connected with what: the ends of the engine's routes, and what it is told about them.
//
// Sound flows from sources to sinks. A device has inputs (sources) and outputs (sinks); a client's
// outputs are sources and its inputs are sinks; a cable's channels are both, and what goes in comes
// out exactly one period later, whoever was started first. A client's output that is routed to a
// client's input without a cable takes one period as well.
//
// Each channel of a client is connected straight to its partner (ClientSetup::inputs, outputs) at
// unity. A route between the same two ends takes the straight connection's place.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "core/base/units.hpp"

namespace asiodrv::engine {

enum class Node : std::uint8_t { device, cable, client };

/// One channel. Whether it is a device's input or output, a client's output or input, follows from
/// where it stands: as a source or as a sink.
struct Port {
  Node node = Node::device;
  std::uint32_t owner = 0;  ///< 0 for the device, CableSpec::id, ClientSetup::id
  std::uint32_t channel = 0;
  auto operator<=>(const Port&) const = default;
};

constexpr Port device_port(std::uint32_t channel) noexcept { return {Node::device, 0, channel}; }

struct Route {
  Port source, sink;
  /// A factor; negative reverses the polarity, 0 is silence. Changes are ramped; 1 is bit-exact
  /// once the ramp has ended. Finite, at most kMaxRouteGain in magnitude.
  LinearGain gain;
};

inline constexpr float kMaxRouteGain = 15.85F;  ///< +24 dB
inline constexpr std::uint32_t kMaxCableChannels = 128;
inline constexpr std::uint32_t kMaxCables = 64;
inline constexpr std::uint32_t kMaxRoutes = 16'384;

struct CableSpec {
  std::uint32_t id = 0;  ///< unique, not 0
  std::uint32_t channels = 0;
};

/// All cables and all routes. Routes whose client or channel is not there rest until it is.
struct GraphSpec {
  std::vector<CableSpec> cables;
  std::vector<Route> routes;  ///< at most one per pair of ends; no cable feeds itself
};

/// How loud one channel is. Full scale is 1; a full-scale sine has rms 0.707.
struct Level {
  float peak = 0.0F;  ///< falls by 20 dB in 1.7 s; 1000 at most
  float rms = 0.0F;   ///< over about 300 ms
};

struct Levels {
  struct Owned {
    std::uint32_t id = 0;
    std::vector<Level> inputs, outputs;  ///< a cable has inputs only: what flows through it
  };
  std::vector<Level> inputs, outputs;  ///< of the device
  std::vector<Owned> cables, clients;  ///< clients: those that run, by ClientSetup::id
};

}  // namespace asiodrv::engine
