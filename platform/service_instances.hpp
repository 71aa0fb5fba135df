// Which of the machine's services are a user's own copy of a per-user service. The system makes one
// at each sign-in and names it `<template>_<hex>`, the same number for all services of that
// sign-in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace asiodrv::platform {

struct ListedService {
  std::string name;
  std::uint32_t type = 0;        ///< bit 0x80: an instance
  std::uint32_t process_id = 0;  ///< 0: it does not run
};

/// The hexadecimal end of `name`, when all before it is `template_name` and '_'. The case of
/// letters does not matter, as it does not to the system.
[[nodiscard]] std::optional<std::string_view> instance_suffix(
    std::string_view name, std::string_view template_name) noexcept;

/// The instance of `template_name` that belongs to `session`. A stopped one has no process to tell
/// its session by, but another service of the same sign-in may. Nothing: there is none, or nothing
/// in the list says which one. `session_of`: of a process; nothing when the system does not say.
[[nodiscard]] std::optional<std::string> instance_of_session(
    std::span<const ListedService> services, std::string_view template_name, std::uint32_t session,
    const std::function<std::optional<std::uint32_t>(std::uint32_t process_id)>& session_of);

}  // namespace asiodrv::platform
