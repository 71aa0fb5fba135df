// What a thread of ours gets from the system beyond running.
#pragma once

namespace asiodrv::platform {

/// True when this code is part of the program itself, false inside a DLL or shared object: there
/// the process belongs to somebody else and must survive our mistakes.
[[nodiscard]] bool code_in_program() noexcept;

/// Keeps the module that holds this code mapped until the process ends. Hosts may unload a DLL
/// whatever it answers; a thread that returns into unmapped code takes the host with it.
void pin_module() noexcept;

/// Touches the calling thread's stack down to kPrefaultedStack, so that real-time code meets no
/// page fault there.
inline constexpr unsigned kPrefaultedStack = 256U * 1024U;
void prefault_stack() noexcept;

}  // namespace asiodrv::platform
