// One end of a byte pipe with time bounds.
#pragma once

#include <windows.h>

#include <atomic>

#include "core/ports/transport.hpp"
#include "platform/windows/handle.hpp"

namespace asiodrv::platform {

class PipeConnection final : public ports::Connection {
 public:
  /// `pipe` is connected and was opened for overlapped use.
  PipeConnection(UniqueHandle pipe, ports::PeerIdentity peer) noexcept
      : pipe_(std::move(pipe)), peer_(std::move(peer)) {}

  Result<> send(std::span<const std::byte> bytes, Instant deadline) override;
  Result<std::size_t> receive(std::span<std::byte> into, Instant deadline) override;
  void shutdown() noexcept override;
  [[nodiscard]] const ports::PeerIdentity& peer() const noexcept override { return peer_; }

 private:
  template <class Start>
  Result<DWORD> transfer(HANDLE completed, Instant deadline, Start start);

  UniqueHandle pipe_;
  ports::PeerIdentity peer_;
  std::atomic<bool> down_{false};
  UniqueHandle stop_ = make_event(true);      // set once, by shutdown
  UniqueHandle sent_ = make_event(true);      // completion of the one pending write
  UniqueHandle received_ = make_event(true);  // completion of the one pending read
  SRWLOCK in_use_ = SRWLOCK_INIT;             // shared: a transfer; exclusive: closing the pipe
};

}  // namespace asiodrv::platform
