// A new configuration in a running service: another device under programs that play.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "service/buffer_policy.hpp"
#include "service/driver_service.hpp"

namespace asiodrv::service {

using nlohmann::json;

namespace {

bool same_engine(const Config& a, const Config& b) {
  return a.deadline_fraction == b.deadline_fraction && a.spin_us == b.spin_us;
}

}  // namespace

/// A configuration that is wrong changes nothing: what runs stays, the error says what to mend.
Result<json> DriverService::reload_config(Client& client, const json& params) {
  if (!ports_.reload) return fail(ErrorCode::unsupported, "This service reads no configuration.");
  LoadedConfig fresh = ports_.reload();
  if (!fresh.error.empty()) {
    config_.error = fresh.error;
    return fail(ErrorCode::malformed, fresh.error);
  }
  if (any_session() && !same_engine(fresh.config, config_.config)) {
    return fail(ErrorCode::invalid_state,
                "Programs are using the driver, and the section [engine] has changed, which needs "
                "a pause. Close them, then load the configuration again.");
  }
  auto device = ports_.make_device(fresh.config);
  if (!device) return tl::unexpected<Error>(device.error());
  if (same_engine(fresh.config, config_.config)) {
    if (auto moved = change_device(std::move(*device)); !moved) {
      return tl::unexpected<Error>(moved.error());
    }
    config_ = std::move(fresh);
  } else {
    // Before anything is replaced: there may be no memory for another engine.
    auto host = make_host(std::move(*device), fresh.config);
    config_ = std::move(fresh);
    use_host(std::move(host));
  }
  tell_new_channels();
  if (!any_driver()) ports_.on_idle();  // how long to wait may have changed
  return get_config(client, params);
}

/// Programs with buffers keep them, with their rate and size: they are adapted until they make new
/// ones, and hear silence where a channel is no more.
Result<> DriverService::change_device(std::unique_ptr<ports::Device> device) {
  const ports::DeviceInfo& info = device->info();
  const auto& rates = info.rates;
  const bool keeps_rate =
      any_session() && std::find(rates.begin(), rates.end(), rate_) != rates.end();
  const SampleRate rate = keeps_rate ? rate_ : info.default_rate;
  const ports::DeviceFormat format{rate, period_for(info, rate, host_->format().period)};
  note_starts();
  const std::uint64_t after = host_->next_period();
  auto moved = host_->exchange(device, format);
  restart_runs(after);
  if (!moved) {
    attention_->signal();
    return moved;
  }
  rate_ = format.rate;
  clock_lost_ = false;
  loss_told_ = false;
  lost_at_.reset();  // how long another one lasts is not known
  if (host_->is_open()) left_playing_ = false;
  known_device_ = host_->info();
  studio_.set_device({known_device_.id, known_device_.name, known_device_.input_channels,
                      known_device_.output_channels});
  refresh_graph();
  ports_.log(LogLevel::info, fmt::format("The device is {} now.", known_device_.name));
  return {};
}

}  // namespace asiodrv::service
