// Windows' sound devices, and whether ours opens. Asked on a thread that is given up when a sound
// driver does not answer.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <utility>

#include "devices/wasapi/codes.hpp"
#include "devices/wasapi/com.hpp"
#include "devices/wasapi/endpoints.hpp"
#include "devices/wasapi/text.hpp"
#include "doctor/gather.hpp"
#include "platform/platform.hpp"
#include "service/backends.hpp"
#include "service/sound_system.hpp"

namespace asiodrv::doctor {
namespace {

namespace wasapi = devices::wasapi;

constexpr nanoseconds kSystemLimit = std::chrono::seconds{10};

/// The check box "allow applications to take exclusive control": 0 or 1, absent means 1.
constexpr wasapi::PropertyKey kExclusiveAllowed{
    {0xB3F8FA53, 0x0004, 0x438E, {0x90, 0x03, 0x51, 0xA4, 0x6E, 0x13, 0x9B, 0xFC}}, 3};

const char* state_name(std::uint32_t state) {
  switch (state) {
    case wasapi::kActive: return "active";
    case wasapi::kDisabled: return "disabled";
    case wasapi::kUnplugged: return "unplugged";
    default: return "absent";
  }
}

/// What Windows itself answers to the question, which opens nothing. Any other answer is about the
/// format.
bool refuses_exclusive_use(wasapi::System& system, wasapi::MmDevice& device) {
  wasapi::ComPtr<wasapi::AudioClient> client;
  wasapi::TaskMemory<wasapi::WaveFormat> format(system);
  if (wasapi::failed(wasapi::activate(device, client)) ||
      wasapi::failed(client->mix_format(format.out())) || format.get() == nullptr) {
    return false;
  }
  return client->is_format_supported(wasapi::ShareMode::exclusive, format.get(), nullptr) ==
         wasapi::kExclusiveNotAllowed;
}

Known<bool> exclusive_allowed(wasapi::System& system, wasapi::MmDeviceEnumerator& enumerator,
                              const std::string& id) {
  constexpr std::uint32_t kReadOnly = 0;
  wasapi::ComPtr<wasapi::MmDevice> device;
  wasapi::ComPtr<wasapi::PropertyStore> store;
  if (wasapi::failed(enumerator.device(wasapi::to_utf16(id).c_str(), device.out())) || !device ||
      wasapi::failed(device->open_properties(kReadOnly, store.out())) || !store) {
    return Known<bool>::unknown("the device does not show its properties");
  }
  if (refuses_exclusive_use(system, *device.get())) return false;
  wasapi::PropertyValue value{};
  if (wasapi::failed(store->value(kExclusiveAllowed, &value))) return true;
  const bool allowed = value.type != wasapi::kVariantU4 || value.u4 != 0;
  system.clear(value);
  return allowed;
}

/// What the thread needs as long as it lives, and what it found out.
struct Inquiry {
  std::unique_ptr<ports::Clock> clock = platform::make_clock();
  std::unique_ptr<ports::Threads> threads = platform::make_threads();
  std::unique_ptr<wasapi::System> listing = service::make_sound_system();
  service::Config config;
  bool may_open = false;  ///< nobody is disturbed
  bool has_output = false;
  Result<std::vector<Endpoint>> endpoints = std::vector<Endpoint>();
  DeviceFacts device;
  /// Set by the thread once `endpoints` and `has_output` are final: they may be read then, though
  /// it has not ended. Release, paired with the acquire of who gives it up.
  std::atomic<bool> opening{false};

