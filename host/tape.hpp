// What one run put into the driver and got out of it, block by block, in memory reserved before
// the run. The callback writes, the control thread reads after the stream has stopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/rt.hpp"

namespace asiodrv::host {

/// One callback.
struct BlockRecord {
  std::int64_t position = 0;      ///< frames since start, as the driver labels this block
  std::uint64_t cursor = 0;       ///< what TestSignal gave to the output half of this block
  std::int64_t entered_ns = 0;    ///< monotonic clock, first thing in the callback
  std::uint32_t duration_ns = 0;  ///< the host's own work in the callback
  std::int32_t half = 0;
};

class Tape {
 public:
  /// Reserves and touches room for `blocks` blocks of `channels` inputs. Allocates.
  Tape(std::size_t blocks, std::uint32_t channels, std::uint32_t frames, std::uint32_t bytes)
      : frames_(frames),
        bytes_(bytes),
        channels_(channels),
        records_(blocks),
        input_(blocks * channels * frames * bytes) {}

  [[nodiscard]] bool full() const RT_SAFE { return used_ == records_.size(); }
  [[nodiscard]] std::size_t blocks() const noexcept { return used_; }
  [[nodiscard]] std::uint32_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint32_t channels() const noexcept { return channels_; }
  [[nodiscard]] std::uint32_t bytes_per_sample() const noexcept { return bytes_; }

  [[nodiscard]] const BlockRecord& record(std::size_t block) const { return records_[block]; }
  [[nodiscard]] const std::byte* input(std::size_t block, std::uint32_t channel) const {
    return input_.data() + (block * channels_ + channel) * block_bytes();
  }

  /// The block being written: fill in record and inputs, then push. Not when full().
  [[nodiscard]] BlockRecord& next_record() RT_SAFE { return records_[used_]; }
  [[nodiscard]] std::byte* next_input(std::uint32_t channel) RT_SAFE {
    return input_.data() + (used_ * channels_ + channel) * block_bytes();
  }
  void push() RT_SAFE { ++used_; }

  /// Bytes of one channel of one block.
  [[nodiscard]] std::size_t block_bytes() const noexcept { return std::size_t{frames_} * bytes_; }

 private:
  std::uint32_t frames_;
  std::uint32_t bytes_;
  std::uint32_t channels_;
  std::size_t used_ = 0;
  std::vector<BlockRecord> records_;
  std::vector<std::byte> input_;
};

}  // namespace asiodrv::host
