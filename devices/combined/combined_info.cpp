#include "devices/combined/combined_info.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "devices/combined/member_plan.hpp"

namespace asiodrv::devices {
namespace {

bool every_member_reaches(const std::vector<const ports::DeviceInfo*>& infos, SampleRate rate) {
  return std::all_of(infos.begin() + 1, infos.end(), [rate](const ports::DeviceInfo* info) {
    return resamples(nearest_rate(info->rates, rate), rate);
  });
}

void append_names(std::vector<std::string>& all, const CombinedMember& member, std::uint32_t count,
                  const std::vector<std::string>& own, const std::vector<std::string>& wanted,
                  const char* direction) {
  for (std::size_t i = 0; i < count; ++i) {
    std::string name = i < wanted.size() ? wanted[i] : std::string();
    if (name.empty() && i < own.size()) name = own[i];
    if (name.empty()) name = std::string(direction) + " " + std::to_string(i + 1);
    all.push_back(member.prefix + name);
  }
}

}  // namespace

Result<> check_combined(const std::vector<CombinedMember>& members,
                        const CombinedOptions& options) {
  const auto refuse = [](std::string message) {
    return fail(ErrorCode::invalid_argument, "Combined device: " + std::move(message));
  };
  if (members.size() < kMinMembers || members.size() > kMaxMembers) {
    return refuse(std::to_string(members.size()) + " devices; 2 to 8 are accepted.");
  }
  if (options.stall_allowance < nanoseconds{0} || options.stall_allowance > kMaxStallAllowance) {
    return refuse("the stall allowance is " + std::to_string(options.stall_allowance.count()) +
                  " ns; 0 to 200 ms are accepted.");
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    const CombinedMember& member = members[i];
    if (member.device == nullptr) {
      return refuse("device " + std::to_string(i + 1) + " is missing; give one.");
    }
    const ports::DeviceInfo& info = member.device->info();
    if (member.input_names.size() > info.input_channels ||
        member.output_names.size() > info.output_channels) {
      return refuse(info.name + " has " + std::to_string(info.input_channels) + " inputs and " +
                    std::to_string(info.output_channels) + " outputs, and was given names for " +
                    std::to_string(member.input_names.size()) + " and " +
                    std::to_string(member.output_names.size()) + "; give at most as many.");
    }
    for (std::size_t other = 0; other < i; ++other) {
      if (members[other].device->info().id == info.id) {
        return refuse(info.name + " is named twice; name each device once.");
      }
    }
  }
  return {};
}

ports::DeviceInfo combined_info(const std::vector<const ports::DeviceInfo*>& infos,
                                const std::vector<CombinedMember>& members,
                                const CombinedOptions& options) {
  const ports::DeviceInfo& master = *infos.front();
  ports::DeviceInfo info = master;
  info.name = options.name;
  info.input_channels = info.output_channels = 0;
  info.input_names.clear();
  info.output_names.clear();
  info.rates.clear();
  info.periods.clear();
  for (std::size_t i = 0; i < master.rates.size(); ++i) {
    if (!every_member_reaches(infos, master.rates[i])) continue;
    info.rates.push_back(master.rates[i]);
    if (i < master.periods.size()) info.periods.push_back(master.periods[i]);
  }
  const auto offered = std::find(info.rates.begin(), info.rates.end(), info.default_rate);
  if (offered == info.rates.end() && !info.rates.empty()) info.default_rate = info.rates.front();

  info.id = "combined";
  std::string names;
  for (std::size_t i = 0; i < infos.size(); ++i) {
    const CombinedMember& member = members[i];
    const ports::DeviceInfo& own = *infos[i];
    info.id += (i == 0 ? ":" : "+") + own.id;
    names += (names.empty() ? "" : " + ") + own.name;
    info.input_channels += own.input_channels;
    info.output_channels += own.output_channels;
    append_names(info.input_names, member, own.input_channels, own.input_names, member.input_names,
                 "Input");
    append_names(info.output_names, member, own.output_channels, own.output_names,
                 member.output_names, "Output");
  }
  if (info.name.empty()) info.name = names;
  return info;
}

}  // namespace asiodrv::devices
