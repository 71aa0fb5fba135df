// Memory that two processes map, and the two doorbells that belong to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.hpp"
#include "core/ports/doorbell.hpp"

namespace asiodrv::ports {

/// One mapped section. Unmapped when destroyed; the peer's mapping is its own and stays.
class SharedRegion {
 public:
  virtual ~SharedRegion() = default;

  /// The mapped bytes, page aligned, zero at creation. The peer may write them at any time.
  [[nodiscard]] virtual std::span<std::byte> bytes() const noexcept = 0;

  /// What a peer passes to SharedRegions::open. Holds 128 random bits or a descriptor of ours.
  [[nodiscard]] virtual const std::string& token() const noexcept = 0;

  /// A doorbell over the two 32-bit words at `offset` (count, then sleepers), 8-byte aligned.
  /// `name` tells the doorbells of one region apart ("wake", "ack"); both sides give the same.
  /// Control thread. The doorbell must not outlive the region.
  [[nodiscard]] virtual Result<std::unique_ptr<Doorbell>> doorbell(std::size_t offset,
                                                                   const char* name) = 0;
};

/// Makes and opens regions. Control threads only; may allocate and call the kernel.
class SharedRegions {
 public:
  virtual ~SharedRegions() = default;

  /// A new zeroed region of `bytes` bytes (1 to 1 GiB) that only the current user can open, and
  /// that no peer can shrink. Errors: out_of_memory, limit_reached, already_exists (somebody
  /// guessed the name: refused), internal.
  [[nodiscard]] virtual Result<std::unique_ptr<SharedRegion>> create(std::size_t bytes) = 0;

  /// Maps the region that a peer named. Errors: malformed (not a token of ours), not_found,
  /// access_denied, invalid_argument (smaller than `bytes`).
  [[nodiscard]] virtual Result<std::unique_ptr<SharedRegion>> open(const std::string& token,
                                                                   std::size_t bytes) = 0;
};

}  // namespace asiodrv::ports
