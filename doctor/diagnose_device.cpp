// Whether there is a device, and whether it plays.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "devices/wasapi/codes.hpp"
#include "devices/wasapi/endpoints.hpp"
#include "doctor/diagnose.hpp"

namespace asiodrv::doctor {
namespace {

namespace wasapi = devices::wasapi;

struct Meaning {
  std::uint32_t code;
  const char* cause;
};

constexpr std::array kMeanings{
    Meaning{0x8889000E, "exclusive_disallowed"},  Meaning{0x8889000A, "device_busy"},
    Meaning{0x88890004, "device_lost"},           Meaning{0x88890026, "device_lost"},
    Meaning{0x88890008, "rate_mismatch"},         Meaning{0x88890029, "rate_mismatch"},
    Meaning{0x88890010, "audio_service_stopped"}, Meaning{0x8889000F, "device_failed"},
    Meaning{0x88890019, "buffer_below_minimum"},  Meaning{0x88890020, "buffer_below_minimum"},
    Meaning{0x88890016, "buffer_below_minimum"},  Meaning{0x88890028, "buffer_below_minimum"},
    Meaning{0x80070490, "device_missing"},        Meaning{0x80070005, "microphone_denied"},
    Meaning{0x8007001F, "device_failed"},
};

/// Where no code was told, by the name of our own error.
const char* cause_of_error(const std::string& error) {
  if (error == error_name(ErrorCode::device_busy)) return "device_busy";
  if (error == error_name(ErrorCode::device_gone)) return "device_missing";
  if (error == error_name(ErrorCode::not_found)) return "device_missing";
  if (error == error_name(ErrorCode::format_refused)) return "rate_mismatch";
  if (error == error_name(ErrorCode::timed_out)) return "device_failed";
  return "device_refused";
}

const Endpoint* first(const std::vector<Endpoint>& endpoints, const char* state) {
  const auto found = std::find_if(endpoints.begin(), endpoints.end(), [&](const Endpoint& each) {
    return each.output && each.state == state;
  });
  return found == endpoints.end() ? nullptr : &*found;
}

/// What the configured text means, by the rule of the device itself; null: nothing that is there.
const Endpoint* meant(const std::vector<Endpoint>& endpoints, bool output,
                      const std::string& text) {
  std::vector<wasapi::EndpointInfo> infos;
  for (const Endpoint& each : endpoints) {
    wasapi::EndpointInfo& info = infos.emplace_back();
    info.id = each.id;
    info.name = each.name;
    info.description = each.description;
    info.usb = each.usb;
    info.flow = each.output ? wasapi::Flow::render : wasapi::Flow::capture;
    info.is_default = each.is_default;
    if (each.state == "active") info.state = wasapi::kActive;
  }
  const auto chosen =
      wasapi::choose_endpoint(infos, output ? wasapi::Flow::render : wasapi::Flow::capture, text);
  return chosen ? &endpoints[static_cast<std::size_t>(*chosen - infos.data())] : nullptr;
}

/// `detail`, and how the configured devices that are away were called: an id tells people nothing.
std::string with_names(std::string detail, const Facts& facts) {
  const ConfigurationFacts& config = facts.configuration;
  const auto add = [&](bool output, const std::string& configured, const std::string& name) {
    if (name.empty()) return;
    const Endpoint* const there = meant(facts.endpoints, output, configured);
    if (there != nullptr && there->state == "active") return;
    detail += fmt::format("{}The configured {} was \"{}\" when it was seen last.",
                          detail.empty() ? "" : " ", output ? "output" : "input", name);
  };
  if (config.backend == "combined") return detail;  // its members are named elsewhere
  add(true, config.output, config.output_name);
  add(false, config.input, config.input_name);
  return detail;
}

}  // namespace

const char* cause_of_code(std::uint32_t code) noexcept {
  for (const Meaning& each : kMeanings) {
    if (each.code == code) return each.cause;
  }
  return "device_refused";
}

bool Judge::wants_windows_sound() const {
  return facts_.system.name == "windows" && facts_.configuration.backend != "simulated";
}

void Judge::endpoints() {
  const ConfigurationFacts& config = facts_.configuration;
  const Endpoint* const active = first(facts_.endpoints, "active");
  if (facts_.system.name == "windows" && config.backend == "simulated" && active != nullptr) {
    find("device_silent", fmt::format("Windows has an output: {}.", active->name));
  }
  if (!wants_windows_sound() || has("audio_service_stopped")) return;
  if (!decided(facts_.endpoints_listed, "Which sound devices Windows has")) return;
  if (active == nullptr) {
    if (const Endpoint* const off = first(facts_.endpoints, "disabled")) {
      find("default_disabled", off->name + " is disabled, and there is no other output.");
    } else if (const Endpoint* const empty = first(facts_.endpoints, "unplugged")) {
      find("default_unplugged", empty->name + " is unplugged, and there is no other output.");
    } else if (!has("remote_session")) {
      find("no_output", "Windows lists no output.");
    }
    return;
  }
  if (config.backend == "combined") return;  // its members are named elsewhere
  const Endpoint* const chosen = meant(facts_.endpoints, true, config.output);
  if (chosen == nullptr) return;
  if (chosen->state == "disabled") {
    find("default_disabled", chosen->name + " is disabled.");
  } else if (chosen->state == "unplugged") {
    find("default_unplugged", chosen->name + " is unplugged.");
  }
  if (config.mode == "exclusive" &&
      decided(chosen->exclusive_allowed, "Whether exclusive use is allowed") &&
      chosen->exclusive_allowed.is(false)) {
    find("exclusive_disallowed", fmt::format("{}, and mode is \"exclusive\".", chosen->name));
  }
  if (config.input.empty()) return;
  const Endpoint* const input = meant(facts_.endpoints, false, config.input);
  if (input != nullptr && chosen->rate_hz.known() && input->rate_hz.known() &&
      *chosen->rate_hz != *input->rate_hz) {
    find("input_rate", fmt::format("{} runs at {} Hz, {} at {} Hz.", chosen->name, *chosen->rate_hz,
                                   input->name, *input->rate_hz));
  }
}

void Judge::device() {
  const DeviceFacts& device = facts_.device;
  const ConfigurationFacts& config = facts_.configuration;
  const bool explained = has("audio_service_stopped") || has("default_disabled") ||
                         has("default_unplugged") || has("no_output") || has("remote_session");
  if (device.lost.is(true)) {
    find("device_lost", device.name + " is waited for.");
  } else if (device.open.known() && !device.open->ok) {
    open_attempt();
  } else if (device.present.is(false) && !explained) {
    find("device_missing", with_names(device.name + " is waited for.", facts_));
  }
  if (!device.open.known() && wants_windows_sound() && !explained) {
    decided(device.open, "Whether the device opens");
  }
  if (device.clock_lost.is(true)) find("clock_lost", device.name + " has lost its clock.");
  if (device.min_period_frames.known() && config.max_frames < *device.min_period_frames) {
    find("buffer_below_minimum",
         fmt::format("Programs may choose {} frames at most, and {} has {} at least.",
                     config.max_frames, device.name, *device.min_period_frames));
  }
  for (const Client& client : facts_.clients) {
    const auto& rates = device.rates_hz;
    const bool offered =
        rates.empty() || std::find(rates.begin(), rates.end(), client.rate_hz) != rates.end();
    const std::uint32_t runs_at = device.rate_hz.value_or(0);  // 0: not known
    const bool differs = runs_at != 0 && runs_at != client.rate_hz;
    if (config.formats == "adapt" || config.formats == "follow" || client.rate_hz == 0 ||
        (offered && !differs)) {
      continue;
    }
    find("rate_mismatch", fmt::format("{} wants {} Hz, {} {}, and formats is \"{}\".",
                                      client.program, client.rate_hz, device.name,
                                      differs ? fmt::format("runs at {} Hz", runs_at)
                                              : std::string("does not offer that"),
                                      config.formats));
  }
}

void Judge::open_attempt() {
  const OpenAttempt& attempt = *facts_.device.open;
  const char* id = attempt.code != 0 ? cause_of_code(attempt.code) : cause_of_error(attempt.error);
  std::string detail = attempt.message;
  if (detail.empty() && attempt.code != 0) {
    detail = wasapi::describe(static_cast<wasapi::Hr>(attempt.code), "Opening it").message;
  }
  const std::string_view wanted = id;
  // Consequences of what is told already.
  if (wanted == "audio_service_stopped" && has("audio_service_stopped")) return;
  if (has("exclusive_disallowed") &&
      (wanted == "exclusive_disallowed" || attempt.error == error_name(ErrorCode::unsupported))) {
    return;
  }
  if (wanted == "device_missing" &&
      (has("no_output") || has("default_disabled") || has("default_unplugged") ||
       has("audio_service_stopped") || has("remote_session"))) {
    return;
  }
  if (wanted == "microphone_denied") {
    if (has("microphone_denied")) return;
    const SystemFacts& system = facts_.system;
    const bool allowed = system.microphone_policy.is("allow") ||
                         (system.microphone_policy.known() && system.microphone_device.known() &&
                          system.microphone_user.known() && system.microphone_desktop.known());
    // None of them says no, so it is something else.
    if (allowed || facts_.configuration.input.empty()) id = "device_refused";
  }
  if (wanted == "device_missing") detail = with_names(std::move(detail), facts_);
  find(id, std::move(detail));
}

}  // namespace asiodrv::doctor
