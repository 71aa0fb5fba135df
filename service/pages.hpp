// Lists that one answer may not hold come in pages.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/wire/control.hpp"

namespace asiodrv::service {

/// An answer over wire::kMaxMessageBytes ends its connection, and names may be long: half of that
/// leaves room for what stands beside the list.
inline constexpr std::size_t kPageBytes = wire::kMaxMessageBytes / 2;

/// Takes the page that begins at number `first` out of `rows`: `most` rows, fewer where they are
/// long, but one at least while there are any.
[[nodiscard]] inline nlohmann::json take_page(nlohmann::json& rows, std::size_t first,
                                              std::size_t most) {
  using nlohmann::json;
  json page = json::array();
  std::size_t bytes = 0;
  for (std::size_t i = first; i < rows.size() && page.size() < most; ++i) {
    bytes += rows[i].dump(-1, ' ', false, json::error_handler_t::replace).size() + 1;
    if (bytes > kPageBytes && !page.empty()) break;
    page.push_back(std::move(rows[i]));
  }
  return page;
}

}  // namespace asiodrv::service
