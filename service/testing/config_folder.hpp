// A folder of its own for tests of configuration files.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "platform/platform.hpp"
#include "service/config_layers.hpp"
#include "service/paths.hpp"

namespace asiodrv::service::testing {

class ConfigFolder {
 public:
  ConfigFolder() {
    static std::atomic<int> count{0};
    path_ = path_of(::testing::TempDir()) /
            ("config-" + std::to_string(platform::process_id()) + "-" + std::to_string(++count));
    std::filesystem::create_directories(path_);
  }
  ~ConfigFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const {
    const std::u8string text = (path_ / path_of(name)).u8string();
    return std::string(text.begin(), text.end());
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_of(file(name)), std::ios::binary) << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream stream(path_of(file(name)), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::filesystem::exists(path_of(file(name)));
  }

  /// vendor.toml, machine.toml, user.toml.
  [[nodiscard]] ConfigPlaces places() const {
    return {file("vendor.toml"), file("machine.toml"), file("user.toml"), false};
  }
  /// vendor.toml, and named.toml in place of the others.
  [[nodiscard]] ConfigPlaces named_places() const {
    return {file("vendor.toml"), file("machine.toml"), file("named.toml"), true};
  }

 private:
  std::filesystem::path path_;
};

}  // namespace asiodrv::service::testing
