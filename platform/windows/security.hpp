// Who we are, and the access lists that say so. Every named object of ours carries an explicit
// one: the default lists let others read, and follow whatever the creator happens to be.
#pragma once

#include <windows.h>

#include <optional>
#include <string>

#include "core/base/result.hpp"

namespace asiodrv::platform {

/// The process's user as text ("S-1-5-21-..."), its logon and its session.
struct UserIdentity {
  std::wstring user_sid;
  std::wstring logon_sid;  ///< empty where the token carries none
  DWORD session = 0;
};

[[nodiscard]] Result<UserIdentity> current_identity();

/// The user of `token` (TOKEN_QUERY) as text.
[[nodiscard]] std::optional<std::wstring> user_of_token(HANDLE token);

/// The user that runs `process`, when the system would say; diagnostic only, ids are reused.
[[nodiscard]] std::optional<std::wstring> user_of_process(DWORD process);

/// The owner of the kernel object behind `handle` (READ_CONTROL) as text.
[[nodiscard]] std::optional<std::wstring> owner_of(HANDLE handle);
/// The same of a file or folder.
[[nodiscard]] std::optional<std::wstring> owner_of_file(HANDLE handle);

/// UTF-8 path of the program that runs as `process`, or empty.
[[nodiscard]] std::string image_of_process(DWORD process);

/// A parsed security descriptor and the structure that the create calls take.
class SecurityAttributes {
 public:
  SecurityAttributes() noexcept = default;
  SecurityAttributes(SecurityAttributes&& other) noexcept;
  SecurityAttributes& operator=(SecurityAttributes&& other) noexcept;
  ~SecurityAttributes();

  /// Parses `sddl`. Error: internal.
  [[nodiscard]] static Result<SecurityAttributes> parse(const std::wstring& sddl);
  [[nodiscard]] SECURITY_ATTRIBUTES* get() noexcept { return &attributes_; }

 private:
  SECURITY_ATTRIBUTES attributes_{sizeof(SECURITY_ATTRIBUTES), nullptr, FALSE};
};

/// User Account Control, as the machine's policy says; a machine without the policy has none.
[[nodiscard]] bool account_control_is_on() noexcept;

/// For sections, events and mutexes: this user and the system, nobody else; medium label, so that
/// an elevated creator's objects stay open to ordinary hosts.
[[nodiscard]] std::wstring object_sddl(const UserIdentity& identity);

/// For the pipe: the same, and read and write without the right to create instances for the
/// logon; the network and anonymous callers are denied outright.
[[nodiscard]] std::wstring pipe_sddl(const UserIdentity& identity);

}  // namespace asiodrv::platform
