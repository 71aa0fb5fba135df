// Sections as sealed memory files. The token is the path of the creator's descriptor; the kernel
// lets only processes of the same user open it. A creator must stay dumpable for that (no file
// capabilities on the service: real-time rights come from RLIMIT_RTPRIO).
#include "core/ports/shared_region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "platform/names.hpp"
#include "platform/platform.hpp"
#include "platform/posix/futex.hpp"
#include "platform/posix/unique_fd.hpp"
#include "platform/word_doorbell.hpp"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace asiodrv::platform {
namespace {

constexpr std::size_t kMaxRegionBytes = std::size_t{1} << 30U;
constexpr const char* kMemoryName = "asiodrv-section";

struct FutexKernel {
  void wake(std::uint32_t* sleepers) const noexcept { futex_wake(sleepers, 1, FutexScope::shared); }
  void sleep(std::uint32_t* sleepers, Instant until) const noexcept {
    futex_wait(sleepers, 1, until, FutexScope::shared);
  }
};

Error system_error(const std::string& what, int error) {
  const ErrorCode code = error == ENOMEM || error == ENOSPC   ? ErrorCode::out_of_memory
                         : error == EMFILE || error == ENFILE ? ErrorCode::limit_reached
                         : error == ENOENT || error == ESRCH  ? ErrorCode::not_found
                         : error == EACCES || error == EPERM  ? ErrorCode::access_denied
                                                              : ErrorCode::internal;
  return {code, what + ": " + std::strerror(error) + "."};
}

class MappedRegion final : public ports::SharedRegion {
 public:
  /// Takes the mapping over. The descriptor stays open as long as the region: it is the token.
  MappedRegion(void* address, std::size_t bytes, UniqueFd descriptor, std::string token) noexcept
      : bytes_(static_cast<std::byte*>(address), bytes),
        descriptor_(std::move(descriptor)),
        token_(std::move(token)) {}
  ~MappedRegion() override { munmap(bytes_.data(), bytes_.size()); }

  [[nodiscard]] std::span<std::byte> bytes() const noexcept override { return bytes_; }
  [[nodiscard]] const std::string& token() const noexcept override { return token_; }

  Result<std::unique_ptr<ports::Doorbell>> doorbell(std::size_t offset, const char* name) override {
    if (auto usable = check_doorbell_name(name); !usable) {
      return tl::unexpected(usable.error());
    }
    constexpr std::size_t kWords = 2 * sizeof(std::uint32_t);
    if (offset % kWords != 0 || offset > bytes_.size() || bytes_.size() - offset < kWords) {
      return fail(ErrorCode::invalid_argument,
                  "A doorbell needs 8 aligned bytes inside its section.");
    }
    auto* words = reinterpret_cast<std::uint32_t*>(bytes_.data() + offset);
    return std::make_unique<WordDoorbell<FutexKernel>>(words, FutexKernel{});
  }

 private:
  std::span<std::byte> bytes_;
  UniqueFd descriptor_;
  std::string token_;
};

/// Gives every page its memory now: real-time code must meet neither a page fault nor, when the
/// system has no memory left, a SIGBUS.
bool populate(void* address, std::size_t bytes) noexcept {
  if (madvise(address, bytes, MADV_POPULATE_WRITE) == 0) return true;
  if (errno != EINVAL) return false;  // EINVAL: a kernel before 5.14
  auto* const memory = static_cast<std::byte*>(address);
  for (std::size_t at = 0; at < bytes; at += 4096) {
    // Adds zero: the peer may already write here.
    std::atomic_ref<std::uint32_t>{*reinterpret_cast<std::uint32_t*>(memory + at)}.fetch_add(0);
  }
  return true;
}

Result<std::unique_ptr<ports::SharedRegion>> map(UniqueFd descriptor, std::size_t bytes,
                                                 std::string token) {
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.get(), 0);
  if (address == MAP_FAILED) {
    return tl::unexpected(system_error("The section could not be mapped", errno));
  }
  auto region =
      std::make_unique<MappedRegion>(address, bytes, std::move(descriptor), std::move(token));
  if (!populate(address, bytes)) {
    return fail(ErrorCode::out_of_memory, "The section's memory could not be provided.");
  }
  return region;
}

