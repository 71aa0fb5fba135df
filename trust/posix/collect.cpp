// Elsewhere than on Windows a file can be looked into, and no more: who signed it and who may
// change it are questions to a Windows machine.
#include "trust/collect.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <filesystem>

#include "trust/surroundings.hpp"

namespace asiodrv::trust {
namespace {

constexpr const char* kNotHere = "not known here, only on Windows";

std::int64_t seconds_of(std::filesystem::file_time_type time) {
  const auto system = std::chrono::file_clock::to_sys(time);
  return std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
}

Result<Facts> look_into(const std::string& path) {
  Facts facts;
  facts.subject = path;
  facts.recorded_on = "Linux";
  facts.recorded_at_s = std::time(nullptr);
  FileFacts& file = facts.file;
  file.path = path;
  file.signature = Known<Signature>::unknown(kNotHere);
  file.place = Known<Place>::unknown(kNotHere);
  file.internet_zone = Known<std::uint32_t>::unknown(kNotHere);
  facts.registrations = Known<std::vector<Registration>>::unknown(kNotHere);
  facts.duplicates = Known<std::vector<Duplicate>>::unknown(kNotHere);
  facts.persistence = Known<PersistenceScan>::unknown(kNotHere);
  const auto content = read_small_file(path, kMaxFileBytes);
  if (!content) {
    if (content.error().code == ErrorCode::not_found) return refusal(content);
    file.sha256 = Known<std::string>::unknown(content.error().message);
    file.structure = Known<PeFile>::unknown(content.error().message);
    return facts;
  }
  describe_content(file, std::as_bytes(std::span(content->data(), content->size())));
  std::error_code problem;
  const auto changed = std::filesystem::last_write_time(path, problem);
  if (!problem) file.modified_s = seconds_of(changed);
  return facts;
}

}  // namespace

Result<std::vector<Facts>> collect(const Question& question) {
  if (question.all || !question.processes.empty()) {
    return fail(
        ErrorCode::unsupported,
        "Registered drivers and processes can be looked at on Windows only. Give a file, or "
        "a record with --facts.");
  }
  std::vector<Facts> all;
  for (const std::string& path : question.files) {
    auto facts = look_into(path);
    if (!facts) return refusal(facts);
    all.push_back(std::move(*facts));
  }
  return all;
}

}  // namespace asiodrv::trust
