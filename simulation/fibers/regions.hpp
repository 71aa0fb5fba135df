// Shared sections in one process, with doorbells on which fibers wait. A section lives as long as
// one side maps it, so what nobody holds any more is seen to be gone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/ports/shared_region.hpp"
#include "simulation/fibers/scheduler.hpp"

namespace asiodrv::simulation {

class FiberRegions final : public ports::SharedRegions {
 public:
  explicit FiberRegions(Scheduler& scheduler) : scheduler_(scheduler) {}

  [[nodiscard]] Result<std::unique_ptr<ports::SharedRegion>> create(std::size_t bytes) override;
  [[nodiscard]] Result<std::unique_ptr<ports::SharedRegion>> open(const std::string& token,
                                                                  std::size_t bytes) override;

  /// The next `count` calls of create fail, as if the system had no memory.
  void fail_creates(std::uint32_t count) { failing_ = count; }
  [[nodiscard]] std::uint32_t failed() const noexcept { return failed_; }
  /// Sections that somebody still maps.
  [[nodiscard]] std::size_t live();

 private:
  struct Memory;
  class Region;
  class Bell;

  Scheduler& scheduler_;
  std::map<std::string, std::weak_ptr<Memory>> regions_;
  std::uint32_t next_ = 1, failing_ = 0, failed_ = 0;
};

}  // namespace asiodrv::simulation
