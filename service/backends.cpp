#include "service/backends.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "devices/combined/combined_device.hpp"
#include "devices/wasapi/endpoints.hpp"
#include "devices/wasapi/wasapi_device.hpp"
#include "service/arranged_device.hpp"
#include "service/device_list.hpp"
#include "service/late_device.hpp"
#include "service/simulated_backend.hpp"

namespace asiodrv::service {
namespace {

namespace wasapi = devices::wasapi;
using MadeDevice = Result<std::unique_ptr<ports::Device>>;

/// Not there, or not now: worth waiting for. Everything else is a mistake of the configuration.
bool may_come(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::not_found:
    case ErrorCode::device_gone:
    case ErrorCode::device_busy:
    case ErrorCode::access_denied:
    case ErrorCode::format_refused:
    case ErrorCode::service_absent:
    case ErrorCode::timed_out:
    case ErrorCode::internal: return true;
    case ErrorCode::already_exists:
    case ErrorCode::invalid_argument:
    case ErrorCode::invalid_state:
    case ErrorCode::unsupported:
    case ErrorCode::out_of_memory:
    case ErrorCode::limit_reached:
    case ErrorCode::disconnected:
    case ErrorCode::malformed:
    case ErrorCode::version_mismatch: return false;
  }
  return false;
}

wasapi::WasapiOptions options_of(const Config::Wasapi& config) {
  wasapi::WasapiOptions options;
  options.render = config.output;
  options.capture = config.input;
  options.prefer_exclusive = config.prefer_exclusive;
  options.dither = config.dither;
  switch (config.mode) {
    case WasapiMode::automatic: options.mode = wasapi::ModeChoice::automatic; break;
    case WasapiMode::exclusive: options.mode = wasapi::ModeChoice::exclusive; break;
    case WasapiMode::low_latency: options.mode = wasapi::ModeChoice::low_latency; break;
    case WasapiMode::shared: options.mode = wasapi::ModeChoice::shared; break;
  }
  return options;
}

/// Two ends of one box keep one time. What cannot be told apart counts as two: a resampler that was
/// not needed does no harm.
bool share_a_clock(const wasapi::EndpointInfo& one, const wasapi::EndpointInfo& other) {
  if (!one.container.empty() || !other.container.empty()) return one.container == other.container;
  return !one.adapter.empty() && one.adapter == other.adapter;
}

/// Whether the endpoint is there that `text` means, if it means any.
Result<> is_there(const std::vector<wasapi::EndpointInfo>& known, wasapi::Flow flow,
                  const std::string& text) {
  if (text.empty()) return {};
  const auto chosen = wasapi::choose_endpoint(known, flow, text);
  if (!chosen) return tl::unexpected<Error>(chosen.error());
  if ((*chosen)->active()) return {};
  return fail(ErrorCode::device_gone,
              fmt::format("\"{}\" is not there now. Plug it in, or enable it in Windows' sound "
                          "settings.",
                          (*chosen)->name));
}

Result<> are_there(const std::vector<wasapi::EndpointInfo>& known, const Config::Wasapi& config) {
  auto output = is_there(known, wasapi::Flow::render, config.output);
  return output ? is_there(known, wasapi::Flow::capture, config.input) : output;
}

std::string name_of(const Config::Wasapi& config) {
  const std::string& text = config.output.empty() ? config.input : config.output;
  return text == "default" ? "Windows' sound device" : text;
}

}  // namespace

Backends::Backends(ports::Clock& clock, ports::Threads& threads,
                   std::unique_ptr<wasapi::System> sound, Log log)
    : clock_(clock), threads_(threads), sound_(std::move(sound)), log_(std::move(log)) {}

void Backends::remember_in(const std::string& path) {
  memory_path_.clear();
  if (path.empty()) return;
  LoadedEndpoints loaded = load_endpoints(path);
  if (!loaded.warning.empty()) log_(LogLevel::warning, loaded.warning);
  memory_ = std::move(loaded.memory);
  if (loaded.keep) memory_path_ = path;
}

MadeDevice Backends::make(const Config& config) {
  auto made = make_backend(config);
  if (!made) return made;
  const Config::Channels& channels = config.channels;
  if (channels.inputs.empty() && channels.outputs.empty() && channels.input_names.empty() &&
      channels.output_names.empty()) {
    return made;
  }
  const auto* const late = dynamic_cast<const LateDevice*>(made->get());
  const bool complete = late == nullptr || late->is_complete();  // else it cannot be judged yet
  if (auto checked = ArrangedDevice::check((*made)->info(), channels); complete && !checked) {
    return tl::unexpected<Error>(std::move(checked.error()));
  }
  return MadeDevice(std::make_unique<ArrangedDevice>(std::move(*made), channels));
}

MadeDevice Backends::make_backend(const Config& config) {
  switch (config.backend) {
    case Backend::automatic: return make_automatic(config);
    case Backend::simulated: return make_simulated(config);
    case Backend::combined:
      return make_late(config.combined.name.empty() ? "Combined device" : config.combined.name,
                       [this, config] { return make_combined(config); });
    case Backend::wasapi: break;
  }
  return make_late_wasapi(config.wasapi);
}

