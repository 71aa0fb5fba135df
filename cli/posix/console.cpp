#include "cli/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "service/paths.hpp"

namespace asiodrv::cli {
namespace {

bool disk_took_all = true;

}  // namespace

std::vector<std::string> program_arguments(int argc, char** argv) {
  return {argv + (argc > 0 ? 1 : 0), argv + argc};
}

void attach_console() {}  // a program here always has the streams that it was started with

void print(std::string_view text) {
  errno = 0;
  const bool taken = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) == 0 && taken) return;
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO) disk_took_all = false;
}

void print_error(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

bool output_is_complete() noexcept { return disk_took_all; }

std::optional<unsigned> screen_lines() {
  if (isatty(STDOUT_FILENO) != 1 || service::environment("TERM") == "dumb") return std::nullopt;
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
  return known ? size.ws_row : 24U;
}

bool output_takes_unicode() {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = service::environment(name);
    if (locale.empty()) continue;  // the first that is set decides
    return locale.find("UTF-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace asiodrv::cli