  void run();
  void open();
};

void Inquiry::run() {
  endpoints = read_endpoints(*listing);
  if (!endpoints) return;
  has_output = std::any_of(endpoints->begin(), endpoints->end(), [](const Endpoint& each) {
    return each.output && each.state == "active";
  });
  // What has no device of Windows' is simulated, and a simulated one may write into a file.
  if (may_open && (config.backend == service::Backend::wasapi || has_output)) {
    opening.store(true, std::memory_order_release);
    open();
  }
}

void Inquiry::open() {
  service::Backends backends(*clock, *threads, service::make_sound_system(),
                             [](service::LogLevel, const std::string&) {});
  const auto failed = [&](const Error& error) {
    device.open = OpenAttempt{false, std::string(error_name(error.code)), code_in(error.message),
                              error.message};
  };
  auto made = backends.make(config);
  if (!made) return failed(made.error());
  ports::DeviceInfo info = (*made)->info();
  const auto opened = (*made)->open({info.default_rate, info.default_period});
  if (opened) {
    device.open = OpenAttempt{true, "", 0, ""};
    (*made)->close();
  } else {
    failed(opened.error());
  }
  info = (*made)->info();  // it may have come just now
  device.name = info.name;
  device.present = info.present;
  if (!info.present) return;  // the rest is a guess
  device.min_period_frames = info.min_period.count;
  for (const SampleRate rate : info.rates) device.rates_hz.push_back(rate.hz);
}

std::string why_not_opened(const Facts& facts, const service::Config& config,
                           const GatherOptions& options) {
  if (config.backend == service::Backend::simulated) return "a simulated one always opens";
  if (config.backend == service::Backend::combined) {
    return "several devices as one are opened by the service alone; start a program";
  }
  const bool exclusive =
      config.wasapi.mode == service::WasapiMode::exclusive || config.wasapi.prefer_exclusive;
  if (exclusive && !options.probe) {
    return "it would be taken from other programs; run \"asio-driver doctor --probe\"";
  }
  if (!facts.clients.empty()) return "programs use it through the service";
  if (facts.configuration.state.is("broken")) return "the configuration is not used";
  return {};
}

}  // namespace

std::uint32_t code_in(const std::string& message) {
  constexpr std::array<std::uint32_t, 17> kTold{
      0x8889000E, 0x8889000A, 0x88890004, 0x88890026, 0x88890008, 0x88890010,
      0x8889000F, 0x88890019, 0x88890020, 0x88890016, 0x88890028, 0x88890029,
      0x80070490, 0x80070005, 0x8007001F, 0x88890012, 0x88890017};
  for (const std::uint32_t code : kTold) {
    const std::string name = fmt::format("({})", wasapi::code_name(static_cast<wasapi::Hr>(code)));
    if (message.find(name) != std::string::npos) return code;
  }
  return 0;
}

Result<std::vector<Endpoint>> read_endpoints(wasapi::System& system) {
  wasapi::ComPtr<wasapi::MmDeviceEnumerator> enumerator;
  if (const wasapi::Hr code = system.make_enumerator(enumerator.out()); wasapi::failed(code)) {
    return tl::unexpected<Error>(wasapi::describe(code, "Listing the sound devices"));
  }
  auto listed = wasapi::list_endpoints(system);
  if (!listed) return tl::unexpected<Error>(std::move(listed.error()));
  std::vector<Endpoint> endpoints;
  for (const wasapi::EndpointInfo& each : *listed) {
    Endpoint endpoint;
    endpoint.id = each.id;
    endpoint.name = each.name;
    endpoint.description = each.description;
    endpoint.usb = each.usb;
    endpoint.output = each.flow == wasapi::Flow::render;
    endpoint.state = state_name(each.state);
    endpoint.is_default = each.is_default;
    endpoint.exclusive_allowed = exclusive_allowed(system, *enumerator.get(), each.id);
    if (each.mix) endpoint.rate_hz = each.mix->rate.hz;
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

void gather_device(Facts& facts, const service::Config& config, const GatherOptions& options) {
  DeviceFacts& device = facts.device;
  const std::string why = why_not_opened(facts, config, options);
  if (!device.open.known()) {
    device.open = Known<OpenAttempt>::unknown(why.empty() ? "there is none" : why);
  }
  if (config.backend != service::Backend::automatic) {
    device.backend = std::string(service::backend_name(config.backend));
  }
  const auto inquiry = std::make_shared<Inquiry>();
  if (!inquiry->listing) {
    facts.endpoints_listed = Known<bool>::unknown("this system is not Windows");
    if (!device.backend.known()) device.backend = std::string("simulated");
    return;
  }
  inquiry->config = config;
  inquiry->may_open = why.empty() && !device.open.known();
  // The thread may outlive this call, when a sound driver holds it up; it owns all that it uses.
  wasapi::System& aside = *inquiry->listing;
  const bool ended = aside.run_aside([inquiry] { inquiry->run(); }, kSystemLimit);
  if (!ended && !inquiry->opening.load(std::memory_order_acquire)) {
    facts.endpoints_listed =
        Known<bool>::unknown("Windows' sound system has not answered for 10 s");
    return;
  }
  if (!inquiry->endpoints) {
    const std::uint32_t code = code_in(inquiry->endpoints.error().message);
    facts.endpoints_listed = Known<bool>::unknown(inquiry->endpoints.error().message);
    if (!device.open.known() && code != 0) {
      device.open = OpenAttempt{false, "", code, inquiry->endpoints.error().message};
    }
    return;
  }
  facts.endpoints = *inquiry->endpoints;
  facts.endpoints_listed = true;
  if (!device.backend.known()) {
    device.backend = std::string(inquiry->has_output ? "wasapi" : "simulated");
  }
  if (!ended) {
    device.open = OpenAttempt{false, std::string(error_name(ErrorCode::timed_out)), 0,
                              "Listing the devices and opening it took over 10 s."};
    return;
  }
  DeviceFacts& found = inquiry->device;
  if (!found.open.known()) return;
  device.open = found.open;
  device.present = found.present;
  if (!found.name.empty()) device.name = found.name;
  if (found.min_period_frames.known()) device.min_period_frames = found.min_period_frames;
  if (!found.rates_hz.empty()) device.rates_hz = std::move(found.rates_hz);
}

}  // namespace asiodrv::doctor
