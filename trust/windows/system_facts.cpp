#include "trust/windows/system_facts.hpp"

#include <fmt/format.h>
#include <sddl.h>
#include <shlobj.h>

#include <algorithm>
#include <cstddef>

#include "platform/windows/handle.hpp"
#include "platform/windows/library.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::trust {
namespace {

using platform::UniqueHandle;

std::string folder(int csidl) {
  std::wstring path(MAX_PATH, L'\0');
  if (SHGetFolderPathW(nullptr, csidl, nullptr, SHGFP_TYPE_CURRENT, path.data()) != S_OK) return {};
  path.resize(path.find(L'\0'));
  return platform::to_utf8(path);
}

/// A folder that has no number of the old kind.
std::string folder(const GUID& id) {
  wchar_t* text = nullptr;
  std::string path;
  if (SHGetKnownFolderPath(id, KF_FLAG_DONT_VERIFY, nullptr, &text) == S_OK) {
    path = platform::to_utf8(text);
  }
  CoTaskMemFree(text);
  return path;
}

std::string environment_of(const wchar_t* name) {
  std::wstring value(32'768, L'\0');
  const DWORD length =
      GetEnvironmentVariableW(name, value.data(), static_cast<DWORD>(value.size()));
  return length == 0 || length >= value.size() ? std::string()
                                               : platform::to_utf8({value.data(), length});
}

std::vector<std::max_align_t> about(HANDLE token, TOKEN_INFORMATION_CLASS what) {
  DWORD bytes = 0;
  GetTokenInformation(token, what, nullptr, 0, &bytes);
  std::vector<std::max_align_t> answer(bytes / sizeof(std::max_align_t) + 1);
  const auto room = static_cast<DWORD>(answer.size() * sizeof(std::max_align_t));
  if (bytes == 0 || !GetTokenInformation(token, what, answer.data(), room, &bytes)) return {};
  return answer;
}

std::string sid_words(PSID sid) {
  wchar_t* text = nullptr;
  if (sid == nullptr || !ConvertSidToStringSidW(sid, &text)) return {};
  std::string words = platform::to_utf8(text);
  LocalFree(text);
  return words;
}

/// The token of what this user's ordinary programs have; none when all of them are elevated.
UniqueHandle limited_token() {
  HANDLE raw = nullptr;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw)) return {};
  UniqueHandle token(raw);
  TOKEN_ELEVATION elevation{};
  DWORD bytes = 0;
  if (!GetTokenInformation(raw, TokenElevation, &elevation, sizeof elevation, &bytes) ||
      elevation.TokenIsElevated == 0) {
    return token;
  }
  TOKEN_LINKED_TOKEN linked{};
  if (!GetTokenInformation(raw, TokenLinkedToken, &linked, sizeof linked, &bytes)) return {};
  return UniqueHandle(linked.LinkedToken);
}

bool is_of_the_system(const std::string& sid) {
  return sid == "S-1-5-18" || sid == "S-1-5-19" || sid == "S-1-5-20" || sid == "S-1-5-32-544";
}

}  // namespace

bool runs_under_wine() noexcept {
  return platform::system_function<void()>(L"ntdll.dll", "wine_get_version") != nullptr;
}

std::string system_name() {
  if (auto* const wine =
          platform::system_function<const char * CDECL()>(L"ntdll.dll", "wine_get_version")) {
    return fmt::format("Wine {}", wine());
  }
  RTL_OSVERSIONINFOW version{};
  version.dwOSVersionInfoSize = sizeof version;
  auto* const ask =
      platform::system_function<LONG WINAPI(RTL_OSVERSIONINFOW*)>(L"ntdll.dll", "RtlGetVersion");
  if (ask == nullptr || ask(&version) != 0) return "Windows";
  return fmt::format("Windows {}.{}.{}", version.dwMajorVersion, version.dwMinorVersion,
                     version.dwBuildNumber);
}

