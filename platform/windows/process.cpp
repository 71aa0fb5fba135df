// What the system says about this process, its random source, and text between the two encodings.
#include <windows.h>

#include <algorithm>

#include "platform/platform.hpp"
#include "platform/windows/text.hpp"

// The documented name is a macro around this export of advapi32; its header clashes with others.
extern "C" BOOLEAN NTAPI SystemFunction036(void* buffer, ULONG bytes);

namespace asiodrv::platform {
namespace {

std::string path_of_module(HMODULE module) {
  std::wstring path(MAX_PATH, L'\0');
  for (;;) {
    const DWORD length = GetModuleFileNameW(module, path.data(), static_cast<DWORD>(path.size()));
    if (length == 0) return {};
    if (length < path.size()) return to_utf8({path.data(), length});
    path.resize(path.size() * 2);  // it was cut
  }
}

}  // namespace

bool ends_with_starter() {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  return QueryInformationJobObject(nullptr, JobObjectExtendedLimitInformation, &limits,
                                   sizeof limits, nullptr) != 0 &&
         (limits.BasicLimitInformation.LimitFlags & JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE) != 0;
}

std::string to_utf8(std::wstring_view text) {
  if (text.empty()) return {};
  const int length = static_cast<int>(text.size());
  const int bytes =
      WideCharToMultiByte(CP_UTF8, 0, text.data(), length, nullptr, 0, nullptr, nullptr);
  std::string result(static_cast<std::size_t>(bytes), '\0');
  WideCharToMultiByte(CP_UTF8, 0, text.data(), length, result.data(), bytes, nullptr, nullptr);
  return result;
}

std::wstring to_wide(std::string_view text) {
  if (text.empty()) return {};
  const int length = static_cast<int>(text.size());
  const int units = MultiByteToWideChar(CP_UTF8, 0, text.data(), length, nullptr, 0);
  std::wstring result(static_cast<std::size_t>(units), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), length, result.data(), units);
  return result;
}

tl::unexpected<Error> system_failure(const std::string& what, DWORD error) {
  ErrorCode code = ErrorCode::internal;
  switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND: code = ErrorCode::not_found; break;
    case ERROR_ACCESS_DENIED: code = ErrorCode::access_denied; break;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT: code = ErrorCode::out_of_memory; break;
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_TOO_MANY_OPEN_FILES: code = ErrorCode::limit_reached; break;
    default: break;  // every other number of the system is unexpected here
  }
  return fail(code, what + ": system error " + std::to_string(error) + ".");
}

Result<> random_bytes(std::span<std::byte> into) {
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  while (!into.empty()) {
    const std::size_t part = std::min(into.size(), kMost);
    if (SystemFunction036(into.data(), static_cast<ULONG>(part)) == 0) {
      return fail(ErrorCode::internal, "The system gave no random bytes.");
    }
    into = into.subspan(part);
  }
  return {};
}

std::string program_path() { return path_of_module(nullptr); }

std::string module_path(const void* inside) {
  HMODULE module = nullptr;
  if (GetModuleHandleExW(
          GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
          static_cast<const wchar_t*>(inside), &module) == 0) {
    return {};
  }
  return path_of_module(module);
}

std::uint32_t process_id() { return GetCurrentProcessId(); }

}  // namespace asiodrv::platform
