// Cuts a byte stream into messages: a 32-bit little-endian length, then that many bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/wire/control.hpp"

namespace asiodrv::wire {

inline constexpr std::size_t kFrameHeaderBytes = 4;

/// `body` as it goes on the stream. Errors: limit_reached (over kMaxMessageBytes), malformed
/// (empty: the stream has no empty messages).
[[nodiscard]] Result<std::vector<std::byte>> encode_frame(std::string_view body);

/// The receiving side of one stream. The bytes come from a peer: a length over kMaxMessageBytes is
/// refused before one byte of that message is stored, and what is stored never exceeds one message
/// and the last piece fed. One thread at a time.
class FrameReader {
 public:
  /// Takes the next bytes of the stream, in pieces of any size. Drain next() before feeding more.
  void feed(std::span<const std::byte> bytes);

  /// The next complete message, or nothing until more bytes come. Errors: malformed (a length of
  /// zero or over kMaxMessageBytes); the stream has lost its boundaries then: hang up.
  [[nodiscard]] Result<std::optional<std::string>> next();

  /// True when a message has begun and not ended.
  [[nodiscard]] bool partial() const noexcept { return consumed_ < bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t consumed_ = 0;  // of bytes_, by messages already handed out
  bool broken_ = false;
};

}  // namespace asiodrv::wire