KnownFolders known_folders() {
  // FOLDERID_Public, FOLDERID_Downloads, FOLDERID_UserProfiles, FOLDERID_ProgramFilesX64: the
  // toolchain's library of identifiers is not linked for four of them.
  constexpr GUID kPublic = {
      0xDFDF76A2, 0xC82A, 0x4D63, {0x90, 0x6A, 0x56, 0x44, 0xAC, 0x45, 0x73, 0x85}};
  constexpr GUID kDownloads = {
      0x374DE290, 0x123F, 0x4565, {0x91, 0x64, 0x39, 0xC4, 0x92, 0x5E, 0x46, 0x7B}};
  constexpr GUID kProfiles = {
      0x0762D272, 0xC50A, 0x4BB0, {0xA3, 0x82, 0x69, 0x7D, 0xCD, 0x72, 0x9B, 0x80}};
  constexpr GUID kProgramFiles64 = {
      0x6D809377, 0x6AF0, 0x444B, {0x89, 0x57, 0xA3, 0x77, 0x3F, 0x02, 0x20, 0x0E}};
  KnownFolders folders;
  for (std::string each :
       {folder(kProgramFiles64), folder(CSIDL_PROGRAM_FILES), folder(CSIDL_PROGRAM_FILESX86)}) {
    if (!each.empty()) folders.program_files.push_back(std::move(each));
  }
  folders.windows = folder(CSIDL_WINDOWS);
  folders.program_data = folder(CSIDL_COMMON_APPDATA);
  folders.public_files = folder(kPublic);
  folders.profiles = folder(kProfiles);
  folders.downloads = folder(kDownloads);
  if (const std::string local = folder(CSIDL_LOCAL_APPDATA); !local.empty()) {
    folders.temporary.push_back(local + "\\Temp");
  }
  for (const wchar_t* const name : {L"TEMP", L"TMP"}) {
    if (std::string each = environment_of(name); !each.empty()) {
      folders.temporary.push_back(std::move(each));
    }
  }
  return folders;
}

bool lies_elsewhere(const std::string& path, decltype(&::GetDriveTypeW) drive_type) {
  if (names_another_computer(path)) return true;
  const std::size_t drive = path.rfind("\\\\?\\", 0) == 0 ? 4 : 0;
  return is_absolute(path) &&
         drive_type(platform::to_wide(path.substr(drive, 3)).c_str()) == DRIVE_REMOTE;
}

std::int64_t unix_seconds(FILETIME time) noexcept {
  const std::uint64_t ticks =
      std::uint64_t{time.dwHighDateTime} << 32 | std::uint64_t{time.dwLowDateTime};
  constexpr std::uint64_t kTicksPerSecond = 10'000'000, kFrom1601To1970 = 11'644'473'600;
  return static_cast<std::int64_t>(ticks / kTicksPerSecond) -
         static_cast<std::int64_t>(kFrom1601To1970);
}

std::int64_t now_s() noexcept {
  FILETIME now{};
  GetSystemTimeAsFileTime(&now);
  return unix_seconds(now);
}

std::vector<std::string> session_sids() {
  std::vector<std::string> sids;
  const UniqueHandle token = limited_token();
  if (!token) return sids;
  const auto take = [&](PSID sid) {
    std::string words = sid_words(sid);
    if (!words.empty() && !is_of_the_system(words)) sids.push_back(std::move(words));
  };
  if (const auto user = about(token.get(), TokenUser); !user.empty()) {
    take(reinterpret_cast<const TOKEN_USER*>(user.data())->User.Sid);
  }
  const auto answer = about(token.get(), TokenGroups);
  if (answer.empty()) return sids;
  const auto* const groups = reinterpret_cast<const TOKEN_GROUPS*>(answer.data());
  for (DWORD index = 0; index < groups->GroupCount; ++index) {
    const SID_AND_ATTRIBUTES& group = groups->Groups[index];
    const bool counts = (group.Attributes & SE_GROUP_ENABLED) != 0 &&
                        (group.Attributes & (SE_GROUP_USE_FOR_DENY_ONLY | SE_GROUP_INTEGRITY)) == 0;
    if (counts) take(group.Sid);
  }
  return sids;
}

}  // namespace asiodrv::trust
