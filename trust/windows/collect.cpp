#include "trust/collect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "platform/windows/handle.hpp"
#include "platform/windows/security.hpp"
#include "trust/place.hpp"
#include "trust/surroundings.hpp"
#include "trust/windows/file_facts.hpp"
#include "trust/windows/persistence.hpp"
#include "trust/windows/process_facts.hpp"
#include "trust/windows/registrations.hpp"
#include "trust/windows/system_facts.hpp"

namespace asiodrv::trust {
namespace {

/// One run: what is the same for all subjects is read once.
class Collector {
 public:
  enum class From { user, registry };

  Facts about(const std::string& subject, const std::string& path, From from) {
    Facts facts;
    facts.subject = subject;
    facts.recorded_on = system_;
    facts.recorded_at_s = now_s();
    facts.file =
        from == From::user ? look_at_file(context_, path) : look_at_found_file(context_, path);
    facts.persistence = persistence_of(started_, path);
    if (!drivers_) {
      facts.registrations = drivers_;
      facts.duplicates = Known<std::vector<Duplicate>>::unknown(drivers_.why_not());
      return facts;
    }
    facts.registrations = registrations_of(*drivers_, path);
    facts.duplicates = duplicates_of(*drivers_, path, [this](const std::string& each) {
      const auto known = hashes_.find(folded(each));
      if (known != hashes_.end()) return known->second;
      return hashes_.emplace(folded(each), hash_of_file(each)).first->second;
    });
    return facts;
  }

  Result<Facts> process(std::uint32_t id, std::uint32_t sample_ms) {
    // While it is open, its id is not given to another: all that is asked is asked of one process.
    const platform::UniqueHandle kept(
        OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, id));
    const std::string path = platform::image_of_process(id);
    auto seen = look_at_process(context_, id, sample_ms);
    if (!seen) return refusal(seen);
    if (path.empty()) {
      return fail(ErrorCode::not_found,
                  fmt::format("The program of process {} is not known to this account.", id));
    }
    Facts facts = about(fmt::format("process {}", id), path, From::user);
    facts.process.push_back(std::move(*seen));
    return facts;
  }

  /// One subject for each file, under the name of its first registration.
  Result<std::vector<Facts>> registered() {
    if (!drivers_)
      return fail(ErrorCode::access_denied,
                  fmt::format("It is not known which drivers there are: {}.", drivers_.why_not()));
    std::vector<Facts> all;
    std::vector<std::string> done;
    for (const Registration& each : *drivers_) {
      // Drivers without any file are a subject each: nothing else tells them apart.
      const std::string key = each.path.empty() ? "\n" + each.name : folded(each.path);
      if (std::find(done.begin(), done.end(), key) != done.end()) continue;
      done.push_back(key);
      if (!each.path.empty()) {
        all.push_back(about(each.name, each.path, From::registry));
        continue;
      }
      all.push_back(about(each.name, "(no file is registered)", From::registry));
      all.back().file.exists = false;
      all.back().registrations = std::vector<Registration>{each};
    }
    return all;
  }

 private:
  const FileContext context_ = make_file_context();
  const std::string system_ = system_name();
  const Known<std::vector<Registration>> drivers_ = registered_drivers();
  const PersistenceScan started_ = everything_started();
  std::map<std::string, Known<std::string>> hashes_;
};

}  // namespace

Result<std::vector<Facts>> collect(const Question& question) {
  Collector collector;
  std::vector<Facts> all;
  if (question.all) {
    auto registered = collector.registered();
    if (!registered) return refusal(registered);
    all = std::move(*registered);
  }
  for (const std::string& file : question.files) {
    const std::string path = full_path(file);
    Facts facts = collector.about(path, path, Collector::From::user);
    if (!facts.file.exists) {
      return fail(ErrorCode::not_found, fmt::format("There is no file {}.", path));
    }
    all.push_back(std::move(facts));
  }
  for (const std::uint32_t id : question.processes) {
    auto facts = collector.process(id, question.sample_ms);
    if (!facts) return refusal(facts);
    all.push_back(std::move(*facts));
  }
  return all;
}

}  // namespace asiodrv::trust
