// The whole service in one process: real objects and real shared memory, a stepping device, an
// in-memory transport.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/ports/mutex.hpp"
#include "ipc/client/control_client.hpp"
#include "ipc/client/service_client.hpp"
#include "ipc/memory_transport.hpp"
#include "ipc/server/control_server.hpp"
#include "platform/platform.hpp"
#include "service/driver_service.hpp"
#include "service/testing/step_device.hpp"

namespace asiodrv::service::testing {

/// What streams and engines need memory for.
struct PoorBoost {
  explicit PoorBoost(std::atomic<bool>& in_a_copy, std::atomic<bool>& in_a_stream)
      : no_memory_to_copy(in_a_copy), no_memory_to_stream(in_a_stream) {}
  PoorBoost(const PoorBoost& other)
      : no_memory_to_copy(other.no_memory_to_copy), no_memory_to_stream(other.no_memory_to_stream) {
    if (no_memory_to_copy.exchange(false)) throw std::bad_alloc();
  }
  PoorBoost& operator=(const PoorBoost&) = delete;
  std::shared_ptr<void> operator()() const {
    if (no_memory_to_stream.exchange(false)) throw std::bad_alloc();
    return nullptr;
  }
  std::atomic<bool>& no_memory_to_copy;
  std::atomic<bool>& no_memory_to_stream;
};

class TestWorld {
 public:
  TestWorld() {
    config.config.max_frames = Frames{8192};
    config.config.deferred_programs = {"lazy.exe"};
  }
  ~TestWorld() {
    if (server) server->stop(soon());
  }

  /// Builds the service; change `config` before.
  void begin() {
    DriverServicePorts ports{*clock, *threads, *regions, [this](const Config&) {
                               return Result<std::unique_ptr<ports::Device>>(make_device());
                             }};
    ports.log = [this](LogLevel, const std::string& line) {
      if (no_memory_to_log.exchange(false)) throw std::bad_alloc();
      const ports::MutexLock lock(log_mutex);
      log_lines.push_back(line);
    };
    ports.hold_boost = PoorBoost(no_memory_for_an_engine, no_memory_to_stream);
    ports.process_id = 4711;
    ports.leave = [this] { ++leaves; };
    ports.on_idle = [this] { idle->signal(); };
    ports.reload = [this] { return next_config; };
    ports.routing_path = routing_path;
    ports.calibration_path = calibration_path;
    ports.on_device_lost = [this](const std::string&) { ++losses; };
    service = std::make_unique<DriverService>(std::move(ports), config, make_first_device());
    server = std::make_unique<ipc::ControlServer>(*clock, *threads, *service);
    service->set_notify(
        [this](ipc::ConnectionId connection, std::string_view method,
               const nlohmann::json& params) { server->notify(connection, method, params); });
    ASSERT_TRUE(server->start(transport.listen().value()));
  }

  /// The device to begin with, where that is not make_device's.
  std::function<std::unique_ptr<ports::Device>()> make_first_device = [this] {
    return make_device();
  };
  std::unique_ptr<ports::Device> make_device() { return std::make_unique<StepDevice>(device); }

  std::unique_ptr<ipc::ServiceClient> make_client(const std::string& program) {
    return std::make_unique<ipc::ServiceClient>(
        *clock, *threads, transport, ipc::ServiceClientOptions{program, 99, 64, nullptr});
  }

  /// A client that said hello.
  std::unique_ptr<ipc::ServiceClient> connected(const std::string& program) {
    auto client = make_client(program);
    const auto description = client->connect(false, soon());
    EXPECT_TRUE(description) << description.error().message;
    return client;
  }

  Result<nlohmann::json> ask(const char* method,
                             const nlohmann::json& params = nlohmann::json::object()) {
    ipc::ControlClient control(*clock, *threads, transport);
    if (auto reached = control.connect(soon()); !reached) {
      return tl::unexpected<Error>(reached.error());
    }
    return control.call(method, params, soon());
  }

  /// Does what the service's own thread does, once.
  void do_chores() {
    server->run_serialised([this] { (void)service->chores(); });
  }

  std::string log_text() {
    const ports::MutexLock lock(log_mutex);
    std::string text;
    for (const std::string& line : log_lines) text += line + "\n";
    return text;
  }

  /// Long enough for any machine; a test that reaches it has failed.
  [[nodiscard]] Instant soon() const { return clock->now() + std::chrono::seconds{20}; }

  std::unique_ptr<ports::Clock> clock = platform::make_clock();
  std::unique_ptr<ports::Threads> threads = platform::make_threads();
  std::unique_ptr<ports::SharedRegions> regions = platform::make_shared_regions();
  ipc::MemoryTransport transport{*clock, *threads};
  std::shared_ptr<StepControl> device = std::make_shared<StepControl>(*clock, *threads);
  LoadedConfig config{{}, "/etc/test.toml", true, ""};
  LoadedConfig next_config;
  std::string routing_path;      // empty: cables and routes are not kept
  std::string calibration_path;  // likewise
  std::atomic<int> leaves{0};
  std::atomic<int> losses{0};
  std::atomic<bool> no_memory_to_log{false};         // at the next line
  std::atomic<bool> no_memory_for_an_engine{false};  // at the next that is made
  std::atomic<bool> no_memory_to_stream{false};      // at the next begin of a stream
  std::unique_ptr<ports::Signal> idle = threads->make_signal();
  ports::Mutex log_mutex;
  std::vector<std::string> log_lines;  // guarded by log_mutex
  std::unique_ptr<DriverService> service;
  std::unique_ptr<ipc::ControlServer> server;
};

}  // namespace asiodrv::service::testing
