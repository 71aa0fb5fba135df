#include "service/manager/service_targets.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "platform/service_instances.hpp"
#include "service/manager/names.hpp"

namespace asiodrv::service::manager {
namespace {

constexpr std::uint32_t kFirstRoom = 16 * 1024;
constexpr std::uint32_t kMostRoom = 256 * 1024;  // the system takes no more
constexpr int kMostPages = 4096;                 // a list that never ends is none

char folded(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_letter(char a, char b) noexcept { return folded(a) == folded(b); }

}  // namespace

bool same_command(const std::string& a, const std::string& b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_letter);
}

bool names_our_program(const std::string& command) noexcept {
  constexpr std::string_view kFile = kProgramFile;
  return command.empty() || std::search(command.begin(), command.end(), kFile.begin(), kFile.end(),
                                        same_letter) != command.end();
}

Outcome<std::vector<ServiceEntry>> list_services(ServiceControl& control, std::uint32_t types) {
  std::vector<ServiceEntry> all;
  std::uint32_t room = kFirstRoom;
  std::uint32_t resume = 0;
  for (int pages = 0; pages < kMostPages; ++pages) {
    auto page = control.enumerate(types, room, resume);
    if (!page) return tl::unexpected(page.error());
    const bool nothing_fitted = page->entries.empty();
    std::move(page->entries.begin(), page->entries.end(), std::back_inserter(all));
    if (!page->more) return all;
    if (nothing_fitted && room == kMostRoom) break;
    resume = page->resume;
    if (nothing_fitted) room = std::min(kMostRoom, std::max(room * 2, page->bytes_needed));
  }
  return tl::unexpected(SystemError{system_errors::kMoreData});
}

Outcome<std::vector<ServiceEntry>> find_instances(ServiceControl& control, const std::string& name,
                                                  const std::vector<std::string>& commands) {
  auto all = list_services(control, service_type::kAny);
  if (!all) return all;
  std::vector<ServiceEntry> ours;
  for (ServiceEntry& each : *all) {
    if ((each.state.type & service_type::kInstance) == 0) continue;
    if (!platform::instance_suffix(each.name, name)) continue;
    const auto opened = control.open(each.name, rights::kQueryConfig);
    if (!opened) continue;  // its user has signed out since, or it is none of our business
    const auto found = (*opened)->configuration();
    if (!found) continue;
    if (std::any_of(commands.begin(), commands.end(), [&](const std::string& command) {
          return same_command(command, found->command);
        })) {
      ours.push_back(std::move(each));
    }
  }
  return ours;
}

}  // namespace asiodrv::service::manager
