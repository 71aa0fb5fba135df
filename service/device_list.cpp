#include "service/device_list.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/ports/mutex.hpp"
#include "core/ports/periods.hpp"
#include "devices/wasapi/endpoints.hpp"
#include "devices/wasapi/offer.hpp"
#include "devices/wasapi/text.hpp"

namespace asiodrv::service {
namespace {

namespace wasapi = devices::wasapi;
using nlohmann::json;

/// Who asks holds up all other requests to the service.
constexpr nanoseconds kLongestListing = std::chrono::seconds{3};

/// Grows as endpoints answer; whoever hangs at one of them may be left alone with it.
class Listing {
 public:
  void add(json endpoint) {
    const ports::MutexLock lock(mutex_);
    list_.push_back(std::move(endpoint));
  }
  [[nodiscard]] json so_far() {
    const ports::MutexLock lock(mutex_);
    return list_;
  }

 private:
  ports::Mutex mutex_;
  json list_ = json::array();
};

json rate_json(SampleRate rate, const ports::PeriodRange& range) {
  return {{"rate_hz", rate.hz},
          {"min_period_frames", range.least.count},
          {"max_period_frames", range.most.count},
          {"period_step_frames", range.step.count},
          {"round_trip_ms", 2000.0 * range.least.count / rate.hz}};
}

const char* state_name(std::uint32_t state) {
  switch (state) {
    case wasapi::kActive: return "active";
    case wasapi::kDisabled: return "disabled";
    case wasapi::kUnplugged: return "unplugged";
    default: return "absent";
  }
}

json modes_json(wasapi::System& system, wasapi::MmDevice& device, const wasapi::EndpointInfo& info,
                std::string& problem) {
  json modes = json::array();
  for (const wasapi::StreamMode mode : {wasapi::StreamMode::low_latency, wasapi::StreamMode::shared,
                                        wasapi::StreamMode::exclusive}) {
    const auto offer = wasapi::make_offer(system, device, info, {mode});
    if (!offer) {
      if (mode == wasapi::StreamMode::shared) problem = offer.error().message;
      continue;
    }
    json rates = json::array();
    for (const wasapi::RateOffer& each : offer->rates) {
      rates.push_back(rate_json(each.rate, each.periods));
    }
    modes.push_back({{"mode", wasapi::mode_name(mode)},
                     {"channels", offer->channels},  // the exclusive mode may have more
                     {"rates", std::move(rates)}});
  }
  return modes;
}

json endpoint_json(wasapi::System& system, wasapi::MmDeviceEnumerator& enumerator,
                   const wasapi::EndpointInfo& info) {
  const bool output = info.flow == wasapi::Flow::render;
  const std::uint32_t channels = info.mix ? info.mix->channels : 0;
  json object{{"id", info.id},
              {"name", info.name},
              {"backend", "wasapi"},
              {"inputs", output ? 0 : channels},
              {"outputs", output ? channels : 0},
              {"state", state_name(info.state)},
              {"default", info.is_default},
              {"modes", json::array()}};
  if (info.mix) object["format"] = wasapi::format_text(*info.mix);
  if (!info.active()) return object;
  wasapi::ComPtr<wasapi::MmDevice> device;
  std::string problem;
  if (!wasapi::failed(enumerator.device(wasapi::to_utf16(info.id).c_str(), device.out())) &&
      device) {
    object["modes"] = modes_json(system, *device.get(), info, problem);
  } else {
    problem = "It has left while it was asked.";
  }
  if (!problem.empty()) object["problem"] = problem;
  return object;
}

void list_into(wasapi::System& system, Listing& listing) {
  const std::shared_ptr<void> com = system.hold_com();
  wasapi::ComPtr<wasapi::MmDeviceEnumerator> enumerator;
  if (!com || wasapi::failed(system.make_enumerator(enumerator.out()))) return;
  const auto endpoints = wasapi::list_endpoints(system);
  if (!endpoints) return;
  for (const wasapi::EndpointInfo& each : *endpoints) {
    listing.add(endpoint_json(system, *enumerator.get(), each));
  }
}

/// In the place of those that have not answered.
json no_answer() {
  return {{"id", ""},
          {"name", "Other devices of Windows"},
          {"backend", "wasapi"},
          {"inputs", 0},
          {"outputs", 0},
          {"state", "absent"},
          {"default", false},
          {"modes", json::array()},
          {"problem",
           "Windows has not finished telling what there is: a driver hangs. Try again later."}};
}

}  // namespace

json device_json(const ports::DeviceInfo& info, const char* backend) {
  json rates = json::array();
  for (const SampleRate rate : info.rates) {
    rates.push_back(rate_json(rate, ports::periods_at(info, rate)));
  }
  return {{"id", info.id},
          {"name", info.name},
          {"backend", backend},
          {"inputs", info.input_channels},
          {"outputs", info.output_channels},
          {"state", "active"},
          {"default", false},
          {"modes", {{{"mode", backend}, {"rates", std::move(rates)}}}}};
}

json list_wasapi(const std::shared_ptr<wasapi::System>& system, std::weak_ptr<void>& hanging) {
  if (!hanging.expired()) return json::array({no_answer()});
  const auto listing = std::make_shared<Listing>();
  const auto work = [listing, system] {
    try {
      list_into(*system, *listing);
    } catch (const std::exception&) {  // no memory: what there is, is told
    }
  };
  const bool complete = system->run_aside(work, kLongestListing);
  json list = listing->so_far();
  if (!complete) {
    hanging = listing;
    list.push_back(no_answer());
  }
  return list;
}

}  // namespace asiodrv::service
