#include <windows.h>

#include <filesystem>

#include "service/json_file.hpp"
#include "service/paths.hpp"

namespace asiodrv::service {
namespace {

bool write_all(HANDLE file, std::string_view text) {
  constexpr std::size_t kPiece = 1 << 20;
  while (!text.empty()) {
    DWORD written = 0;
    const auto piece = static_cast<DWORD>(text.size() < kPiece ? text.size() : kPiece);
    if (!WriteFile(file, text.data(), piece, &written, nullptr) || written == 0) return false;
    text.remove_prefix(written);
  }
  return FlushFileBuffers(file) != 0;  // before the name changes: else a crash leaves zeros
}

}  // namespace

Result<> write_whole_file(const std::string& path, std::string_view text) {
  const std::filesystem::path target = path_of(path);
  const std::filesystem::path fresh = path_of(path + ".new");
  const auto refuse = [&](DWORD problem) {
    DeleteFileW(fresh.c_str());
    return fail(ErrorCode::access_denied,
                path + " cannot be written: Windows error " + std::to_string(problem) + ".");
  };
  const HANDLE file = CreateFileW(fresh.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS,
                                  FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) return refuse(GetLastError());
  const bool written = write_all(file, text);
  const DWORD problem = GetLastError();
  CloseHandle(file);
  if (!written) return refuse(problem);
  if (!MoveFileExW(fresh.c_str(), target.c_str(),
                   MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
    return refuse(GetLastError());
  }
  return {};
}

}  // namespace asiodrv::service
