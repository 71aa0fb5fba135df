// Sections with 128 random bits in their names, and the named events of their doorbells.
#include "core/ports/shared_region.hpp"

#include <windows.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "platform/names.hpp"
#include "platform/platform.hpp"
#include "platform/windows/handle.hpp"
#include "platform/windows/security.hpp"
#include "platform/windows/sleeper.hpp"
#include "platform/windows/text.hpp"
#include "platform/word_doorbell.hpp"

namespace asiodrv::platform {
namespace {

constexpr std::size_t kMaxRegionBytes = std::size_t{1} << 30U;
constexpr std::string_view kTokenHead = "Local\\asiodrv-";
constexpr std::size_t kTokenDigits = 32;

/// The waiter's sleep. The event remembers a wake-up, so the word need not be compared.
class EventKernel {
 public:
  explicit EventKernel(UniqueHandle event) noexcept
      : method_(sleep_method()), event_(std::move(event)), timer_(make_fine_timer()) {}

  void wake(std::uint32_t*) const noexcept { SetEvent(event_.get()); }
  void sleep(std::uint32_t*, Instant until) const noexcept {
    (void)wait_event(method_, event_.get(), timer_.get(), until);
  }

 private:
  SleepMethod method_;
  UniqueHandle event_;
  UniqueHandle timer_;
};

bool is_token(std::string_view token) noexcept {
  if (!token.starts_with(kTokenHead)) return false;
  token.remove_prefix(kTokenHead.size());
  return token.size() == kTokenDigits &&
         token.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// True when all of `bytes` from `address` on are memory that is there and may be written. A peer
/// may have made a section whose pages are only reserved: touching those would be a fault.
bool is_all_committed(const std::byte* address, std::size_t bytes) noexcept {
  for (std::size_t at = 0; at < bytes;) {
    MEMORY_BASIC_INFORMATION part{};
    if (VirtualQuery(address + at, &part, sizeof(part)) != sizeof(part)) return false;
    if (part.State != MEM_COMMIT || part.Protect != PAGE_READWRITE) return false;
    const auto* end = static_cast<const std::byte*>(part.BaseAddress) + part.RegionSize;
    at = static_cast<std::size_t>(end - address);
  }
  return true;
}

class MappedSection final : public ports::SharedRegion {
 public:
  /// `identity` is set on the creator's side only: it makes the events, the peer opens them.
  MappedSection(UniqueHandle section, void* view, std::size_t bytes, std::string token,
                std::optional<UserIdentity> identity)
      : section_(std::move(section)),
        bytes_(static_cast<std::byte*>(view), bytes),
        token_(std::move(token)),
        identity_(std::move(identity)) {}
  ~MappedSection() override { UnmapViewOfFile(bytes_.data()); }

  [[nodiscard]] std::span<std::byte> bytes() const noexcept override { return bytes_; }
  [[nodiscard]] const std::string& token() const noexcept override { return token_; }

  Result<std::unique_ptr<ports::Doorbell>> doorbell(std::size_t offset, const char* name) override {
    if (auto usable = check_doorbell_name(name); !usable) return tl::unexpected(usable.error());
    constexpr std::size_t kWords = 2 * sizeof(std::uint32_t);
    if (offset % kWords != 0 || offset > bytes_.size() || bytes_.size() - offset < kWords) {
      return fail(ErrorCode::invalid_argument,
                  "A doorbell needs 8 aligned bytes inside its section.");
    }
    auto event = event_named(name);
    if (!event) return tl::unexpected(event.error());
    auto* words = reinterpret_cast<std::uint32_t*>(bytes_.data() + offset);
    return std::make_unique<WordDoorbell<EventKernel>>(words, EventKernel(std::move(*event)));
  }

  /// Gives every page its memory now. Adds zero: the peer may already write here.
  void populate() noexcept {
    for (std::size_t at = 0; at < bytes_.size(); at += 4096) {
      auto* word = reinterpret_cast<volatile LONG*>(bytes_.data() + at);
      InterlockedExchangeAdd(word, 0);
    }
  }

 private:
  Result<UniqueHandle> event_named(const std::string& name) {
    auto known = events_.find(name);
    if (known == events_.end()) {
      auto made = make_or_open(to_wide(token_ + "-" + name));
      if (!made) return tl::unexpected(made.error());
      known = events_.emplace(name, std::move(*made)).first;
    }
    // The region keeps its own handle: a doorbell that is made again meets the same event.
    HANDLE copy = nullptr;
    const HANDLE process = GetCurrentProcess();
    if (DuplicateHandle(process, known->second.get(), process, &copy, 0, FALSE,
                        DUPLICATE_SAME_ACCESS) == 0) {
      return system_failure("A doorbell's event could not be shared", GetLastError());
    }
    return UniqueHandle(copy);
  }

  Result<UniqueHandle> make_or_open(const std::wstring& name) const {
    if (!identity_) {
      UniqueHandle event(OpenEventW(SYNCHRONIZE | EVENT_MODIFY_STATE, FALSE, name.c_str()));
      if (event) return event;
      return system_failure("A doorbell's event could not be opened", GetLastError());
    }
    auto security = SecurityAttributes::parse(object_sddl(*identity_));
    if (!security) return tl::unexpected(security.error());
    UniqueHandle event(CreateEventW(security->get(), FALSE, FALSE, name.c_str()));
    const DWORD error = GetLastError();
    if (!event) return system_failure("A doorbell's event could not be made", error);
    if (error == ERROR_ALREADY_EXISTS) {
      return fail(ErrorCode::already_exists, "Somebody else holds the name of a doorbell's event.");
    }
    return event;
  }

  UniqueHandle section_;
  std::span<std::byte> bytes_;
  std::string token_;
  std::optional<UserIdentity> identity_;
  std::map<std::string, UniqueHandle> events_;
};

class Sections final : public ports::SharedRegions {
 public:
  Result<std::unique_ptr<ports::SharedRegion>> create(std::size_t bytes) override {
    if (bytes == 0 || bytes > kMaxRegionBytes) return out_of_range();
    auto identity = current_identity();
    if (!identity) return tl::unexpected(identity.error());
    auto security = SecurityAttributes::parse(object_sddl(*identity));
    if (!security) return tl::unexpected(security.error());
    std::array<std::byte, kTokenDigits / 2> random{};
    if (auto filled = random_bytes(random); !filled) return tl::unexpected(filled.error());
    std::string token = std::string(kTokenHead) + to_hex(random);

    UniqueHandle section(CreateFileMappingW(INVALID_HANDLE_VALUE, security->get(), PAGE_READWRITE,
                                            0, static_cast<DWORD>(bytes), to_wide(token).c_str()));
    const DWORD error = GetLastError();
    if (!section) return system_failure("The section could not be made", error);
    if (error == ERROR_ALREADY_EXISTS) {
      return fail(ErrorCode::already_exists, "Somebody else holds the section's name: refused.");
    }
    return map(std::move(section), bytes, std::move(token), std::move(*identity));
  }

  Result<std::unique_ptr<ports::SharedRegion>> open(const std::string& token,
                                                    std::size_t bytes) override {
    if (!is_token(token)) {
      return fail(ErrorCode::malformed, "The section's token is not one of ours.");
    }
    if (bytes == 0 || bytes > kMaxRegionBytes) return out_of_range();
    UniqueHandle section(
        OpenFileMappingW(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, to_wide(token).c_str()));
    if (!section) return system_failure("The section could not be opened", GetLastError());
    return map(std::move(section), bytes, token, std::nullopt);
  }

 private:
  static tl::unexpected<Error> out_of_range() {
    return fail(ErrorCode::invalid_argument, "A section holds 1 byte to 1 GiB.");
  }

  static Result<std::unique_ptr<ports::SharedRegion>> map(UniqueHandle section, std::size_t bytes,
                                                          std::string token,
                                                          std::optional<UserIdentity> identity) {
    void* view = MapViewOfFile(section.get(), FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, bytes);
    if (view == nullptr) {
      const DWORD error = GetLastError();
      if (error == ERROR_NOT_ENOUGH_MEMORY || error == ERROR_COMMITMENT_LIMIT) {
        return fail(ErrorCode::out_of_memory, "There is no room to map the section.");
      }
      return fail(ErrorCode::invalid_argument, "The section is smaller than agreed.");
    }
    auto region = std::make_unique<MappedSection>(std::move(section), view, bytes, std::move(token),
                                                  std::move(identity));
    if (!is_all_committed(region->bytes().data(), bytes)) {
      return fail(ErrorCode::invalid_argument, "The section is not backed by memory.");
    }
    region->populate();
    return region;
  }
};

}  // namespace

std::unique_ptr<ports::SharedRegions> make_shared_regions() { return std::make_unique<Sections>(); }

}  // namespace asiodrv::platform
