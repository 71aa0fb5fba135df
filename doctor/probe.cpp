#include "doctor/probe.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace asiodrv::doctor {
namespace {

constexpr std::size_t kMostDetail = 300;

/// One line of plain text: the driver wrote it, or made its process write it.
std::string plain(std::string_view text) {
  std::string result(text.substr(0, std::min(text.find_first_of("\r\n"), kMostDetail)));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

}  // namespace

ProbeResult judge_probe(bool finished, std::uint32_t code, const std::string& output,
                        nanoseconds limit) {
  if (!finished) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
    return {"hung", fmt::format("it had not answered after {} s and was ended", seconds)};
  }
  // The child's last words count only when it also came to its end: a driver may crash while it is
  // let go.
  constexpr std::uint32_t kEnd = 0;
  if (code == kEnd && output.starts_with("fine")) return {"fine", plain(output.substr(4))};
  if (code == kEnd && output.starts_with("refused ")) return {"refused", plain(output.substr(8))};
  return {"crashed", fmt::format("it ended its process with code 0x{:08X}", code)};
}

}  // namespace asiodrv::doctor
