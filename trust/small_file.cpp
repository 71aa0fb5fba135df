#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "trust/collect.hpp"

namespace asiodrv::trust {

Result<std::string> read_small_file(const std::string& path, std::size_t max_bytes) {
  const std::filesystem::path native(std::u8string(path.begin(), path.end()));
  std::error_code problem;
  const auto status = std::filesystem::status(native, problem);
  if (status.type() == std::filesystem::file_type::not_found) {
    return fail(ErrorCode::not_found, fmt::format("There is no file {}.", path));
  }
  // Reading a pipe or a device would wait for somebody to write.
  if (status.type() != std::filesystem::file_type::regular) {
    return fail(ErrorCode::access_denied, fmt::format("{} is no file that can be read.", path));
  }
  std::ifstream stream(native, std::ios::binary);
  if (!stream) {
    return fail(ErrorCode::access_denied, fmt::format("{} cannot be read.", path));
  }
  std::string text;
  std::string piece(std::size_t{64} << 10, '\0');
  while (stream) {
    stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece, 0, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > max_bytes) {
      return fail(ErrorCode::limit_reached,
                  fmt::format("{} is larger than {} bytes.", path, max_bytes));
    }
  }
  if (stream.bad()) {
    return fail(ErrorCode::access_denied, fmt::format("{} cannot be read to its end.", path));
  }
  return text;
}

}  // namespace asiodrv::trust
