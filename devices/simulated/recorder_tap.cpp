#include "devices/simulated/recorder_tap.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace asiodrv::devices {
namespace {

constexpr std::size_t kMinRingBytes = std::size_t{1} << 12U;
constexpr std::size_t kMaxRingBytes = std::size_t{1} << 30U;

/// One call of drain() takes at most this many blocks: a fast producer can not keep it busy.
constexpr std::uint32_t kBlocksPerDrain = 1U << 16U;

}  // namespace

std::size_t RecorderTap::suggested_bytes(std::uint32_t channels, SampleRate rate,
                                         Frames period) noexcept {
  const std::uint64_t block =
      sizeof(Block) + std::uint64_t{channels} * period.count * sizeof(float);
  const std::uint64_t seconds = 2;
  const std::uint64_t blocks =
      std::max<std::uint64_t>(2, seconds * rate.hz / std::max<std::uint32_t>(period.count, 1) + 1);
  return static_cast<std::size_t>(std::min<std::uint64_t>(blocks * block, kMaxRingBytes));
}

RecorderTap::RecorderTap(std::size_t ring_bytes)
    : capacity_(std::bit_ceil(std::clamp(ring_bytes, kMinRingBytes, kMaxRingBytes))),
      ring_(std::make_unique<std::byte[]>(capacity_)) {}

bool RecorderTap::push(Block block, PlanarView<const float> samples) RT_SAFE {
  block.channels = samples.channels;
  block.frames = samples.frames;
  const std::size_t channel_bytes = std::size_t{samples.frames.count} * sizeof(float);
  const std::size_t bytes = sizeof(Block) + channel_bytes * samples.channels;
  std::uint64_t at = written_.load(std::memory_order_relaxed);       // ours: no one else writes it
  const std::uint64_t read = read_.load(std::memory_order_acquire);  // pairs with pop's release
  if (bytes > capacity_ - static_cast<std::size_t>(at - read)) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  put(at, &block, sizeof block);
  at += sizeof block;
  for (std::uint32_t channel = 0; channel < samples.channels; ++channel) {
    put(at, samples.channel(channel), channel_bytes);
    at += channel_bytes;
  }
  written_.store(at, std::memory_order_release);  // publishes the block above
  return true;
}

std::optional<RecorderTap::Block> RecorderTap::pop(std::vector<float>& samples) {
  const std::uint64_t at = read_.load(std::memory_order_relaxed);           // ours
  if (written_.load(std::memory_order_acquire) == at) return std::nullopt;  // pairs with push
  Block block;
  get(at, &block, sizeof block);
  samples.resize(std::size_t{block.channels} * block.frames.count);
  const std::size_t bytes = samples.size() * sizeof(float);
  get(at + sizeof block, samples.data(), bytes);
  read_.store(at + sizeof block + bytes, std::memory_order_release);  // the room is free again
  return block;
}

void RecorderTap::put(std::uint64_t at, const void* bytes, std::size_t count) RT_SAFE {
  const auto offset = static_cast<std::size_t>(at) & (capacity_ - 1);
  const std::size_t first = std::min(count, capacity_ - offset);
  std::memcpy(ring_.get() + offset, bytes, first);
  std::memcpy(ring_.get(), static_cast<const std::byte*>(bytes) + first, count - first);
}

void RecorderTap::get(std::uint64_t at, void* bytes, std::size_t count) const noexcept {
  const auto offset = static_cast<std::size_t>(at) & (capacity_ - 1);
  const std::size_t first = std::min(count, capacity_ - offset);
  std::memcpy(bytes, ring_.get() + offset, first);
  std::memcpy(static_cast<std::byte*>(bytes) + first, ring_.get(), count - first);
}

TapRecorder::TapRecorder(RecorderTap& tap, std::string path, audio::WavCoding coding)
    : tap_(tap), path_(std::move(path)), coding_(coding) {}

Result<> TapRecorder::drain() {
  Result<> result;
  for (std::uint32_t i = 0; i < kBlocksPerDrain; ++i) {
    const std::optional<RecorderTap::Block> block = tap_.pop(samples_);
    if (!block) break;
    if (failed_) continue;
    result = write(*block);
    failed_ = !result.has_value();
    if (failed_) break;
  }
  return result;
}

Result<> TapRecorder::finish() {
  // Nobody pushes any more: what a full ring holds is all that can come.
  Result<> result;
  while (const std::optional<RecorderTap::Block> block = tap_.pop(samples_)) {
    if (failed_) continue;
    result = write(*block);
    failed_ = !result.has_value();
  }
  if (file_) {
    Result<> finished = file_->finish();
    file_.reset();
    if (result) result = std::move(finished);
  }
  return result;
}

Result<> TapRecorder::write(const RecorderTap::Block& block) {
  const bool fits =
      file_ && file_->shape().channels == block.channels && file_->shape().rate == block.rate;
  if (!fits) {
    if (Result<> begun = begin_file(block); !begun) return begun;
  }
  if (!fits || block.take != take_) {
    take_ = block.take;
    take_start_ = file_->frames();
  }
  const std::uint64_t begins = take_start_ + block.position;
  if (begins > file_->frames()) {
    if (Result<> filled = file_->append_silence(begins - file_->frames()); !filled) return filled;
  }
  blocks_.resize(block.channels);
  for (std::size_t channel = 0; channel < blocks_.size(); ++channel) {
    blocks_[channel] = samples_.data() + channel * block.frames.count;
  }
  return file_->append({blocks_.data(), block.channels, block.frames});
}

Result<> TapRecorder::begin_file(const RecorderTap::Block& block) {
  if (file_) {
    if (Result<> finished = file_->finish(); !finished) return finished;
    file_.reset();
  }
  ++files_;
  const bool has_suffix = path_.size() >= 4 && path_.compare(path_.size() - 4, 4, ".wav") == 0;
  const std::size_t stem = has_suffix ? path_.size() - 4 : path_.size();
  std::string path = path_.substr(0, stem);
  if (files_ > 1) {
    path += '-';
    path += std::to_string(files_);
  }
  path += path_.substr(stem);
  Result<audio::WavRecorder> created =
      audio::WavRecorder::create(path, {block.rate, block.channels, coding_});
  if (!created) return tl::unexpected(created.error());
  file_ = std::make_unique<audio::WavRecorder>(std::move(*created));
  return {};
}

}  // namespace asiodrv::devices
