// What one program has set through ASIO's own means: direct monitors and channel gains. They last
// as long as its connection, and stand beside the routes that people make.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/engine/graph.hpp"
#include "core/wire/control.hpp"

namespace asiodrv::service {

/// Control threads, one call at a time.
class HostMixer {
 public:
  /// How many channels the device and, with the cables, a program has.
  struct Channels {
    std::uint32_t device_inputs = 0, device_outputs = 0;
    std::uint32_t program_inputs = 0, program_outputs = 0;
  };
  /// Errors: invalid_argument (a channel that is not there; says how many there are).
  [[nodiscard]] Result<> set_monitor(const wire::MonitorRequest& request, const Channels& there);
  [[nodiscard]] Result<> set_gain(const wire::GainRequest& request, const Channels& there);

  [[nodiscard]] bool is_neutral() const noexcept { return monitors_.empty() && gains_.empty(); }

  /// The program's session in the engine, if it has one.
  struct Session {
    std::uint32_t id = 0;
    std::vector<engine::Port> inputs, outputs;  ///< what its channels are connected straight to
  };
  /// What a program's channel number stands for; nothing when there is none.
  using PortOf = std::function<std::optional<engine::Port>(bool input, std::uint32_t channel)>;

  /// Adds what was set to `graph`. A route that is there already keeps its gain where a monitor
  /// would take the same way, and is turned down or up by a channel's gain.
  void add_to(engine::GraphSpec& graph, const std::optional<Session>& session,
              const PortOf& port_of) const;

 private:
  struct Sides {
    float left = 0, right = 0;  ///< factors
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, Sides> monitors_;  ///< by input and left output
  std::map<std::pair<bool, std::uint32_t>, float> gains_;              ///< by direction and channel
  std::uint32_t device_outputs_ = 0;
};

}  // namespace asiodrv::service
