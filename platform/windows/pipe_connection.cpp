#include "platform/windows/pipe_connection.hpp"

#include <algorithm>
#include <array>

#include "platform/monotonic.hpp"
#include "platform/windows/sleeper.hpp"

namespace asiodrv::platform {
namespace {

constexpr std::size_t kChunk = 64 * 1024;  // bytes a single write asks for

tl::unexpected<Error> gone() { return fail(ErrorCode::disconnected, "The connection has ended."); }

class SharedUse {
 public:
  explicit SharedUse(SRWLOCK& lock) noexcept : lock_(lock) { AcquireSRWLockShared(&lock_); }
  ~SharedUse() { ReleaseSRWLockShared(&lock_); }
  SharedUse(const SharedUse&) = delete;
  SharedUse& operator=(const SharedUse&) = delete;

 private:
  SRWLOCK& lock_;
};

}  // namespace

/// One read or write from `start` to its end, its cancellation included: the buffer is not the
/// system's any more when this returns. Gives the bytes moved.
template <class Start>
Result<DWORD> PipeConnection::transfer(HANDLE completed, Instant deadline, Start start) {
  const SharedUse use(in_use_);
  if (down_.load(std::memory_order_acquire)) return gone();
  OVERLAPPED operation{};
  operation.hEvent = completed;
  ResetEvent(completed);
  if (start(pipe_.get(), &operation) == 0) {
    if (GetLastError() != ERROR_IO_PENDING) return gone();
    const std::array<HANDLE, 2> watched{completed, stop_.get()};
    if (wait_any(watched.data(), 2, deadline) != 0) CancelIoEx(pipe_.get(), &operation);
  }
  DWORD moved = 0;
  if (GetOverlappedResult(pipe_.get(), &operation, &moved, TRUE) != 0) return moved;
  if (GetLastError() != ERROR_OPERATION_ABORTED || down_.load(std::memory_order_acquire)) {
    return gone();
  }
  return fail(ErrorCode::timed_out, "The peer did not answer in time.");
}

Result<> PipeConnection::send(std::span<const std::byte> bytes, Instant deadline) {
  while (!bytes.empty()) {
    const auto part = static_cast<DWORD>(std::min(bytes.size(), kChunk));
    const auto moved =
        transfer(sent_.get(), deadline, [&](HANDLE pipe, OVERLAPPED* operation) noexcept {
          return WriteFile(pipe, bytes.data(), part, nullptr, operation);
        });
    if (!moved) {
      shutdown();  // half a message may be on its way: nothing sensible can follow it
      return tl::unexpected(moved.error());
    }
    bytes = bytes.subspan(*moved);
    if (!bytes.empty() && *moved < part && time_left(deadline) == nanoseconds{0}) {
      shutdown();
      return fail(ErrorCode::timed_out, "The peer did not take the message in time.");
    }
  }
  return {};
}

Result<std::size_t> PipeConnection::receive(std::span<std::byte> into, Instant deadline) {
  if (into.empty()) return fail(ErrorCode::invalid_argument, "There is no room to receive into.");
  const auto room = static_cast<DWORD>(std::min<std::size_t>(into.size(), 1U << 30U));
  for (;;) {
    const auto moved =
        transfer(received_.get(), deadline, [&](HANDLE pipe, OVERLAPPED* operation) noexcept {
          return ReadFile(pipe, into.data(), room, nullptr, operation);
        });
    if (!moved) return tl::unexpected(moved.error());
    if (*moved > 0) return std::size_t{*moved};
    // An empty write of the peer: not an end, and no reason to wait longer than asked.
    if (time_left(deadline) == nanoseconds{0}) {
      return fail(ErrorCode::timed_out, "The peer sent nothing in time.");
    }
  }
}

void PipeConnection::shutdown() noexcept {
  down_.store(true, std::memory_order_release);
  SetEvent(stop_.get());  // transfers leave, and let go of the pipe
  AcquireSRWLockExclusive(&in_use_);
  pipe_.reset();  // what was sent stays readable for the peer, then its reads end
  ReleaseSRWLockExclusive(&in_use_);
}

}  // namespace asiodrv::platform
