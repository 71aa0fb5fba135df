// Reading the registry, in the view of 64-bit or of 32-bit programs, chosen by flags: the folder
// that the second lies in is Windows' own affair.
#pragma once

#include <windows.h>

#include <optional>
#include <string>
#include <vector>

#include "doctor/known.hpp"

namespace asiodrv::doctor {

enum class View { native, bits64, bits32 };

class RegistryKey {
 public:
  /// Opens for reading. `path` is UTF-8.
  RegistryKey(HKEY root, const std::string& path, View view = View::native);
  ~RegistryKey();
  RegistryKey(const RegistryKey&) = delete;
  RegistryKey& operator=(const RegistryKey&) = delete;

  [[nodiscard]] bool exists() const noexcept { return key_ != nullptr; }
  /// False: whether it exists was not told.
  [[nodiscard]] bool decided() const noexcept { return exists() || missing_; }
  [[nodiscard]] LSTATUS error() const noexcept { return error_; }

  /// Text of value `name` ("": the default value), variables of the environment in place; "" when
  /// it is absent or no text.
  [[nodiscard]] std::string text(const std::string& name) const;
  [[nodiscard]] std::optional<DWORD> number(const std::string& name) const;
  /// Names of the keys inside, at most 1000.
  [[nodiscard]] std::vector<std::string> keys() const;

 private:
  HKEY key_ = nullptr;
  LSTATUS error_ = ERROR_SUCCESS;
  bool missing_ = false;
};

}  // namespace asiodrv::doctor
