#include "platform/windows/security.hpp"

#include <aclapi.h>
#include <sddl.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "platform/windows/handle.hpp"
#include "platform/windows/text.hpp"

namespace asiodrv::platform {
namespace {

struct LocalFreeDeleter {
  void operator()(void* memory) const noexcept { LocalFree(memory); }
};
template <class T>
using LocalMemory = std::unique_ptr<T, LocalFreeDeleter>;

std::optional<std::wstring> text_of(PSID sid) {
  wchar_t* text = nullptr;
  if (sid == nullptr || ConvertSidToStringSidW(sid, &text) == 0) return std::nullopt;
  const LocalMemory<wchar_t> owner(text);
  return std::wstring(text);
}

std::optional<std::wstring> owner_of_kind(HANDLE handle, SE_OBJECT_TYPE kind) {
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (GetSecurityInfo(handle, kind, OWNER_SECURITY_INFORMATION, &owner, nullptr, nullptr, nullptr,
                      &descriptor) != ERROR_SUCCESS) {
    return std::nullopt;
  }
  const LocalMemory<void> keeper(descriptor);
  return text_of(owner);
}

/// One variable-size answer about `token`; empty when there is none. Aligned for any structure.
std::vector<std::max_align_t> token_information(HANDLE token, TOKEN_INFORMATION_CLASS what) {
  DWORD bytes = 0;
  GetTokenInformation(token, what, nullptr, 0, &bytes);
  std::vector<std::max_align_t> answer(bytes / sizeof(std::max_align_t) + 1);
  const auto room = static_cast<DWORD>(answer.size() * sizeof(std::max_align_t));
  if (bytes == 0 || GetTokenInformation(token, what, answer.data(), room, &bytes) == 0) return {};
  return answer;
}

std::wstring logon_of_token(HANDLE token) {
  const auto answer = token_information(token, TokenGroups);
  if (answer.empty()) return {};
  const auto* groups = reinterpret_cast<const TOKEN_GROUPS*>(answer.data());
  for (DWORD index = 0; index < groups->GroupCount; ++index) {
    const SID_AND_ATTRIBUTES& group = groups->Groups[index];
    if ((group.Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID) {
      return text_of(group.Sid).value_or(L"");
    }
  }
  return {};
}

}  // namespace

Result<UserIdentity> current_identity() {
  HANDLE raw = nullptr;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw) == 0) {
    return system_failure("The process's token could not be read", GetLastError());
  }
  const UniqueHandle token(raw);
  UserIdentity identity;
  const auto user = user_of_token(token.get());
  if (!user || ProcessIdToSessionId(GetCurrentProcessId(), &identity.session) == 0) {
    return system_failure("The current user could not be determined", GetLastError());
  }
  identity.user_sid = *user;
  identity.logon_sid = logon_of_token(token.get());
  return identity;
}

std::optional<std::wstring> user_of_token(HANDLE token) {
  const auto answer = token_information(token, TokenUser);
  if (answer.empty()) return std::nullopt;
  return text_of(reinterpret_cast<const TOKEN_USER*>(answer.data())->User.Sid);
}

std::optional<std::wstring> user_of_process(DWORD process) {
  const UniqueHandle handle(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process));
  HANDLE raw = nullptr;
  if (!handle || OpenProcessToken(handle.get(), TOKEN_QUERY, &raw) == 0) return std::nullopt;
  const UniqueHandle token(raw);
  return user_of_token(token.get());
}

std::optional<std::wstring> owner_of(HANDLE handle) {
  return owner_of_kind(handle, SE_KERNEL_OBJECT);
}

std::optional<std::wstring> owner_of_file(HANDLE handle) {
  return owner_of_kind(handle, SE_FILE_OBJECT);
}

std::string image_of_process(DWORD process) {
  const UniqueHandle handle(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process));
  if (!handle) return {};
  std::wstring path(32'768, L'\0');
  auto length = static_cast<DWORD>(path.size());
  if (QueryFullProcessImageNameW(handle.get(), 0, path.data(), &length) == 0) return {};
  return to_utf8({path.data(), length});
}

SecurityAttributes::SecurityAttributes(SecurityAttributes&& other) noexcept
    : attributes_(other.attributes_) {
  other.attributes_.lpSecurityDescriptor = nullptr;
}

SecurityAttributes& SecurityAttributes::operator=(SecurityAttributes&& other) noexcept {
  std::swap(attributes_, other.attributes_);
  return *this;
}

SecurityAttributes::~SecurityAttributes() { LocalFree(attributes_.lpSecurityDescriptor); }

Result<SecurityAttributes> SecurityAttributes::parse(const std::wstring& sddl) {
  SecurityAttributes made;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorW(
          sddl.c_str(), SDDL_REVISION_1, &made.attributes_.lpSecurityDescriptor, nullptr) == 0) {
    return system_failure("An access list could not be made", GetLastError());
  }
  return made;
}

bool account_control_is_on() noexcept {
  DWORD value = 0;
  DWORD bytes = sizeof(value);
  return RegGetValueW(HKEY_LOCAL_MACHINE,
                      L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System",
                      L"EnableLUA", RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY, nullptr, &value,
                      &bytes) == ERROR_SUCCESS &&
         value != 0;
}

std::wstring object_sddl(const UserIdentity& identity) {
  return L"O:" + identity.user_sid + L"D:P(A;;GA;;;SY)(A;;GA;;;" + identity.user_sid +
         L")S:(ML;;NW;;;ME)";
}

std::wstring pipe_sddl(const UserIdentity& identity) {
  // 0x12019b is read and write without FILE_CREATE_PIPE_INSTANCE (0x4), which generic write holds.
  const std::wstring logon =
      identity.logon_sid.empty() ? L"" : L"(A;;0x12019b;;;" + identity.logon_sid + L")";
  return L"O:" + identity.user_sid + L"D:P(D;;GA;;;NU)(D;;GA;;;AN)(A;;GA;;;SY)(A;;GA;;;" +
         identity.user_sid + L")" + logon + L"S:(ML;;NW;;;ME)";
}

}  // namespace asiodrv::platform