int make_memory_file() noexcept {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = memfd_create(kMemoryName, kFlags | MFD_NOEXEC_SEAL);
  if (fd >= 0 || errno != EINVAL) return fd;
  return memfd_create(kMemoryName, kFlags);  // a kernel before 6.3
}

/// A decimal number without sign or leading zero, at most nine digits.
bool is_small_number(std::string_view text) noexcept {
  if (text.empty() || text.size() > 9 || (text[0] == '0' && text.size() > 1)) return false;
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Exactly "/proc/<process>/fd/<descriptor>".
bool is_token(std::string_view token) noexcept {
  constexpr std::string_view kHead = "/proc/";
  constexpr std::string_view kMiddle = "/fd/";
  if (!token.starts_with(kHead)) return false;
  token.remove_prefix(kHead.size());
  const std::size_t slash = token.find('/');
  if (slash == std::string_view::npos || !token.substr(slash).starts_with(kMiddle)) return false;
  return is_small_number(token.substr(0, slash)) &&
         is_small_number(token.substr(slash + kMiddle.size()));
}

/// Opening a device or a pipe can have effects of its own, so the link is read first. A peer may
/// change it in between; the seals of what was opened decide.
Result<> looks_like_memory(const std::string& token) {
  char target[64];
  const ssize_t length = readlink(token.c_str(), target, sizeof(target));
  if (length < 0) {
    return tl::unexpected(system_error("The section " + token + " could not be found", errno));
  }
  const std::string_view text(target, static_cast<std::size_t>(length));
  if (text.starts_with(std::string("/memfd:") + kMemoryName)) return {};
  return fail(ErrorCode::malformed, "What " + token + " names is not a section of ours.");
}

class MemoryRegions final : public ports::SharedRegions {
 public:
  Result<std::unique_ptr<ports::SharedRegion>> create(std::size_t bytes) override {
    if (bytes == 0 || bytes > kMaxRegionBytes) {
      return fail(ErrorCode::invalid_argument, "A section holds 1 byte to 1 GiB.");
    }
    UniqueFd memory(make_memory_file());
    if (!memory) return tl::unexpected(system_error("The section could not be made", errno));
    if (const int error = posix_fallocate(memory.get(), 0, static_cast<off_t>(bytes)); error != 0) {
      return tl::unexpected(system_error("The section's memory could not be reserved", error));
    }
    if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
      return tl::unexpected(system_error("The section could not be sealed", errno));
    }
    std::string token = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(memory.get());
    return map(std::move(memory), bytes, std::move(token));
  }

  Result<std::unique_ptr<ports::SharedRegion>> open(const std::string& token,
                                                    std::size_t bytes) override {
    if (!is_token(token)) {
      return fail(ErrorCode::malformed, "The section's token is not one of ours.");
    }
    if (bytes == 0 || bytes > kMaxRegionBytes) {
      return fail(ErrorCode::invalid_argument, "A section holds 1 byte to 1 GiB.");
    }
    if (auto usable = looks_like_memory(token); !usable) return tl::unexpected(usable.error());
    UniqueFd memory(::open(token.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!memory) {
      return tl::unexpected(system_error("The section " + token + " could not be opened", errno));
    }
    const int seals = fcntl(memory.get(), F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
      return fail(ErrorCode::malformed,
                  "What " + token + " names is not sealed memory: its owner could take it away.");
    }
    struct stat status {};
    if (fstat(memory.get(), &status) != 0 || status.st_size < 0 ||
        static_cast<std::uint64_t>(status.st_size) < bytes) {
      return fail(ErrorCode::invalid_argument, "The section is smaller than agreed.");
    }
    return map(std::move(memory), bytes, token);
  }
};

}  // namespace

std::unique_ptr<ports::SharedRegions> make_shared_regions() {
  return std::make_unique<MemoryRegions>();
}

}  // namespace asiodrv::platform
