// Sections that live in this process, and doorbells whose waiting is somebody else's turn to run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/ports/shared_region.hpp"

namespace asiodrv::simulation {

/// Regions for a world of one thread. A thread that waits for a doorbell gives its peer a turn
/// instead: `on_wait` of the region runs, and is expected to ring.
class MemoryRegions final : public ports::SharedRegions {
 public:
  [[nodiscard]] Result<std::unique_ptr<ports::SharedRegion>> create(std::size_t bytes) override;
  [[nodiscard]] Result<std::unique_ptr<ports::SharedRegion>> open(const std::string& token,
                                                                  std::size_t bytes) override;

  /// What happens while somebody waits in the region of `token`. Replaces what was there.
  void set_on_wait(const std::string& token, std::function<void()> turn);

 private:
  struct Memory;
  class Region;
  class Bell;

  std::map<std::string, std::shared_ptr<Memory>> regions_;
  std::uint32_t next_ = 1;
};

}  // namespace asiodrv::simulation
