// Threads that could not be joined: the host is still inside one of our calls, or it destroyed the
// driver from inside such a call. They end by themselves; their Thread objects wait here, and are
// freed when a later driver object finds them ended.
#pragma once

#include <cstdint>
#include <memory>

#include "core/ports/thread.hpp"

namespace asiodrv::asio {

/// Any thread. Lock-free.
void bury(std::unique_ptr<ports::Thread> thread) noexcept;

/// Frees those that have ended; waits for none. Control thread.
void reap() noexcept;

/// How many wait here.
[[nodiscard]] std::int32_t buried() noexcept;

}  // namespace asiodrv::asio