MadeDevice Backends::make_late_wasapi(const Config::Wasapi& wasapi) {
  Make part;
  if (!wasapi.output.empty() && !wasapi.input.empty()) {
    part = [this, output = wasapi]() mutable {
      output.input.clear();
      return make_wasapi(output);
    };
  }
  return make_late(
      name_of(wasapi), [this, wasapi] { return make_wasapi(wasapi); }, part);
}

MadeDevice Backends::make_simulated(const Config& config) {
  return make_simulated_backend(clock_, threads_, config.simulated, log_);
}

bool Backends::any_output() {
  if (!sound_) return false;
  const auto found = endpoints(wasapi::Asked::windows);
  if (!found) return !hanging_.expired();  // what hangs is a driver: there are devices
  return std::any_of(found->begin(), found->end(), [](const auto& each) {
    return each.flow == wasapi::Flow::render && each.active();
  });
}

/// A driver may hang while it is asked, and this is asked again every 500 ms while a device is
/// waited for: one look that has not come back is left alone, and no other is begun beside it.
Result<Backends::Endpoints> Backends::endpoints(wasapi::Asked whom) {
  constexpr nanoseconds kLongestLook = std::chrono::milliseconds{1900};
  const auto hangs = [] {
    return fail(ErrorCode::device_gone,
                "Windows has not finished telling which sound devices there are: a driver hangs. "
                "Try again later.");
  };
  if (!hanging_.expired()) return hangs();
  using Found = Result<Endpoints>;
  const auto found = std::make_shared<std::optional<Found>>();
  auto work = [found, sound = sound_, whom] {
    try {
      found->emplace(wasapi::list_endpoints(*sound, whom));
    } catch (const std::exception&) {  // no memory; there is no answer then
    }
  };
  try {
    if (!sound_->run_aside(std::move(work), kLongestLook)) {
      hanging_ = found;
      return hangs();
    }
  } catch (const std::exception&) {
    return fail(ErrorCode::out_of_memory, "There is no thread to look at the sound devices with.");
  }
  if (found->has_value()) return std::move(**found);
  return fail(ErrorCode::out_of_memory, "There is no memory for a list of the sound devices.");
}

std::string Backends::recognised_id(const Endpoints& known, wasapi::Flow flow,
                                    const std::string& text) const {
  const RememberedEndpoint* const before = memory_.find(flow, text);
  // An id that Windows still has says more than what is remembered of it.
  const bool is_known = std::any_of(known.begin(), known.end(), [&](const auto& each) {
    return each.flow == flow && each.id == text && each.state != wasapi::kNotPresent;
  });
  if (before == nullptr || is_known) return text;
  const wasapi::EndpointMatch match = wasapi::match_endpoint(known, flow, before->now);
  return match.endpoint == nullptr ? text : match.endpoint->id;
}

Config::Wasapi Backends::recognised(const Endpoints& known, Config::Wasapi config) const {
  config.output = recognised_id(known, wasapi::Flow::render, config.output);
  config.input = recognised_id(known, wasapi::Flow::capture, config.input);
  return config;
}

/// Names and "default" mean what has them now; an id means one device for good.
void Backends::remember(const std::string& configured, const wasapi::EndpointInfo& endpoint) {
  const RememberedEndpoint* const before = memory_.find(endpoint.flow, configured);
  if (before == nullptr && configured != endpoint.id) return;
  if (before != nullptr && before->now.id != endpoint.id) {
    log_(LogLevel::info,
         fmt::format("\"{}\" has another id than before, and is taken for the device that was "
                     "configured.",
                     endpoint.name));
  }
  const bool is_news = memory_.note({endpoint.flow, configured, endpoint});
  if (!is_news || memory_path_.empty()) return;
  if (auto saved = save_endpoints(memory_path_, memory_); !saved) {
    log_(LogLevel::warning, saved.error().message);
  }
}

MadeDevice Backends::make_automatic(const Config& config) {
  if (!any_output()) return make_simulated(config);
  return make_late_wasapi(config.wasapi);
}

MadeDevice Backends::make_late(std::string name, Make make, const Make& part) {
  auto made = make();
  if (made || !may_come(made.error().code)) return made;
  std::unique_ptr<ports::Device> plays;
  if (part) {
    if (auto half = part()) plays = std::move(*half);
  }
  log_(LogLevel::warning,
       fmt::format("{}: {}",
                   plays ? "The input is not there, and the output plays without it until it comes"
                         : "There is no device yet, and it is waited for",
                   made.error().message));
  return MadeDevice(std::make_unique<LateDevice>(std::move(make), std::move(name),
                                                 std::move(made.error()), std::move(plays)));
}

