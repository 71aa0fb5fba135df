#include "host/output.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

namespace asiodrv::host {
namespace {

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::FILE* create_file(const std::string& utf8) {
  const std::filesystem::path path(std::u8string(utf8.begin(), utf8.end()));
#if defined(_WIN32)
  return _wfopen(path.c_str(), L"wb");
#else
  return std::fopen(path.c_str(), "wb");
#endif
}

}  // namespace

Output::Output(OutputOptions options)
    : options_(std::move(options)), shows_progress_(options_.progress || stderr_is_terminal()) {
  if (options_.json && *options_.json == "-") options_.json = "";
}

bool Output::speaks() const noexcept {
  return !options_.quiet && !(options_.json && options_.json->empty());
}

void Output::line(const std::string& text) const {
  if (!speaks()) return;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void Output::progress(const std::string& text) {
  if (!shows_progress_) return;
  const std::int64_t now = now_ms();
  if (progress_width_ > 0 && now - last_progress_ms_ < 100) return;
  last_progress_ms_ = now;
  fmt::print(stderr, "\r{:<{}}", text, progress_width_);
  std::fflush(stderr);
  progress_width_ = text.size();
}

void Output::end_progress() {
  if (progress_width_ == 0) return;
  fmt::print(stderr, "\r{:<{}}\r", "", progress_width_);
  std::fflush(stderr);
  progress_width_ = 0;
}

void Output::error(const std::string& message) {
  end_progress();
  fmt::print(stderr, "asio-host: {}\n", message);
}

bool Output::json(const Json& document) {
  if (!options_.json) return true;
  const std::string text = document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (options_.json->empty()) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
           std::fflush(stdout) == 0;
  }
  std::FILE* file = create_file(*options_.json);
  bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr && std::fclose(file) != 0) written = false;
  if (!written) error(fmt::format("'{}' cannot be written.", *options_.json));
  return written;
}

int exit_code_for(const Error& error) noexcept {
  return error.code == ErrorCode::not_found ? kExitNoDriver : kExitFailed;
}

}  // namespace asiodrv::host
