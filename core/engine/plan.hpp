// What the engine thread works on for a whole cycle. Private to core/engine.
#pragma once

#include <memory>
#include <vector>

#include "core/engine/client.hpp"

namespace asiodrv::engine {

/// Immutable once installed; the clients in it are shared with the control side.
struct Engine::Plan {
  std::vector<std::shared_ptr<Client>> running;
  /// Per device output: how many client channels play into it.
  std::vector<std::uint32_t> sources;
};

/// The engine thread's own working memory, sized when the device is set.
struct Engine::Scratch {
  std::vector<std::uint8_t> sounding;  ///< per device output: has a source in this cycle
  std::vector<float> block;            ///< one channel of converted samples
};

}  // namespace asiodrv::engine
