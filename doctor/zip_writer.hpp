// A zip archive of a few texts. Written here because no zip library of the distribution can be used
// by the cross compiler (minizip is built for the machine itself only, and zlib alone makes no
// archives); entries are stored, not compressed: a bundle has some hundred kilobytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace asiodrv::doctor {

class ZipWriter {
 public:
  static constexpr std::size_t kMostEntries = 100;
  static constexpr std::size_t kMostBytes = std::size_t{256} << 20;  // of all contents together

  /// `name`: relative, forward slashes, ASCII. All entries are dated 1980-01-01 00:00, so that
  /// equal contents make equal archives. Errors: invalid_argument (a name that would leave the
  /// folder it is unpacked into, or is there already), limit_reached.
  [[nodiscard]] Result<> add(const std::string& name, std::string_view content);

  /// The whole archive. No entries can be added afterwards.
  [[nodiscard]] std::string finish();

 private:
  struct Entry {
    std::string name;
    std::uint32_t checksum = 0, size = 0, offset = 0;
  };
  std::vector<Entry> entries_;
  std::string archive_;
};

/// The checksum of zip (CRC-32, polynomial 0xEDB88320).
[[nodiscard]] std::uint32_t crc32(std::string_view bytes) noexcept;

}  // namespace asiodrv::doctor
