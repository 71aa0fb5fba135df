// What the service and the configuration say: the same on every system.
#include "doctor/gather.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ipc/client/control_client.hpp"
#include "platform/platform.hpp"
#include "service/config_layers.hpp"
#include "service/endpoint_memory.hpp"
#include "service/json_file.hpp"
#include "service/paths.hpp"
#include "service/version.hpp"

namespace asiodrv::doctor {
namespace {

using nlohmann::json;

constexpr nanoseconds kAnswerLimit = std::chrono::seconds{5};

/// The member as a T, or `otherwise`: the service may be of another version.
template <class T>
T member(const json& object, const char* name, T otherwise) {
  if (!object.is_object()) return otherwise;
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if constexpr (std::is_same_v<T, bool>) {
    return found->is_boolean() ? found->template get<bool>() : otherwise;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->template get<std::string>() : otherwise;
  } else {
    return found->is_number_unsigned() ? found->template get<T>() : otherwise;
  }
}

json child(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found == object.end() ? json() : *found;
}

/// What a running service said, each null where it did not.
struct Answers {
  json status, config, devices;
};

std::string reach_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::service_absent:
    case ErrorCode::not_found: return "absent";
    case ErrorCode::access_denied: return "refused";
    case ErrorCode::already_exists:
    case ErrorCode::invalid_argument:
    case ErrorCode::invalid_state:
    case ErrorCode::unsupported:
    case ErrorCode::out_of_memory:
    case ErrorCode::limit_reached:
    case ErrorCode::timed_out:
    case ErrorCode::disconnected:
    case ErrorCode::malformed:
    case ErrorCode::version_mismatch:
    case ErrorCode::device_gone:
    case ErrorCode::device_busy:
    case ErrorCode::format_refused:
    case ErrorCode::internal: return "silent";
  }
  return "silent";
}

Answers ask_service(Facts& facts, const std::string& instance) {
  Answers answers;
  const auto clock = platform::make_clock();
  const auto threads = platform::make_threads();
  const auto transport = platform::make_transport(instance);
  ipc::ControlClient client(*clock, *threads, *transport);
  const auto ask = [&](const char* method) {
    return client.call(method, json::object(), clock->now() + kAnswerLimit);
  };
  Result<> connected = client.connect(clock->now() + kAnswerLimit);
  if (connected) {
    auto status = ask("status");
    if (status) {
      answers.status = std::move(*status);
      answers.config = ask("config.get").value_or(json());
      answers.devices = ask("devices.list").value_or(json());
    } else {
      connected = tl::unexpected<Error>(std::move(status.error()));
    }
  }
  facts.service.reach = connected ? std::string("answers") : reach_of(connected.error().code);
  if (!connected && !facts.service.reach.is("absent")) {
    facts.service.reach_error = connected.error().message;
  }
  return answers;
}

void note_status(Facts& facts, const Answers& answers) {
  if (!answers.status.is_object()) return;
  facts.service.version = member(child(answers.status, "service"), "version", std::string());
  const json device = child(answers.status, "device");
  DeviceFacts& noted = facts.device;
  noted.name = member(device, "name", std::string("the device"));
  noted.present = member(device, "present", true);
  noted.lost = member(device, "lost", false);
  noted.clock_lost = member(device, "clock_lost", false);
  noted.rate_hz = member(device, "rate_hz", 0U);
  const bool open = member(device, "open", false);
  if (open) noted.open = OpenAttempt{true, "", 0, ""};

  const json clients = child(answers.status, "clients");
  if (clients.is_array()) {
    for (const json& each : clients) {
      facts.clients.push_back({member(each, "program", std::string("a program")),
                               member(each, "rate_hz", 0U), member(each, "buffer_frames", 0U),
                               member(each, "running", false)});
    }
  }
  // Programs play and the device is closed: the service has tried, and its notes say why.
  if (!open && !facts.clients.empty()) {
    std::string notes;
    const json said = child(device, "notes");
    if (said.is_array()) {
      for (const json& each : said) {
        if (each.is_string()) notes += (notes.empty() ? "" : " ") + each.get<std::string>();
      }
    }
    if (!notes.empty()) {
      noted.open = OpenAttempt{false, std::string(error_name(ErrorCode::device_gone)),
                               code_in(notes), notes};
    }
  }
  const json devices = child(answers.devices, "devices");
  if (!devices.is_array() || devices.empty()) return;
  const json& used = devices.front();
  noted.min_period_frames = member(used, "min_period_frames", 0U);
  const json rates = child(used, "rates_hz");
  if (!rates.is_array()) return;
  for (const json& rate : rates) {
    if (rate.is_number_unsigned()) noted.rates_hz.push_back(rate.get<std::uint32_t>());
  }
}

