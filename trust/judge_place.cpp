// Where the file lies, and who can change it.
#include <fmt/format.h>

#include "trust/judge_parts.hpp"
#include "trust/place.hpp"
#include "trust/shown_text.hpp"

namespace asiodrv::trust {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kRecent = 7 * kDay;
constexpr std::int64_t kFarthest = std::int64_t{1} << 48;  // seconds; differences of such times fit

constexpr const char* kInstallProperly =
    "Remove it and install it with the vendor's installer, below Program Files.";

const char* place_text(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::program_files: return "Program Files";
    case PlaceKind::system: return "Windows' own folder";
    case PlaceKind::program_data: return "the folder for programs' data";
    case PlaceKind::temporary: return "a folder for temporary files";
    case PlaceKind::public_files: return "the folder that all users share";
    case PlaceKind::downloads: return "a folder for downloads";
    case PlaceKind::profile: return "a user's own folder";
    case PlaceKind::removable: return "a removable drive";
    case PlaceKind::network: return "another computer";
    case PlaceKind::other: return "a folder of its own";
  }
  return "";
}

/// A record may hold any number.
bool is_a_time(std::int64_t seconds) { return seconds > -kFarthest && seconds < kFarthest; }

bool belongs_to_somebody(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::temporary:
    case PlaceKind::public_files:
    case PlaceKind::downloads:
    case PlaceKind::profile:
    case PlaceKind::removable:
    case PlaceKind::network: return true;
    case PlaceKind::program_files:
    case PlaceKind::system:
    case PlaceKind::program_data:
    case PlaceKind::other: return false;
  }
  return true;
}

void judge_writable(const Writable& writable, Findings& findings) {
  switch (writable.answer) {
    case Writability::no:
      findings.add(Severity::good, "protected_place",
                   "Only administrators can change the file and the folders above it.");
      return;
    case Writability::yes:
      findings.add(Severity::suspicious, "user_writable",
                   fmt::format("{} may {} ({}).", shown(writable.who), shown(writable.how),
                               shown(writable.where)),
                   "A program without any rights could put something else into the place of the "
                   "file, and every music program would load that.",
                   kInstallProperly);
      return;
    case Writability::cannot_rule_out:
      findings.add(Severity::unknown, "perhaps_writable",
                   fmt::format("It cannot be ruled out that {} may {} ({}).", shown(writable.who),
                               shown(writable.how), shown(writable.where)),
                   "The account or the condition is not known here.",
                   "Ask your administrator who that account is; if it is not an administrator's, "
                   "treat the file as changeable.");
      return;
  }
}

}  // namespace

void judge_place(const Facts& facts, Findings& findings) {
  const FileFacts& file = facts.file;
  if (!file.place) {
    findings.add(
        Severity::unknown, "place_unknown",
        fmt::format("Where the file lies could not be judged: {}.", shown(file.place.why_not())),
        "Who could change it is not known.",
        "Run \"asio-driver verify\" on the Windows machine itself.");
  } else {
    const Place& place = *file.place;
    const bool open = belongs_to_somebody(place.kind) ||
                      (place.writable && place.writable->answer == Writability::yes);
    if (belongs_to_somebody(place.kind)) {
      findings.add(Severity::suspicious, "wrong_place",
                   fmt::format("The file lies in {}.", place_text(place.kind)),
                   place.kind == PlaceKind::profile
                       ? "Every program of that user can change it; it is protected from other "
                         "users only."
                       : "Drivers are not installed there; every program can put files there.",
                   kInstallProperly);
    } else {
      findings.add(Severity::note, "place",
                   fmt::format("The file lies in {}.", place_text(place.kind)));
    }
    if (place.writable) {
      judge_writable(*place.writable, findings);
    } else {
      findings.add(
          Severity::unknown, "writable_unknown",
          fmt::format("Who may change the file is not known: {}.", shown(place.writable.why_not())),
          "If anybody may, what is genuine now need not be tomorrow.",
          "Run \"asio-driver verify\" on the Windows machine itself, with an account that "
          "may read the access lists.");
    }
    if (open && (findings.has("unsigned") || findings.has("ours_unsigned"))) {
      findings.add(Severity::dangerous, "unsigned_in_open_place",
                   "It is not signed, and lies where every program can change it.",
                   "Nothing shows what it was yesterday, and nothing keeps it so.",
                   "Do not use it. Remove it, and install the driver from the vendor's site.");
    }
    if (!place.links.empty()) {
      findings.add(Severity::note, "link_on_the_way",
                   fmt::format("The path leads through a link ({}).", shown(place.links.front())),
                   "The folders behind it were judged too.");
    }
    if (place.hard_links > 1) {
      findings.add(Severity::note, "several_names",
                   fmt::format("The same file has {} names.", place.hard_links),
                   "It can be changed through each of them.");
    }
  }
  if (file.modified_s && is_a_time(*file.modified_s) && facts.recorded_at_s > 0 &&
      is_a_time(facts.recorded_at_s)) {
    const std::int64_t age = facts.recorded_at_s - *file.modified_s;
    if (age < -kDay) {
      findings.add(Severity::note, "changed_in_future",
                   "By its time of change it will be written only in the future.");
    } else if (age < kRecent) {
      findings.add(Severity::note, "recently_changed",
                   "The file was changed within the last seven days.",
                   "Fine if you have installed or updated it since.");
    }
  }
  if (file.internet_zone && *file.internet_zone >= 3) {
    findings.add(Severity::note, "from_the_internet",
                 "The file is marked as downloaded, so no installer put it there.");
  }
}

}  // namespace asiodrv::trust
