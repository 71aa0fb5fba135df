// What a host has set through future(). A service forgets it with the connection, so it is said
// again to the one that comes back: a channel that was turned down must not return at full level.
#pragma once

#include <algorithm>
#include <vector>

#include "core/wire/control.hpp"

namespace asiodrv::asio {

/// Holds what differs from the state of a new connection. One thread at a time.
class MixerMemory {
 public:
  void note(const wire::MonitorRequest& request) {
    std::erase_if(monitors_, [&request](const wire::MonitorRequest& each) {
      return each.output == request.output && (!request.input || each.input == request.input);
    });
    // Switched off needs no word, but after an earlier "all".
    const bool after_all = std::any_of(monitors_.begin(), monitors_.end(),
                                       [&request](const wire::MonitorRequest& each) {
                                         return each.output == request.output && !each.input;
                                       });
    if (request.on || after_all) monitors_.push_back(request);
  }
  void note(const wire::GainRequest& request) {
    std::erase_if(gains_, [&request](const wire::GainRequest& each) {
      return each.input == request.input && each.channel == request.channel;
    });
    if (request.gain != wire::kUnityGain) gains_.push_back(request);
  }

  /// In the order in which they have to be said.
  [[nodiscard]] const std::vector<wire::MonitorRequest>& monitors() const noexcept {
    return monitors_;
  }
  [[nodiscard]] const std::vector<wire::GainRequest>& gains() const noexcept { return gains_; }

 private:
  std::vector<wire::MonitorRequest> monitors_;
  std::vector<wire::GainRequest> gains_;
};

}  // namespace asiodrv::asio
