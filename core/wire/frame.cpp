#include "core/wire/frame.hpp"

#include <fmt/format.h>

#include <cstring>

namespace asiodrv::wire {

Result<std::vector<std::byte>> encode_frame(std::string_view body) {
  if (body.empty()) return fail(ErrorCode::malformed, "An empty message cannot be sent.");
  if (body.size() > kMaxMessageBytes) {
    return fail(ErrorCode::limit_reached,
                fmt::format("A message of {} bytes is over the limit of {} bytes.", body.size(),
                            kMaxMessageBytes));
  }
  std::vector<std::byte> frame(kFrameHeaderBytes + body.size());
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) {
    frame[i] = static_cast<std::byte>(body.size() >> (8 * i) & 0xFF);
  }
  std::memcpy(frame.data() + kFrameHeaderBytes, body.data(), body.size());
  return frame;
}

void FrameReader::feed(std::span<const std::byte> bytes) {
  if (broken_) return;
  bytes_.erase(0, consumed_);
  consumed_ = 0;
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<std::optional<std::string>> FrameReader::next() {
  if (broken_) return fail(ErrorCode::malformed, "The stream has lost its message boundaries.");
  const std::size_t available = bytes_.size() - consumed_;
  if (available < kFrameHeaderBytes) return std::optional<std::string>{};
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) {
    length |= std::uint32_t{static_cast<unsigned char>(bytes_[consumed_ + i])} << (8 * i);
  }
  if (length == 0 || length > kMaxMessageBytes) {
    broken_ = true;
    bytes_.clear();
    bytes_.shrink_to_fit();
    consumed_ = 0;
    return fail(ErrorCode::malformed, fmt::format("A message of {} bytes was announced; accepted "
                                                  "are 1 to {} bytes.",
                                                  length, kMaxMessageBytes));
  }
  if (available - kFrameHeaderBytes < length) return std::optional<std::string>{};
  std::optional<std::string> body(bytes_.substr(consumed_ + kFrameHeaderBytes, length));
  consumed_ += kFrameHeaderBytes + length;
  return body;
}

}  // namespace asiodrv::wire
