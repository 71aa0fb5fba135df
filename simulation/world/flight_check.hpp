// Reads the flight recorder as it is written: every period is in it once, every xrun has the cause
// that the injector really injected, and the ledger learns what is damaged.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/engine/flight_recorder.hpp"
#include "service/driver_service.hpp"
#include "simulation/world/world.hpp"

namespace asiodrv::simulation {

class FlightCheck {
 public:
  explicit FlightCheck(World& world) : world_(world) {}

  /// A service has begun, or (null) is about to end.
  void attach(service::DriverService* service);
  /// Session `id` belongs to host `slot`.
  void note_session(std::uint32_t id, std::uint32_t slot) { owners_[id] = slot; }
  /// The record of `period`, not written yet, must name damage of host `slot`.
  void expect_damage(const Period& period, std::uint32_t slot);

  /// After every step.
  void read();

 private:
  void take(const engine::FlightRecord& record);
  void take(const engine::XrunEvent& event);
  void judge(const engine::XrunEvent& event);
  [[nodiscard]] bool load_explains(const engine::XrunEvent& event, const Host& host, Instant begin,
                                   Instant end);
  [[nodiscard]] Period* period_of(std::uint64_t number);

  struct Expectation {
    std::uint64_t number = 0;
    std::uint32_t slot = 0;
  };

  World& world_;
  service::DriverService* service_ = nullptr;
  std::uint64_t records_ = 0, events_ = 0;
  std::uint64_t next_number_ = 0;
  std::map<std::uint32_t, std::uint32_t> owners_;
  std::vector<Expectation> expected_;
};

}  // namespace asiodrv::simulation
