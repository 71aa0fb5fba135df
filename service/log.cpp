#include "service/log.hpp"

#ifdef _WIN32
#define SPDLOG_WCHAR_FILENAMES  // paths beyond the system's 8-bit code page
#endif
#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <filesystem>
#include <memory>

namespace asiodrv::service {
namespace {

constexpr std::size_t kFileBytes = 1 << 20;
constexpr std::size_t kKeptFiles = 2;

Log log_to(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("asio-driver", std::move(sink));
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e  %l  %v");
  logger->flush_on(spdlog::level::info);  // a line that explains a crash must be on the disk
  return [logger](LogLevel level, const std::string& line) {
    const auto severity = level == LogLevel::info      ? spdlog::level::info
                          : level == LogLevel::warning ? spdlog::level::warn
                                                       : spdlog::level::err;
    logger->log(severity, spdlog::string_view_t(line.data(), line.size()));
  };
}

}  // namespace

Log make_terminal_log() { return log_to(std::make_shared<spdlog::sinks::stderr_sink_mt>()); }

Result<Log> make_file_log(const std::string& path) {
  const std::filesystem::path file(std::u8string(path.begin(), path.end()));
  try {
    std::filesystem::create_directories(file.parent_path());
    return log_to(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.native(), kFileBytes,
                                                                         kKeptFiles));
  } catch (const std::exception& error) {
    return fail(ErrorCode::access_denied,
                "The log file " + path + " cannot be written: " + error.what() + ".");
  }
}

}  // namespace asiodrv::service
