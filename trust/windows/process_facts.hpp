// One running process: what is loaded into it, whom it talks to, how busy it is.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.hpp"
#include "trust/facts.hpp"
#include "trust/windows/file_facts.hpp"

namespace asiodrv::trust {

/// Blocks for `sample_ms`. Error: not_found (no such process, or none that may be looked at).
[[nodiscard]] Result<ProcessFacts> look_at_process(const FileContext& context, std::uint32_t id,
                                                   std::uint32_t sample_ms);

}  // namespace asiodrv::trust
