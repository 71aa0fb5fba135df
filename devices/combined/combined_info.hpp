// What several devices offer together. Internal to devices/combined.
#pragma once

#include <vector>

#include "core/base/result.hpp"
#include "core/ports/device.hpp"
#include "devices/combined/combined_device.hpp"

namespace asiodrv::devices {

/// Errors: invalid_argument, naming the option and what is accepted.
[[nodiscard]] Result<> check_combined(const std::vector<CombinedMember>& members,
                                      const CombinedOptions& options);

/// The master's rates (those that every member can be brought to), periods and clock sources,
/// everybody's channels. `infos`: what the members' devices are now, the master first; of `members`
/// only the names are looked at. All arguments have been checked.
[[nodiscard]] ports::DeviceInfo combined_info(const std::vector<const ports::DeviceInfo*>& infos,
                                              const std::vector<CombinedMember>& members,
                                              const CombinedOptions& options);

}  // namespace asiodrv::devices
