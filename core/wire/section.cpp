#include "core/wire/section.hpp"

#include <bit>
#include <cstring>

namespace asiodrv::wire {
namespace {

/// The peer may rewrite the bytes meanwhile; the copy that we return is what gets judged. memcpy
/// through a volatile-free pointer could be split or repeated by the compiler, so copy by words.
template <class T>
T copy_out(std::span<const std::byte> region, std::size_t offset) noexcept {
  static_assert(sizeof(T) % 4 == 0);
  std::uint32_t words[sizeof(T) / 4];
  const auto* from = reinterpret_cast<const volatile std::uint32_t*>(region.data() + offset);
  for (std::size_t i = 0; i < sizeof(T) / 4; ++i) words[i] = from[i];
  return std::bit_cast<T>(words);
}

template <class T>
void copy_in(std::span<std::byte> region, std::size_t offset, const T& value) noexcept {
  std::memcpy(region.data() + offset, &value, sizeof value);
}

}  // namespace

void write_header(std::span<std::byte> region, const SectionLayout& layout) noexcept {
  SectionHeader header{};
  header.magic = kSectionMagic;
  header.version = kSectionVersion;
  header.total_bytes = static_cast<std::uint32_t>(layout.total_bytes());
  header.sample_type = static_cast<std::uint32_t>(layout.type);
  header.frames = layout.frames.count;
  header.inputs = layout.inputs;
  header.outputs = layout.outputs;
  copy_in(region, 0, header);
}

std::optional<SectionLayout> read_header(std::span<const std::byte> region) noexcept {
  if (region.size() < kAudioOffset) return std::nullopt;
  const auto header = copy_out<SectionHeader>(region, 0);
  if (header.magic != kSectionMagic || header.version != kSectionVersion) return std::nullopt;
  if (header.sample_type > static_cast<std::uint32_t>(SampleType::int16)) return std::nullopt;
  if (header.frames < kMinFrames || header.frames > kMaxFrames) return std::nullopt;
  if (header.inputs > kMaxChannels || header.outputs > kMaxChannels) return std::nullopt;
  if (header.inputs + header.outputs == 0) return std::nullopt;
  const SectionLayout layout{static_cast<SampleType>(header.sample_type), Frames{header.frames},
                             header.inputs, header.outputs};
  if (layout.total_bytes() != header.total_bytes) return std::nullopt;
  if (layout.total_bytes() > region.size()) return std::nullopt;
  return layout;
}

void write_stamp(std::span<std::byte> region, const CycleStamp& stamp) noexcept {
  copy_in(region, kStampOffset, stamp);
}
CycleStamp read_stamp(std::span<const std::byte> region) noexcept {
  return copy_out<CycleStamp>(region, kStampOffset);
}
void write_reply(std::span<std::byte> region, const CycleReply& reply) noexcept {
  copy_in(region, kReplyOffset, reply);
}
CycleReply read_reply(std::span<const std::byte> region) noexcept {
  return copy_out<CycleReply>(region, kReplyOffset);
}

}  // namespace asiodrv::wire
