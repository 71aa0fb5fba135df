// One running process: what is loaded into it, whom it talks to, how busy it is.
#pragma once

#include <windows.h>
// What the next needs comes first.
#include <psapi.h>

#include <cstdint>
#include <vector>

#include "core/base/result.hpp"
#include "trust/facts.hpp"
#include "trust/windows/file_facts.hpp"

namespace asiodrv::trust {

/// How the libraries in a process are asked for; replaceable by tests.
struct ModuleCalls {
  decltype(&::K32EnumProcessModulesEx) list = &::K32EnumProcessModulesEx;
  decltype(&::K32GetModuleFileNameExW) name_of = &::K32GetModuleFileNameExW;
};

/// The libraries in `process`. One whose name cannot be read is among them, its signature unknown,
/// unless it was unloaded since. Not known where there is no list, or an empty one.
[[nodiscard]] Known<std::vector<Module>> modules_of(const FileContext& context, HANDLE process,
                                                    const ModuleCalls& calls = {});

/// Blocks for `sample_ms`. Error: not_found (no such process, or none that may be looked at).
[[nodiscard]] Result<ProcessFacts> look_at_process(const FileContext& context, std::uint32_t id,
                                                   std::uint32_t sample_ms);

}  // namespace asiodrv::trust
