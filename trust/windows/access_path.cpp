#include "trust/windows/access_path.hpp"

#include <fmt/format.h>
#include <windows.h>
// What the next needs comes first.
#include <aclapi.h>

#include <span>

#include "platform/windows/handle.hpp"
#include "platform/windows/text.hpp"
#include "trust/place.hpp"
#include "trust/writable_location.hpp"

namespace asiodrv::trust {
namespace {

using platform::to_wide;
using platform::UniqueHandle;

std::wstring volume_of(const std::string& path) {
  std::wstring root(32'768, L'\0');
  if (!GetVolumePathNameW(to_wide(path).c_str(), root.data(), static_cast<DWORD>(root.size()))) {
    return {};
  }
  root.resize(root.find(L'\0'));
  return root;
}

std::vector<std::string> file_to_root(const std::string& path) {
  return way_to_root(path, platform::to_utf8(volume_of(path)));
}

Known<SecurityDescriptor> access_of(const std::string& path) {
  using Access = Known<SecurityDescriptor>;
  // A folder that a volume is mounted on is judged itself, and so is the root of that volume.
  const DWORD itself = is_volume_root(path) ? DWORD{0} : DWORD{FILE_FLAG_OPEN_REPARSE_POINT};
  const UniqueHandle file(CreateFileW(
      to_wide(path).c_str(), READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
      nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | itself, nullptr));
  if (!file) {
    return Access::unknown(
        fmt::format("its access list may not be read (Windows error {})", GetLastError()));
  }
  PSECURITY_DESCRIPTOR raw = nullptr;
  const DWORD error = GetSecurityInfo(file.get(), SE_FILE_OBJECT,
                                      OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION |
                                          DACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION,
                                      nullptr, nullptr, nullptr, nullptr, &raw);
  if (error != ERROR_SUCCESS || raw == nullptr) {
    return Access::unknown(
        fmt::format("its access list could not be read (Windows error {})", error));
  }
  const auto parsed = parse_security_descriptor(
      std::as_bytes(std::span(static_cast<const BYTE*>(raw), GetSecurityDescriptorLength(raw))));
  LocalFree(raw);
  return parsed ? Access(*parsed) : Access::unknown(parsed.error().message);
}

}  // namespace

Writable who_may_change(const std::string& path, const std::vector<std::string>& session_sids) {
  const std::wstring root = volume_of(path);
  DWORD features = 0;
  if (root.empty() ||
      !GetVolumeInformationW(root.c_str(), nullptr, 0, nullptr, nullptr, &features, nullptr, 0)) {
    return {Writability::cannot_rule_out, path, "anybody", "unknown: the volume says nothing"};
  }
  if ((features & FILE_PERSISTENT_ACLS) == 0) {
    return {Writability::yes, platform::to_utf8(root), "everyone",
            "do anything: the volume keeps no access lists"};
  }
  std::vector<PathPart> parts;
  for (const std::string& each : file_to_root(path)) parts.push_back({each, access_of(each)});
  return judge_path(parts, session_sids);
}

std::vector<std::string> links_on(const std::string& path) {
  std::vector<std::string> links;
  for (const std::string& each : file_to_root(path)) {
    if (is_volume_root(each)) continue;  // it would be the folder that it is mounted on
    const DWORD attributes = GetFileAttributesW(to_wide(each).c_str());
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
      links.push_back(each);
    }
  }
  return links;
}

std::optional<PlaceKind> volume_kind(const std::string& path) {
  switch (GetDriveTypeW(volume_of(path).c_str())) {
    case DRIVE_REMOVABLE:
    case DRIVE_CDROM: return PlaceKind::removable;
    case DRIVE_REMOTE: return PlaceKind::network;
    default: return std::nullopt;
  }
}

}  // namespace asiodrv::trust