MadeDevice Backends::make_wasapi(const Config::Wasapi& configured) {
  if (!sound_) {
    return fail(ErrorCode::unsupported,
                "The backend \"wasapi\" needs Windows. Choose \"simulated\" here.");
  }
  if (configured.output.empty() && configured.input.empty()) {
    return fail(ErrorCode::invalid_argument,
                "wasapi.output and wasapi.input are both \"\". Name at least one.");
  }
  // Before any driver is asked: one that is missing is looked for again and again.
  const auto known = endpoints(wasapi::Asked::windows);
  if (!known) return tl::unexpected<Error>(known.error());
  const Config::Wasapi config = recognised(*known, configured);
  wasapi::WasapiOptions options = options_of(config);
  if (auto there = are_there(*known, config); !there) {
    return tl::unexpected<Error>(std::move(there.error()));
  }
  const auto found = endpoints(wasapi::Asked::drivers);  // if one hangs, then here, and once
  if (!found) return tl::unexpected<Error>(found.error());
  using Chosen = Result<const wasapi::EndpointInfo*>;
  const auto choose = [&found](wasapi::Flow flow, const std::string& text) -> Chosen {
    const wasapi::EndpointInfo* const none = nullptr;
    return text.empty() ? Chosen(none) : wasapi::choose_endpoint(*found, flow, text);
  };
  const Chosen output = choose(wasapi::Flow::render, options.render);
  if (!output) return tl::unexpected<Error>(output.error());
  const Chosen input = choose(wasapi::Flow::capture, options.capture);
  if (!input) return tl::unexpected<Error>(input.error());
  if (*output != nullptr) remember(configured.output, **output);
  if (*input != nullptr) remember(configured.input, **input);
  const bool has_both = *output != nullptr && *input != nullptr;
  const bool two_clocks =
      has_both && (config.clocks == Clocks::two ||
                   (config.clocks == Clocks::automatic && !share_a_clock(**output, **input)));
  const auto made = [](Result<std::unique_ptr<wasapi::WasapiDevice>> device) {
    if (!device) return MadeDevice(tl::unexpected<Error>(std::move(device.error())));
    return MadeDevice(std::move(*device));
  };
  if (!two_clocks) return made(wasapi::make_wasapi_device(*sound_, clock_, std::move(options)));
  std::vector<devices::CombinedMember> members(2);
  wasapi::WasapiOptions half = options;
  half.capture.clear();
  auto render = made(wasapi::make_wasapi_device(*sound_, clock_, half));
  if (!render) return render;
  half = options;
  half.render.clear();
  auto capture = made(wasapi::make_wasapi_device(*sound_, clock_, half));
  if (!capture) return capture;
  members[0].device = std::move(*render);
  members[1].device = std::move(*capture);
  auto both = devices::CombinedDevice::make(clock_, threads_, std::move(members));
  if (!both) return tl::unexpected<Error>(std::move(both.error()));
  return MadeDevice(std::move(*both));
}

/// Others wait for no microphone that was not named: the member does without one that is not there.
MadeDevice Backends::make_member(const Config::Wasapi& config) {
  MadeDevice made = make_wasapi(config);
  if (made || made.error().code != ErrorCode::not_found) return made;
  if (config.input != "default" || config.output.empty()) return made;
  Config::Wasapi output = config;
  output.input.clear();
  return make_wasapi(output);
}

/// Whether all members are there that are waited for.
Result<> Backends::find_members(const Config& config) {
  const auto& members = config.members;
  const bool asks_windows = std::any_of(members.begin(), members.end(), [](const auto& member) {
    return member.backend != Backend::simulated;
  });
  if (!sound_ || !asks_windows) return {};
  const auto known = endpoints(wasapi::Asked::windows);
  if (!known) return tl::unexpected<Error>(known.error());
  for (const Config::Member& member : members) {
    if (member.backend == Backend::simulated) continue;
    Config::Wasapi needed = member.wasapi;
    if (needed.input == "default" && !needed.output.empty()) needed.input.clear();
    if (auto there = are_there(*known, recognised(*known, needed)); !there) return there;
  }
  return {};
}

MadeDevice Backends::make_combined(const Config& config) {
  if (auto there = find_members(config); !there) {
    return tl::unexpected<Error>(std::move(there.error()));
  }
  std::vector<devices::CombinedMember> members;
  for (const Config::Member& wanted : config.members) {
    devices::CombinedMember member;
    member.prefix = wanted.prefix;
    MadeDevice device =
        wanted.backend == Backend::simulated ? make_simulated(config) : make_member(wanted.wasapi);
    if (!device) return device;
    member.device = std::move(*device);
    members.push_back(std::move(member));
  }
  devices::CombinedOptions options;
  options.name = config.combined.name;
  options.stall_allowance = std::chrono::milliseconds{config.combined.stall_ms};
  auto made = devices::CombinedDevice::make(clock_, threads_, std::move(members), options);
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  return MadeDevice(std::move(*made));
}

nlohmann::json Backends::list(const Config& config) {
  nlohmann::json devices = sound_ ? list_wasapi(sound_, listing_) : nlohmann::json::array();
  auto simulated = make_simulated_backend(clock_, threads_, config.simulated, [](auto, auto&) {});
  if (simulated) devices.push_back(device_json((*simulated)->info(), "simulated"));
  return devices;
}

}  // namespace asiodrv::service
