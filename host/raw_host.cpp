#include "host/raw_host.hpp"

#include <cstring>
#include <memory>

namespace asiodrv::host {

void RawHost::choose_channels(std::int32_t inputs, std::int32_t outputs) {
  infos.clear();
  for (std::int32_t channel = 0; channel < inputs; ++channel) infos.push_back({1, channel, {}});
  for (std::int32_t channel = 0; channel < outputs; ++channel) infos.push_back({0, channel, {}});
}

std::int32_t RawHost::create(Driver& driver, std::int32_t frames, bool scribble) {
  const auto count = static_cast<std::int32_t>(infos.size());
  if (!scribble) {
    kept_ = functions();
    if (edit) edit(kept_);
    return driver->createBuffers(infos.data(), count, frames, &kept_);
  }
  poisoned_ = std::make_unique<asio::Callbacks>(functions());
  std::vector<asio::BufferInfo> copy = infos;
  const std::int32_t code = driver->createBuffers(copy.data(), count, frames, poisoned_.get());
  infos = copy;
  std::memset(static_cast<void*>(copy.data()), 0xEE, copy.size() * sizeof copy[0]);
  // Not freed while the driver lives: its address must keep its poison.
  std::memset(static_cast<void*>(poisoned_.get()), 0xEE, sizeof *poisoned_);
  return code;
}

bool RawHost::wait_callbacks(World& world, std::uint64_t count, nanoseconds limit) {
  const std::uint64_t target = callbacks.load() + count;
  return wait_until(world, limit, [&] { return callbacks.load() >= target; });
}

void RawHost::on_buffer(const asio::Time* time, std::int32_t half, std::int32_t) RT_SAFE {
  entered.fetch_add(1);
  if (hook) hook(time, half);
  callbacks.fetch_add(1);
}

void RawHost::on_rate(double) noexcept { rate_calls.fetch_add(1); }

std::int32_t RawHost::on_message(std::int32_t selector, std::int32_t value, void*,
                                 double*) noexcept {
  switch (selector) {
    case asio::kSelectorSupported:
      return value == asio::kSelectorSupported || value == asio::kEngineVersion ||
                     value == asio::kResetRequest || value == asio::kResyncRequest ||
                     value == asio::kLatenciesChanged || value == asio::kSupportsTimeInfo
                 ? 1
                 : 0;
    case asio::kEngineVersion: return 2;
    case asio::kResetRequest: resets.fetch_add(1); return 1;
    case asio::kResyncRequest:
    case asio::kLatenciesChanged:
    case asio::kOverload: return 1;
    case asio::kSupportsTimeInfo: return claims_time_info ? 1 : 0;
    default: return 0;
  }
}

}  // namespace asiodrv::host
