#include "service/manager/testing/fake_service_control.hpp"

#include <algorithm>

namespace asiodrv::service::manager::testing {
namespace {

using namespace system_errors;

constexpr std::uint32_t kUsersRights =
    rights::kQueryConfig | rights::kQueryStatus | rights::kStart | rights::kReadControl;
constexpr std::uint32_t kMostRoom = 256 * 1024;

tl::unexpected<SystemError> no(std::uint32_t number) { return tl::unexpected(SystemError{number}); }

bool is_instance(const FakeService& service) {
  return (service.configuration.type & service_type::kInstance) != 0;
}
bool is_template(const FakeService& service) {
  return (service.configuration.type & service_type::kPerUser) != 0 && !is_instance(service);
}
bool known_type(std::uint32_t type, bool knows_user_services) {
  return type == service_type::kOwnProcess ||
         (type == service_type::kUserOwnProcess && knows_user_services);
}
bool quoted(const std::string& command) { return !command.empty() && command.front() == '"'; }

}  // namespace

class FakeServiceControl::Handle final : public OpenedService {
 public:
  Handle(FakeServiceControl& control, std::string name, std::uint32_t granted)
      : control_(control), name_(std::move(name)), granted_(granted) {
    ++service().handles;
  }
  ~Handle() override {
    --service().handles;
    control_.settle(name_);
  }

  Outcome<ServiceConfiguration> configuration() override {
    if (!has(rights::kQueryConfig)) return no(kAccessDenied);
    return service().configuration;
  }

  Outcome<ServiceState> state() override {
    if (!has(rights::kQueryStatus)) return no(kAccessDenied);
    FakeService& here = service();
    const ServiceState answer = here.state;
    if (here.state.state == RunState::stop_pending && --looks_ <= 0) {
      control_.ending_[here.state.process_id] = control_.looks_until_gone;
      here.state = {here.configuration.type, RunState::stopped, 0, 0};
    }
    return answer;
  }

  Outcome<> change(const ServiceConfiguration& wanted) override {
    if (!has(rights::kChangeConfig)) return no(kAccessDenied);
    control_.note("change " + name_);
    FakeService& here = service();
    if (here.marked) return no(kMarkedForDelete);
    if (is_instance(here) || wanted.type != here.configuration.type) return no(kInvalidParameter);
    if (is_template(here) && wanted.account) return no(kInvalidParameter);
    here.configuration = wanted;
    return {};
  }

  Outcome<> set_option(const ServiceOption& option) override {
    const bool access = std::holds_alternative<AccessList>(option);
    if (!has(access ? rights::kWriteDac : rights::kChangeConfig)) return no(kAccessDenied);
    if (std::holds_alternative<Recovery>(option) && !has(rights::kStart)) return no(kAccessDenied);
    if (control_.unknown_options.count(option.index()) != 0) return no(kInvalidLevel);
    service().options.push_back(option);
    return {};
  }

  Outcome<> start() override {
    if (!has(rights::kStart)) return no(kAccessDenied);
    control_.note("start " + name_);
    FakeService& here = service();
    if (here.marked) return no(kMarkedForDelete);
    if (is_template(here)) return no(kAccessDenied);
    if (here.configuration.start == StartType::disabled) return no(kDisabled);
    if (here.state.state != RunState::stopped) return no(kAlreadyRunning);
    const std::uint32_t failure = control_.on_start ? control_.on_start(name_) : 0;
    if (failure != 0) return no(failure);
    here.state = {here.configuration.type, RunState::running, control_.next_process_++, 0};
    return {};
  }

  Outcome<> stop() override {
    if (!has(rights::kStop)) return no(kAccessDenied);
    control_.note("stop " + name_);
    FakeService& here = service();
    if (here.state.state == RunState::stopped) return no(kNotActive);
    if (here.state.state != RunState::running) return no(kCannotAcceptControl);
    here.state.state = RunState::stop_pending;
    looks_ = control_.looks_until_stopped;
    return {};
  }

  Outcome<> remove() override {
    if (!has(rights::kDelete)) return no(kAccessDenied);
    control_.note("remove " + name_);
    FakeService& here = service();
    if (here.marked) return no(kMarkedForDelete);
    here.marked = true;
    return {};
  }

 private:
  FakeService& service() { return control_.services.at(name_); }
  [[nodiscard]] bool has(std::uint32_t right) const { return (granted_ & right) == right; }

  FakeServiceControl& control_;
  const std::string name_;
  const std::uint32_t granted_;
  int looks_ = 0;
};

class FakeServiceControl::Process final : public WatchedProcess {
 public:
  Process(FakeServiceControl& control, std::uint32_t id) : control_(control), id_(id) {}
  bool has_ended() override {
    const auto ending = control_.ending_.find(id_);
    return ending != control_.ending_.end() && --ending->second < 0;
  }

