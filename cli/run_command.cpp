#include "cli/run_command.hpp"

#include <utility>

#include "cli/console.hpp"
#include "service/manager/names.hpp"

namespace asiodrv::cli {

int run_with(const RunParts& parts, service::RunOptions options) {
  if (options.as_service && parts.manager != nullptr) {
    const auto served = service::manager::run_as_service(
        *parts.manager, [&](const std::shared_ptr<service::manager::Orders>& orders) {
          service::RunOptions managed = options;
          managed.orders = orders;
          managed.events = parts.make_events();
          return parts.run(managed);
        });
    if (served) return *served;
  }
  if (options.as_service) {  // started by hand
    options.as_service = false;
    parts.show_terminal();
  }
  return parts.run(options);
}

int run_command(const service::RunOptions& options) {
  const auto manager = options.as_service ? service::manager::make_service_connection() : nullptr;
  return run_with(
      {manager.get(), service::run_service, attach_console,
       [] { return service::manager::make_event_sink(service::manager::event_source()); }},
      options);
}

}  // namespace asiodrv::cli
