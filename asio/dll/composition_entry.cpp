#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "asio/dll/composition.hpp"
#include "asio/dll/install_folder.hpp"
#include "asio/driver_shell.hpp"
#include "asio/graveyard.hpp"
#include "ipc/client/service_client.hpp"
#include "ipc/client/service_start.hpp"
#include "platform/platform.hpp"
#include "service/manager/names.hpp"

namespace asiodrv::asio {
namespace {

#ifdef _WIN32
constexpr const char* kServiceFile = service::manager::kProgramFile;
constexpr const char* kPanelFile = "asio-driver-panel.exe";
#else
constexpr const char* kServiceFile = "asio-driver";
constexpr const char* kPanelFile = "asio-driver-panel";
#endif

std::size_t name_begin(const std::string& path) noexcept {
  const std::size_t separator = path.find_last_of("/\\");
  return separator == std::string::npos ? 0 : separator + 1;
}

/// One per process, never destroyed.
struct Process {
  explicit Process(const Surroundings& surroundings)
      : clock(platform::make_clock()),
        threads(platform::make_threads()),
        regions(platform::make_shared_regions()),
        transport(platform::make_transport(surroundings.instance)),
        program(platform::program_path()),
        start_service(*clock, *threads, installed_service(surroundings),
                      [this](std::string_view reason) { return start_agent(reason); }) {
    static constexpr char kInside = 0;  // an address of this module
    directory = platform::module_path(&kInside);
    directory = install_folder(directory.substr(0, name_begin(directory)));
    program.erase(0, name_begin(program));
    if (!surroundings.instance.empty()) selection = {"--instance", surroundings.instance};
    if (!surroundings.config.empty()) {
      selection.insert(selection.end(), {"--config", surroundings.config});
    }
  }

  /// The registered service serves the default instance only.
  static std::unique_ptr<ports::InstalledService> installed_service(const Surroundings& around) {
    if (!around.instance.empty()) return nullptr;
    return platform::make_installed_service(service::manager::service_name());
  }
  [[nodiscard]] Result<> start_agent(std::string_view reason) const {
    std::vector<std::string> arguments{"run", "--agent"};
    if (!reason.empty()) arguments.insert(arguments.end(), {"--reason", std::string(reason)});
    arguments.insert(arguments.end(), selection.begin(), selection.end());
    auto started = platform::start_detached(directory + kServiceFile, arguments);
    if (!started && started.error().code == ErrorCode::not_found) {
      // Short, without the path: a host's message field holds 123 characters in all.
      return fail(ErrorCode::not_found,
                  std::string(kServiceFile) + " is missing; install the driver again.");
    }
    return started;
  }
  [[nodiscard]] std::unique_ptr<ipc::ServiceLink> make_link() {
    return std::make_unique<ipc::ServiceClient>(
        *clock, *threads, *transport,
        ipc::ServiceClientOptions{
            .program = program,
            .process_id = platform::process_id(),
            .start_service = [this](ipc::Need need) { return start_service(need); },
            .reached = [this] { start_service.reached(); }});
  }
  [[nodiscard]] FrontPorts ports() {
    return {.clock = *clock,
            .threads = *threads,
            .regions = *regions,
            .make_link = [this] { return make_link(); },
            .host_epoch_ms = platform::host_epoch_ms,
            .open_panel =
                [this] { return platform::start_detached(directory + kPanelFile, selection); },
            .boost = [] { return std::make_shared<platform::StreamingBoost>(); },
            .remembered_rate_hz = &remembered_rate_hz};
  }

  std::unique_ptr<ports::Clock> clock;
  std::unique_ptr<ports::Threads> threads;
  std::unique_ptr<ports::SharedRegions> regions;
  std::unique_ptr<ports::Transport> transport;
  std::string program;                 // file name
  std::string directory;               // of the programs, with its last separator
  std::vector<std::string> selection;  // arguments that choose the service's instance
  ipc::ServiceStart start_service;     // uses what stands above
  std::atomic<std::uint32_t> remembered_rate_hz{0};
};

constinit std::atomic<Process*> process{nullptr};

Process& this_process(const Surroundings& surroundings) {
  if (Process* const present = process.load(std::memory_order_acquire)) return *present;
  auto fresh = std::make_unique<Process>(surroundings);
  Process* present = nullptr;
  if (process.compare_exchange_strong(present, fresh.get())) return *fresh.release();
  return *present;  // another thread was faster
}

}  // namespace

AsioDriver* compose_driver(const Surroundings& surroundings) {
  return make_driver(this_process(surroundings).ports());
}

bool in_use() noexcept {
  reap();
  return live_drivers() != 0 || buried() != 0;
}

}  // namespace asiodrv::asio