 private:
  FakeServiceControl& control_;
  const std::uint32_t id_;
};

void FakeServiceControl::note(const std::string& call) {
  calls.push_back(call);
  if (after) after(call);
}

void FakeServiceControl::settle(const std::string& name) {
  const FakeService& service = services.at(name);
  if (service.marked && service.handles == 0 && service.state.state == RunState::stopped) {
    services.erase(name);
  }
}

std::size_t FakeServiceControl::index_of(const std::string& call) const {
  return static_cast<std::size_t>(std::find(calls.begin(), calls.end(), call) - calls.begin());
}

void FakeServiceControl::sign_in(const std::string& suffix) {
  std::map<std::string, FakeService> made;
  for (const auto& [name, service] : services) {
    if (!is_template(service) || service.marked || !service.allows_instances) continue;
    FakeService instance;
    instance.configuration = service.configuration;
    instance.configuration.type |= service_type::kInstance;
    instance.state.type = instance.configuration.type;
    if (service.configuration.start == StartType::automatic) {
      instance.state.state = RunState::running;
      instance.state.process_id = next_process_++;
    }
    made[name + "_" + suffix] = instance;
  }
  services.merge(made);
}

void FakeServiceControl::add_foreign(const std::string& name, std::uint32_t type,
                                     const std::string& command) {
  FakeService service;
  service.configuration.type = type;
  service.configuration.command = command;
  service.state = {type, RunState::running, next_process_++, 0};
  services[name] = service;
}

Outcome<std::unique_ptr<OpenedService>> FakeServiceControl::create(
    const std::string& name, const ServiceConfiguration& configuration, std::uint32_t rights) {
  note("create " + name);
  if (!elevated) return no(kAccessDenied);
  if (const auto present = services.find(name); present != services.end()) {
    return no(present->second.marked ? kMarkedForDelete : kServiceExists);
  }
  if (!known_type(configuration.type, knows_user_services)) return no(kInvalidParameter);
  const bool per_user = configuration.type == service_type::kUserOwnProcess;
  if (per_user && configuration.account) return no(kInvalidParameter);
  if (!quoted(configuration.command)) return no(kInvalidParameter);
  FakeService& made = services[name];
  made.configuration = configuration;
  made.state.type = configuration.type;
  return std::make_unique<Handle>(*this, name, rights);
}

Outcome<std::unique_ptr<OpenedService>> FakeServiceControl::open(const std::string& name,
                                                                 std::uint32_t rights) {
  note("open " + name);
  if (services.find(name) == services.end() || vanishing.count(name) != 0) {
    return no(kNoSuchService);
  }
  if (!elevated && (rights & ~kUsersRights) != 0) return no(kAccessDenied);
  return std::make_unique<Handle>(*this, name, rights);
}

Outcome<ServicePage> FakeServiceControl::enumerate(std::uint32_t types, std::uint32_t room_bytes,
                                                   std::uint32_t resume) {
  note("enumerate");
  if (room_bytes > kMostRoom) return no(kInvalidParameter);
  ServicePage page;
  std::uint32_t position = 0;
  for (const auto& [name, service] : services) {
    if ((service.configuration.type & types) == 0 || is_template(service)) continue;
    if (position++ < resume) continue;
    if (page.entries.size() == page_entries) {
      page.more = true;
      page.resume = position - 1;
      page.bytes_needed = 4096;
      return page;
    }
    page.entries.push_back({name, service.state});
  }
  return page;
}

Outcome<std::unique_ptr<WatchedProcess>> FakeServiceControl::watch(std::uint32_t process_id) {
  note("watch");
  return std::make_unique<Process>(*this, process_id);
}

Outcome<> FakeServiceControl::allow_instances(const std::string& name, bool allowed) {
  note((allowed ? "allow " : "block ") + name);
  if (!elevated) return no(kAccessDenied);
  const auto service = services.find(name);
  if (service == services.end()) return no(kNoSuchService);
  service->second.allows_instances = allowed;
  return {};
}

Outcome<> FakeServiceControl::note_mode(const std::string& name, const std::string& mode) {
  if (!elevated) return no(kAccessDenied);
  services.at(name).mode = mode;
  return {};
}

std::string FakeServiceControl::noted_mode(const std::string& name) {
  const auto service = services.find(name);
  return service == services.end() ? std::string() : service->second.mode;
}

Outcome<> FakeServiceControl::register_events(const std::string& source,
                                              const std::string& program) {
  if (!elevated) return no(kAccessDenied);
  event_sources[source] = program;
  return {};
}

Outcome<> FakeServiceControl::unregister_events(const std::string& source) {
  if (!elevated) return no(kAccessDenied);
  event_sources.erase(source);
  return {};
}

}  // namespace asiodrv::service::manager::testing
