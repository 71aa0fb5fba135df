#include "cli/rollback.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/setup_process.hpp"
#include "platform/platform.hpp"
#include "service/paths.hpp"

namespace asiodrv::cli {
namespace {

constexpr std::size_t kLongestFile = 65'536;
constexpr std::chrono::minutes kSetupLimit{3};

class RealSetupSystem final : public SetupSystem {
 public:
  std::string folder() override {
    const std::string program = platform::program_path();
    return program.substr(0, program.find_last_of("\\/") + 1);
  }
  Result<std::string> read(const std::string& path) override {
    std::ifstream file(service::path_of(path), std::ios::binary);
    if (!file) return fail(ErrorCode::not_found, "There is no file " + path + ".");
    std::string text(kLongestFile, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
  }
  Result<> copy(const std::string& from, const std::string& to) override {
    std::error_code error;
    std::filesystem::copy_file(service::path_of(from), service::path_of(to),
                               std::filesystem::copy_options::overwrite_existing, error);
    if (!error) return {};
    const bool denied = error == std::errc::permission_denied;
    return fail(denied ? ErrorCode::access_denied : ErrorCode::internal,
                fmt::format("{} could not be copied: {}.", from, error.message()));
  }
  void remove(const std::string& path) noexcept override {
    std::error_code ignored;
    std::filesystem::remove(service::path_of(path), ignored);
  }
  Result<int> run(const std::string& program, const std::string& arguments,
                  std::chrono::milliseconds limit) override {
    return run_setup_process(program, arguments, limit);
  }
};

int explain(const Error& error) {
  if (error.code == ErrorCode::access_denied) {
    print_error(
        "Only an administrator can change the installed version. Open a terminal as "
        "administrator and run \"asio-driver rollback\" there.\n");
    return kNotElevated;
  }
  print_error(error.message + "\n");
  return kFailed;
}

/// The setup's log is 16-bit text; its sentences are shown as far as they are ASCII.
std::string log_text(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c == '\n' || (c >= ' ' && c <= '~')) text += c;
  }
  return text;
}

}  // namespace

std::string previous_version(const std::string& ini) {
  constexpr std::string_view kKey = "version=";
  const std::size_t at = ini.find(kKey);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + kKey.size();
  const auto is_part = [](char c) { return c == '.' || (c >= '0' && c <= '9'); };
  const auto end =
      std::find_if_not(ini.begin() + static_cast<std::ptrdiff_t>(begin), ini.end(), is_part);
  return {ini.begin() + static_cast<std::ptrdiff_t>(begin), end};
}

int run_rollback(SetupSystem& system) {
  const std::string folder = system.folder();
  const auto ini = system.read(folder + "previous\\previous.ini");
  const std::string version = ini ? previous_version(*ini) : std::string();
  if (version.empty()) {
    print_error(
        "There is no previous version to return to. Setup keeps one when it replaces a "
        "version by another.\n");
    return kFailed;
  }
  const std::string setup = folder + "rollback.exe";
  const std::string log = folder + "rollback.log";
  if (auto copied = system.copy(folder + "uninstall.exe", setup); !copied) {
    return explain(copied.error());
  }
  system.remove(log);
  // The folder comes last and is not quoted: so the setup program reads it.
  const auto code = system.run(
      setup,
      fmt::format("/S /ROLLBACK /LOG=\"{}\" _?={}", log, folder.substr(0, folder.size() - 1)),
      kSetupLimit);
  const auto said = system.read(log);
  system.remove(log);
  system.remove(setup);
  if (!code) return explain(code.error());
  if (said) print(log_text(*said));
  if (*code != 0) {
    print_error(
        fmt::format("Version {} could not be put back (code {}); what was installed still "
                    "is.\n",
                    version, *code));
    return kFailed;
  }
  print(
      fmt::format("Version {} is installed again. \"asio-driver rollback\" goes back to the one "
                  "that it replaced.\n",
                  version));
  return kDone;
}

int run_rollback() {
  RealSetupSystem system;
  return run_rollback(system);
}

}  // namespace asiodrv::cli
