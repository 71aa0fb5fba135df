// The production service as a process of the world.
#pragma once

#include <memory>
#include <string>

#include "ipc/server/control_server.hpp"
#include "service/driver_service.hpp"
#include "simulation/world/world.hpp"

namespace asiodrv::simulation {

class ServiceProcess {
 public:
  explicit ServiceProcess(World& world);
  /// After end().
  ~ServiceProcess();

  [[nodiscard]] Result<> begin();
  /// In good order, or (crash) as if the process were gone: clients find themselves cut off.
  void end(bool crash);

  [[nodiscard]] service::DriverService& service() noexcept { return *service_; }
  [[nodiscard]] std::uint32_t connections() const { return server_->connections(); }
  [[nodiscard]] Process& process() noexcept { return process_; }

 private:
  /// Stands before the service and does to requests what the scenario wants.
  class Gate;

  World& world_;
  Process process_{"service", {}};
  FiberThreads threads_;
  std::unique_ptr<service::DriverService> service_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<ipc::ControlServer> server_;
  std::unique_ptr<ports::Thread> chores_;
  bool done_ = false;
};

}  // namespace asiodrv::simulation