void note_values(ConfigurationFacts& noted, const json& values) {
  const json driver = child(values, "driver"), wasapi = child(values, "wasapi");
  noted.backend = member(child(values, "device"), "backend", noted.backend);
  noted.output = member(wasapi, "output", noted.output);
  noted.input = member(wasapi, "input", noted.input);
  noted.mode = member(wasapi, "mode", noted.mode);
  noted.prefer_exclusive = member(wasapi, "prefer_exclusive", noted.prefer_exclusive);
  noted.formats = member(driver, "formats", noted.formats);
  noted.buffer_sizes = member(driver, "buffer_sizes", noted.buffer_sizes);
  noted.min_frames = member(driver, "min_frames", noted.min_frames);
  noted.max_frames = member(driver, "max_frames", noted.max_frames);
}

/// The configuration as the next service would have it.
service::Config read_configuration(Facts& facts, const Answers& answers,
                                   const GatherOptions& options) {
  ConfigurationFacts& noted = facts.configuration;
  const std::string in_use = member(answers.config, "path", std::string());
  std::string named = options.config_path;
  if (named.empty() && in_use != service::default_config_path()) named = in_use;
  const service::ConfigPlaces places = service::config_places(named);
  noted.path = places.top;
  if (noted.path.empty()) {
    noted.state = Known<std::string>::unknown("the system names no folder of this user");
    return {};
  }
  const service::LoadedConfig loaded = service::load_layers(places);
  const service::Config& config = loaded.config;
  noted.state = std::string(!loaded.error.empty() ? "broken" : loaded.loaded ? "good" : "absent");
  noted.error = loaded.error;
  for (const service::ConfigLayer& layer : loaded.layers) {
    if (layer.state == service::LayerState::refused) noted.path = layer.path;  // the topmost
  }
  const json values = service::to_json(config);
  note_values(noted, values);
  gather_names(noted, service::endpoints_path(places.top, options.instance));
  if (answers.config.is_object() && in_use == places.top) {
    noted.in_force =
        child(answers.config, "error").is_null() && child(answers.config, "values") == values;
  } else {
    noted.in_force = Known<bool>::unknown("no service runs with this file");
  }
  return config;
}

}  // namespace

void gather_names(ConfigurationFacts& facts, const std::string& path) {
  using devices::wasapi::Flow;
  if (path.empty() || !service::may_exist(path)) return;
  const auto document = service::read_json_file(path);
  if (!document) return;
  const auto memory = service::EndpointMemory::from_json(*document, path);
  if (!memory) return;
  const auto name_of = [&](Flow flow, const std::string& configured) {
    const service::RememberedEndpoint* const found = memory->find(flow, configured);
    return found == nullptr ? std::string() : found->now.name;
  };
  facts.output_name = name_of(Flow::render, facts.output);
  facts.input_name = name_of(Flow::capture, facts.input);
}

Facts gather(const GatherOptions& options) {
  Facts facts;
  facts.program_version = service::kVersion;
  facts.program_path = platform::program_path();
  const Answers answers = ask_service(facts, options.instance);
  note_status(facts, answers);
  const service::Config config = read_configuration(facts, answers, options);
  gather_system(facts, options);
  gather_device(facts, config, options);
  return facts;
}

}  // namespace asiodrv::doctor
