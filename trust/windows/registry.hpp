// Reading the registry, in the view of either bitness, chosen by flags.
#pragma once

#include <windows.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace asiodrv::trust {

enum class View { native, for_64, for_32 };

/// `text` with the values of this process's variables.
[[nodiscard]] std::string expanded(const std::string& text);

struct RegistryText {
  std::string text;
  bool has_variables = false;  ///< it is meant to be expanded
};

struct RegistryValue {
  std::string name, text;
};

/// The values of a key that are texts, and what is not among them although it is there.
struct RegistryTexts {
  std::vector<RegistryValue> values;
  std::size_t unread = 0;  ///< values that did not let themselves be read
  bool more = false;       ///< the key was not read to its end
};

struct RegistryNames {
  std::vector<std::string> names;
  bool more = false;  ///< the key was not read to its end
};

/// An open key, or none. Names and texts are UTF-8; lists are bounded.
class RegistryKey {
 public:
  RegistryKey(HKEY parent, const std::string& path, View view = View::native);
  RegistryKey(RegistryKey&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}
  RegistryKey& operator=(RegistryKey&&) = delete;
  ~RegistryKey();

  [[nodiscard]] HKEY get() const noexcept { return key_; }
  explicit operator bool() const noexcept { return key_ != nullptr; }
  /// ERROR_FILE_NOT_FOUND for what is not there.
  [[nodiscard]] LSTATUS error() const noexcept { return error_; }

  /// A text with its variables expanded; empty when it is absent or no text. Null: the default one.
  [[nodiscard]] std::string text(const char* name) const;
  /// The same as it was written: not expanded.
  [[nodiscard]] RegistryText written(const char* name) const;
  [[nodiscard]] DWORD number(const char* name) const;
  [[nodiscard]] RegistryNames subkeys() const;
  /// As they were written: their variables are not expanded. A name may hold anything, zeros too,
  /// which hide a value from whoever asks for it by its name. `enumerate`: for tests.
  [[nodiscard]] RegistryTexts texts(decltype(&::RegEnumValueW) enumerate = &::RegEnumValueW) const;

 private:
  HKEY key_ = nullptr;
  LSTATUS error_ = ERROR_SUCCESS;
};

}  // namespace asiodrv::trust
