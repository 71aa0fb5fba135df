#include "service/arranged_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace asiodrv::service {
namespace {

std::vector<std::string> names_of(const std::vector<std::string>& own,
                                  const std::vector<std::uint32_t>& order,
                                  const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i < wanted.size() && !wanted[i].empty())
      names.push_back(wanted[i]);
    else if (order[i] < own.size())
      names.push_back(own[order[i]]);
    else
      names.push_back(fmt::format("Missing {}", i + 1));
  }
  return names;
}

Result<> check_side(const char* key, const std::vector<std::uint32_t>& order,
                    const std::vector<std::string>& names, const std::string& device,
                    std::uint32_t channels) {
  for (const std::uint32_t channel : order) {
    if (channel < channels) continue;
    return fail(ErrorCode::invalid_argument,
                fmt::format("channels.{}s names channel {}; {} has {}.", key, channel + 1, device,
                            channels));
  }
  const std::size_t offered = order.empty() ? channels : order.size();
  if (names.size() <= offered) return {};
  return fail(ErrorCode::invalid_argument,
              fmt::format("channels.{}_names has {} names; {} channels are offered.", key,
                          names.size(), offered));
}

}  // namespace

Result<> ArrangedDevice::check(const ports::DeviceInfo& info, const Config::Channels& wanted) {
  if (!info.present) return {};
  if (auto inputs =
          check_side("input", wanted.inputs, wanted.input_names, info.name, info.input_channels);
      !inputs) {
    return inputs;
  }
  return check_side("output", wanted.outputs, wanted.output_names, info.name, info.output_channels);
}

ArrangedDevice::ArrangedDevice(std::unique_ptr<ports::Device> inner, Config::Channels wanted)
    : inner_(std::move(inner)), wanted_(std::move(wanted)) {
  arrange();
}

ArrangedDevice::Side ArrangedDevice::arrange(const std::vector<std::uint32_t>& wanted,
                                             std::uint32_t channels) {
  Side side;
  for (std::uint32_t i = 0; i < channels; ++i) {
    const bool listed = std::find(wanted.begin(), wanted.end(), i) != wanted.end();
    if (wanted.empty())
      side.order.push_back(i);
    else if (!listed)
      side.left_out.push_back(i);
  }
  for (const std::uint32_t channel : wanted) {
    side.order.push_back(channel < channels ? channel : kNone);
  }
  return side;
}

void ArrangedDevice::arrange() {
  const ports::DeviceInfo& own = inner_->info();
  info_ = own;
  if (!own.present) return;  // a guess: as it is
  inputs_ = arrange(wanted_.inputs, own.input_channels);
  outputs_ = arrange(wanted_.outputs, own.output_channels);
  info_.input_channels = static_cast<std::uint32_t>(inputs_.order.size());
  info_.output_channels = static_cast<std::uint32_t>(outputs_.order.size());
  info_.input_names = names_of(own.input_names, inputs_.order, wanted_.input_names);
  info_.output_names = names_of(own.output_names, outputs_.order, wanted_.output_names);
}

void ArrangedDevice::refresh() {
  inner_->refresh();
  arrange();
}

Result<> ArrangedDevice::open(const ports::DeviceFormat& format) {
  auto opened = inner_->open(format);
  arrange();
  if (!opened) return opened;
  silence_.assign(format.period.count, 0.0F);
  nowhere_.assign(format.period.count, 0.0F);
  capture_.assign(inputs_.order.size(), silence_.data());
  render_.assign(outputs_.order.size(), nowhere_.data());
  return opened;
}

ports::PeriodStatus ArrangedDevice::wait_period(ports::DevicePeriod& period) RT_SAFE {
  const ports::PeriodStatus status = inner_->wait_period(period);
  if (status != ports::PeriodStatus::ready) return status;
  for (std::size_t i = 0; i < capture_.size(); ++i) {
    const std::uint32_t channel = inputs_.order[i];
    capture_[i] = channel == kNone ? silence_.data() : period.capture.channel(channel);
  }
  for (std::size_t i = 0; i < render_.size(); ++i) {
    const std::uint32_t channel = outputs_.order[i];
    render_[i] = channel == kNone ? nowhere_.data() : period.render.channel(channel);
  }
  for (const std::uint32_t channel : outputs_.left_out) {
    std::fill_n(period.render.channel(channel), period.render.frames.count, 0.0F);
  }
  period.capture = {capture_.data(), info_.input_channels, period.capture.frames};
  period.render = {render_.data(), info_.output_channels, period.render.frames};
  return status;
}

}  // namespace asiodrv::service
