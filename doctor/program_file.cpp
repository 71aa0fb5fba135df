#include "doctor/program_file.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>

#include "service/paths.hpp"
#include "trust/collect.hpp"
#include "trust/pe_file.hpp"
#include "trust/place.hpp"

namespace asiodrv::doctor {
namespace {

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case 0x8664: return "x64";
    case 0x014C: return "x86";
    case 0xAA64: return "arm64";
    default: return "other";
  }
}

}  // namespace

Result<ProgramFile> read_program_file(const std::string& path) {
  if (trust::names_another_computer(path)) {  // it would take minutes, and show the user's name
    return fail(ErrorCode::unsupported, path + " lies on another computer, which is not asked.");
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(service::path_of(path), ignored)) {
    return fail(ErrorCode::not_found, path + " is a folder.");
  }
  const auto content = trust::read_small_file(path, trust::kMaxFileBytes);
  if (!content) return refusal(content);
  const auto parsed = trust::parse_pe(std::as_bytes(std::span(content->data(), content->size())));
  if (!parsed) return ProgramFile{};
  return ProgramFile{machine_name(parsed->machine), parsed->version.file_version};
}

std::string short_version(const std::string& version) {
  const auto dots = std::count(version.begin(), version.end(), '.');
  return dots == 3 && version.ends_with(".0") ? version.substr(0, version.size() - 2) : version;
}

}  // namespace asiodrv::doctor
