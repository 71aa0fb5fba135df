// Everything that the doctor can find, most likely first. The place in this table is the order in
// which findings are told: what stops all sound before what stops some, what users meet often
// before what is rare, and a cause before its consequences.
#pragma once

#include <span>
#include <string_view>

namespace asiodrv::doctor {

struct Cause {
  std::string_view id;
  std::string_view what;  ///< in plain words
  std::string_view fix;   ///< the one thing to do
  bool ours = false;      ///< "asio-driver doctor --fix" can do it
  bool hint = false;      ///< makes sound worse rather than stopping it
};

[[nodiscard]] std::span<const Cause> all_causes() noexcept;

/// The entry of `id`; null for none.
[[nodiscard]] const Cause* find_cause(std::string_view id) noexcept;

}  // namespace asiodrv::doctor
