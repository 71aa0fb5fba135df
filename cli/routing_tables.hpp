// Routes, cables, clients and meters as people read them. Pure, as tables.hpp.
#pragma once

#include <cstddef>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace asiodrv::cli {

[[nodiscard]] std::string routes_text(const nlohmann::json& routes);
[[nodiscard]] std::string snapshots_text(const nlohmann::json& snapshots);
[[nodiscard]] std::string cables_text(const nlohmann::json& cables);
/// {"clients", "without_buffers"}, as in the answer to "status".
[[nodiscard]] std::string clients_text(const nlohmann::json& clients);

struct MeterStyle {
  bool unicode = false;
  std::size_t bar_cells = 40;  ///< for -60 to 0 dB
  /// Lines that the text may have; channels beyond are counted only.
  std::size_t most_rows = std::numeric_limits<std::size_t>::max();
};
[[nodiscard]] std::string meters_text(const nlohmann::json& meters, const MeterStyle& style);

/// `text` as what a terminal shows from its upper left corner on, over what stood there.
[[nodiscard]] std::string screen_text(const std::string& text);

}  // namespace asiodrv::cli
