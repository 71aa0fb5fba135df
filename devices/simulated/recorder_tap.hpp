// What the simulated device plays, on its way to a file: the engine thread copies each block into
// a ring and never waits; a control thread drains the ring whenever it likes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/audio/wav_file.hpp"
#include "core/base/planar.hpp"
#include "core/base/result.hpp"
#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::devices {

/// A single-producer, single-consumer ring of blocks. Each block says where in its take it
/// belongs, so silence costs nothing and a dropped block leaves a hole of the right length.
/// A take is one run of the device, from start to stop.
class RecorderTap {
 public:
  struct Block {
    std::uint32_t take = 0;  ///< counts the device's starts, from 1
    std::uint32_t channels = 0;
    SampleRate rate{};
    Frames frames{};
    std::uint64_t position = 0;  ///< of the first frame, since the take's start
  };

  /// Ring bytes that hold about two seconds, and never less than two blocks.
  [[nodiscard]] static std::size_t suggested_bytes(std::uint32_t channels, SampleRate rate,
                                                   Frames period) noexcept;

  /// Rounded up to a power of two; at most 1 GiB. Allocates and touches it all.
  explicit RecorderTap(std::size_t ring_bytes);
  RecorderTap(const RecorderTap&) = delete;
  RecorderTap& operator=(const RecorderTap&) = delete;

  /// Engine thread only. RT: wait-free, one copy of the samples. False when the ring is full: the
  /// block is dropped and counted. `block.channels` and `block.frames` are taken from `samples`.
  bool push(Block block, PlanarView<const float> samples) RT_SAFE;

  /// One control thread only. Wait-free but for its allocation: fills `samples` with the oldest
  /// block, [channel][frame] contiguous; nothing when the ring is empty.
  [[nodiscard]] std::optional<Block> pop(std::vector<float>& samples);

  /// Blocks that found the ring full. Any thread.
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }

 private:
  void put(std::uint64_t at, const void* bytes, std::size_t count) RT_SAFE;
  void get(std::uint64_t at, void* bytes, std::size_t count) const noexcept;

  const std::size_t capacity_;  // a power of two
  std::unique_ptr<std::byte[]> ring_;
  alignas(64) std::atomic<std::uint64_t> written_{0};  // bytes ever; the producer's
  alignas(64) std::atomic<std::uint64_t> read_{0};     // bytes ever; the consumer's
  alignas(64) std::atomic<std::uint64_t> dropped_{0};
};

/// Drains a tap into WAV files. Takes of one shape follow each other in one file, each at its own
/// frame positions with silence where nothing was played; a take of another shape (rate, channels)
/// starts the next file: "name.wav", "name-2.wav", ... One control thread; blocks on the disk.
class TapRecorder {
 public:
  TapRecorder(RecorderTap& tap, std::string path, audio::WavCoding coding);

  /// Writes everything that the tap holds now. After an error recording has ended for good; later
  /// calls keep the tap empty and succeed. Errors: those of audio::WavRecorder.
  [[nodiscard]] Result<> drain();

  /// Drains a last time and completes the file. Call it when the device has stopped.
  [[nodiscard]] Result<> finish();

  /// Frames in the current file.
  [[nodiscard]] std::uint64_t frames() const noexcept { return file_ ? file_->frames() : 0; }

 private:
  Result<> write(const RecorderTap::Block& block);
  Result<> begin_file(const RecorderTap::Block& block);

  RecorderTap& tap_;
  const std::string path_;
  const audio::WavCoding coding_;
  std::unique_ptr<audio::WavRecorder> file_;
  std::uint32_t files_ = 0;
  std::uint32_t take_ = 0;        // being written, 0 before the first
  std::uint64_t take_start_ = 0;  // frame of the file at which the take's position 0 lies
  bool failed_ = false;
  std::vector<float> samples_;
  std::vector<const float*> blocks_;
};

}  // namespace asiodrv::devices
