// Makes the audio device that a configuration asks for, out of those that the machine has.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/ports/clock.hpp"
#include "core/ports/device.hpp"
#include "core/ports/thread.hpp"
#include "devices/wasapi/endpoints.hpp"
#include "devices/wasapi/system.hpp"
#include "service/config.hpp"
#include "service/endpoint_memory.hpp"
#include "service/log.hpp"

namespace asiodrv::service {

/// Control threads, one call at a time. The ports must outlive it, and it the devices it made.
class Backends {
 public:
  /// `sound`: Windows' sound system, or null where there is none.
  Backends(ports::Clock& clock, ports::Threads& threads,
           std::unique_ptr<devices::wasapi::System> sound, Log log);

  /// From now on devices that are configured by id are remembered in the file at `path` (UTF-8),
  /// for when a new driver gives them another id; what is in there is read. Empty: in no file.
  void remember_in(const std::string& path);

  /// The device of `config`, not opened. One that is not there now, but may come, is made all the
  /// same (LateDevice). Errors: what is wrong with the configuration, for its user: malformed or
  /// missing files, options out of range, a backend that this system does not have.
  [[nodiscard]] Result<std::unique_ptr<ports::Device>> make(const Config& config);

  /// All devices that could be chosen, as devices.list shows them: id, name, backend, direction,
  /// state, default, format, and per mode rates, periods and latency. Opens nothing, so nobody is
  /// disturbed. Blocks for what the system takes to answer.
  [[nodiscard]] nlohmann::json list(const Config& config);

 private:
  [[nodiscard]] Result<std::unique_ptr<ports::Device>> make_backend(const Config& config);
  [[nodiscard]] Result<std::unique_ptr<ports::Device>> make_automatic(const Config& config);
  [[nodiscard]] Result<std::unique_ptr<ports::Device>> make_simulated(const Config& config);
  [[nodiscard]] Result<std::unique_ptr<ports::Device>> make_wasapi(
      const Config::Wasapi& configured);
  [[nodiscard]] Result<std::unique_ptr<ports::Device>> make_member(const Config::Wasapi& config);
  [[nodiscard]] Result<std::unique_ptr<ports::Device>> make_combined(const Config& config);
  /// `part`: makes what plays while the whole is not there; or empty.
  using Make = std::function<Result<std::unique_ptr<ports::Device>>()>;
  [[nodiscard]] Result<std::unique_ptr<ports::Device>> make_late(std::string name, Make make,
                                                                 const Make& part = {});
  [[nodiscard]] Result<std::unique_ptr<ports::Device>> make_late_wasapi(
      const Config::Wasapi& wasapi);
  [[nodiscard]] bool any_output();
  [[nodiscard]] Result<> find_members(const Config& config);
  using Endpoints = std::vector<devices::wasapi::EndpointInfo>;
  /// With the ids that its endpoints have now.
  [[nodiscard]] Config::Wasapi recognised(const Endpoints& known, Config::Wasapi config) const;
  [[nodiscard]] std::string recognised_id(const Endpoints& known, devices::wasapi::Flow flow,
                                          const std::string& text) const;
  void remember(const std::string& configured, const devices::wasapi::EndpointInfo& endpoint);
  /// Of Windows, where there is a sound system; for 1.9 s at most. Errors: as list_endpoints;
  /// device_gone while it does not answer.
  [[nodiscard]] Result<Endpoints> endpoints(devices::wasapi::Asked whom);

  ports::Clock& clock_;
  ports::Threads& threads_;
  const std::shared_ptr<devices::wasapi::System> sound_;  // shared with looks that hang
  const Log log_;
  std::weak_ptr<void> hanging_;  // a look that has not come back
  std::weak_ptr<void> listing_;  // the same of a list for people
  EndpointMemory memory_;
  std::string memory_path_;  // or empty: not kept
};

}  // namespace asiodrv::service
