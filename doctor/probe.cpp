#include "doctor/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "doctor/installed_files.hpp"
#include "doctor/program_file.hpp"

namespace asiodrv::doctor {
namespace {

constexpr std::size_t kMostDetail = 300;

/// The last line that says anything: drivers may write into the same output before.
std::string_view last_line(std::string_view text) {
  const std::size_t end = text.find_last_not_of("\r\n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  return text.substr(text.find_last_of("\r\n") + 1);  // nowhere is -1
}

/// Plain text: the driver wrote it, or made its process write it.
std::string plain(std::string_view text) {
  std::string result(text.substr(0, kMostDetail));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

/// The host for 32-bit programs, where an installation has it. Of this version only: another one
/// may not know what it is asked, which would look like a driver that crashes.
Result<std::string> narrow_host(const std::string& program_path, const std::string& version) {
  const char separator = program_path.find('\\') == std::string::npos ? '/' : '\\';
  const std::string path =
      folder_of(program_path) + separator + "x86" + separator + "asio-host.exe";
  const auto file = read_program_file(path);
  if (!file || file->machine != "x86") {
    return fail(ErrorCode::not_found,
                "not probed: this program is a 64-bit one, and " + path + " is not there");
  }
  if (short_version(file->version) != version) {
    return fail(ErrorCode::not_found, "not probed: " + path + " is of another version");
  }
  return path;
}

}  // namespace

Result<ProbeProgram> probe_program(const std::string& program_path, const std::string& version,
                                   const std::string& driver_class, unsigned bits,
                                   bool initialise) {
  ProbeProgram program{program_path, {"doctor", "--probe-child", driver_class}};
  const char* flag = "--probe-init";
  if (bits == 32) {
    auto host = narrow_host(program_path, version);
    if (!host) return refusal(host);
    program = {std::move(*host), {"load", "--driver", driver_class}};
    flag = "--init";
  }
  if (initialise) program.arguments.emplace_back(flag);
  return program;
}

bool is_class_id(std::string_view text) noexcept {
  constexpr std::string_view kForm = "{########-####-####-####-############}";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(), [](char c, char form) {
    if (form != '#') return c == form;
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

ProbeResult judge_probe(bool finished, std::uint32_t code, const std::string& output,
                        nanoseconds limit) {
  if (!finished) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
    return {"hung", fmt::format("it had not answered after {} s and was ended", seconds)};
  }
  // The child's last words count only when it also came to its end: a driver may crash while it is
  // let go.
  constexpr std::uint32_t kEnd = 0;
  constexpr std::string_view kFine = "fine", kRefused = "refused ";
  const std::string_view said = last_line(output);
  if (code == kEnd && said.starts_with(kFine)) return {"fine", plain(said.substr(kFine.size()))};
  if (code == kEnd && said.starts_with(kRefused)) {
    return {"refused", plain(said.substr(kRefused.size()))};
  }
  return {"crashed", fmt::format("it ended its process with code 0x{:08X}", code)};
}

}  // namespace asiodrv::doctor
