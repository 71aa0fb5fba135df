// What the system says about this process, its random source, and the two ports that are trivial
// here.
#include <dlfcn.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>

#include "platform/monotonic.hpp"
#include "platform/platform.hpp"

namespace asiodrv::platform {

Result<> random_bytes(std::span<std::byte> into) {
  while (!into.empty()) {
    const ssize_t filled = getrandom(into.data(), into.size(), 0);
    if (filled > 0) {
      into = into.subspan(static_cast<std::size_t>(filled));
    } else if (errno != EINTR) {
      return fail(ErrorCode::internal, "The system gave no random bytes.");
    }
  }
  return {};
}

bool ends_with_starter() { return false; }

std::string program_path() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  if (length <= 0) return {};
  // The kernel marks a program that was replaced on disk; its place is still the right one.
  constexpr std::string_view kReplaced = " (deleted)";
  std::string_view text(path, static_cast<std::size_t>(length));
  if (text.ends_with(kReplaced)) text.remove_suffix(kReplaced.size());
  return std::string(text);
}

std::string module_path(const void* inside) {
  Dl_info found{};
  if (dladdr(inside, &found) == 0 || found.dli_fname == nullptr) return {};
  // The dynamic linker knows the program by what it was called as: relative, or a bare name.
  Dl_info program{};
  const void* symbol = dlsym(RTLD_DEFAULT, "_start");
  if (symbol != nullptr && dladdr(symbol, &program) != 0 && program.dli_fbase == found.dli_fbase) {
    return program_path();
  }
  char resolved[PATH_MAX];
  return realpath(found.dli_fname, resolved) != nullptr ? std::string(resolved) : program_path();
}

std::unique_ptr<ports::InstalledService> make_installed_service(const std::string& /*name*/) {
  return nullptr;
}

std::uint32_t process_id() { return static_cast<std::uint32_t>(getpid()); }

std::uint64_t host_epoch_ms() {
  return static_cast<std::uint64_t>(monotonic_now().ns) / 1'000'000U;
}

StreamingBoost::StreamingBoost() = default;
StreamingBoost::~StreamingBoost() = default;

}  // namespace asiodrv::platform
