// A stranger on the control endpoint: real bytes, mostly wrong ones.
#pragma once

#include <memory>
#include <string>

#include "simulation/world/world.hpp"

namespace asiodrv::simulation {

class Intruder {
 public:
  explicit Intruder(World& world)
      : world_(world), threads_(world.scheduler, process_), rng_(world.rng.next()) {}

  /// Connects, sends something of the kind, and checks what comes back. Some virtual seconds.
  void attack(Fault kind);

 private:
  [[nodiscard]] std::string hostile_bytes();
  [[nodiscard]] std::string framed(const std::string& body) const;
  /// Reads until an answer or the end; checks that one of them comes in time.
  void await_end_or_answer(ports::Connection& connection, const char* what);

  World& world_;
  Process process_{"intruder", {}};
  FiberThreads threads_;
  Prng rng_;
};

}  // namespace asiodrv::simulation
