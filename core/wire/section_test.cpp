#include "core/wire/section.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>
#include <vector>

namespace asiodrv::wire {
namespace {

/// Aligned as a mapping is.
struct Region {
  explicit Region(std::size_t size) : words((size + 7) / 8) {}
  std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(words)); }
  std::vector<std::uint64_t> words;
};

Region region_of(const SectionLayout& layout) {
  Region region(layout.total_bytes());
  write_header(region.bytes(), layout);
  return region;
}

void poke(Region& region, std::size_t offset, std::uint32_t value) {
  std::memcpy(region.bytes().data() + offset, &value, sizeof value);
}

constexpr SectionLayout kSmall{SampleType::int24, Frames{64}, 3, 2};

TEST(section, header_round_trips_for_every_type_and_size) {
  for (const SampleType type : kSampleTypes) {
    for (std::uint32_t frames = kMinFrames; frames <= kMaxFrames; frames *= 2) {
      auto region = region_of({type, Frames{frames}, 2, 5});
      const auto layout = read_header(region.bytes());
      ASSERT_TRUE(layout);
      EXPECT_EQ(layout->type, type);
      EXPECT_EQ(layout->frames.count, frames);
      EXPECT_EQ(layout->inputs, 2U);
      EXPECT_EQ(layout->outputs, 5U);
    }
  }
}

TEST(section, blocks_are_aligned_disjoint_and_inside) {
  std::set<std::size_t> starts;
  for (std::uint32_t half = 0; half < 2; ++half) {
    for (std::uint32_t i = 0; i < kSmall.inputs; ++i) starts.insert(kSmall.input_offset(i, half));
    for (std::uint32_t i = 0; i < kSmall.outputs; ++i) starts.insert(kSmall.output_offset(i, half));
  }
  ASSERT_EQ(starts.size(), 10U);
  std::size_t end = kAudioOffset;
  for (const std::size_t start : starts) {
    EXPECT_EQ(start % 64, 0U);
    EXPECT_GE(start, end);
    end = start + std::size_t{kSmall.frames.count} * sample_bytes(kSmall.type);
  }
  EXPECT_LE(end, kSmall.total_bytes());
}

TEST(section, widest_section_fits_its_32_bit_length) {
  const SectionLayout widest{SampleType::float32, Frames{kMaxFrames}, kMaxChannels, kMaxChannels};
  EXPECT_LE(widest.total_bytes(), std::size_t{1} << 30);  // what SharedRegions::create accepts
}

TEST(section, hostile_headers_are_refused) {
  struct Poke {
    std::size_t offset;
    std::uint32_t value;
  };
  const Poke hostile[] = {
      {offsetof(SectionHeader, magic), 0},
      {offsetof(SectionHeader, version), kSectionVersion + 1},
      {offsetof(SectionHeader, total_bytes), 0},
      {offsetof(SectionHeader, total_bytes), 0xFFFFFFFF},
      {offsetof(SectionHeader, sample_type), 4},
      {offsetof(SectionHeader, sample_type), 0xFFFFFFFF},
      {offsetof(SectionHeader, frames), kMinFrames - 1},
      {offsetof(SectionHeader, frames), kMaxFrames + 1},
      {offsetof(SectionHeader, frames), 0xFFFFFFFF},
      {offsetof(SectionHeader, inputs), kMaxChannels + 1},
      {offsetof(SectionHeader, inputs), 0xFFFFFFFF},  // plus the outputs: wraps around
      {offsetof(SectionHeader, outputs), 0xFFFFFFFF},
      {offsetof(SectionHeader, outputs), 3},  // one more than the bytes hold
  };
  for (const Poke& each : hostile) {
    auto region = region_of(kSmall);
    poke(region, each.offset, each.value);
    EXPECT_FALSE(read_header(region.bytes())) << each.offset << " = " << each.value;
  }
}

TEST(section, region_shorter_than_its_header_says_is_refused) {
  auto region = region_of(kSmall);
  EXPECT_FALSE(read_header(region.bytes().first(kSmall.total_bytes() - 8)));
  EXPECT_FALSE(read_header(region.bytes().first(kAudioOffset - 8)));
  EXPECT_FALSE(read_header({}));
}

TEST(section, section_without_any_channel_is_refused) {
  auto region = region_of(kSmall);
  poke(region, offsetof(SectionHeader, inputs), 0);
  poke(region, offsetof(SectionHeader, outputs), 0);
  poke(region, offsetof(SectionHeader, total_bytes), kAudioOffset);
  EXPECT_FALSE(read_header(region.bytes()));
}

/// Whatever a header says, an accepted layout never reaches beyond the region.
TEST(section, random_headers_never_give_a_layout_beyond_the_region) {
  std::mt19937 random(41);
  for (int round = 0; round < 20'000; ++round) {
    auto region = region_of(kSmall);
    const int changes = 1 + static_cast<int>(random() % 3);
    for (int i = 0; i < changes; ++i) {
      poke(region, random() % 7 * 4, static_cast<std::uint32_t>(random() >> random() % 32));
    }
    const auto layout = read_header(region.bytes());
    if (layout) {
      EXPECT_LE(layout->total_bytes(), region.bytes().size());
    }
  }
}

TEST(section, stamp_and_reply_round_trip_side_by_side) {
  auto region = region_of(kSmall);
  CycleStamp stamp{};
  stamp.sample_position = 0x0123456789ABCDEF;
  stamp.boundary_ns = -5;
  stamp.half = 1;
  stamp.flags = kStampResync;
  stamp.rate_hz = 44'100.0;
  CycleReply reply{};
  reply.next_half = 1;
  reply.mode = static_cast<std::uint32_t>(ReplyMode::free_running);
  reply.left_ns = 77;
  write_stamp(region.bytes(), stamp);
  write_reply(region.bytes(), reply);
  EXPECT_EQ(read_stamp(region.bytes()).sample_position, stamp.sample_position);
  EXPECT_EQ(read_stamp(region.bytes()).boundary_ns, -5);
  EXPECT_EQ(read_stamp(region.bytes()).rate_hz, 44'100.0);
  EXPECT_EQ(read_reply(region.bytes()).next_half, 1U);
  EXPECT_EQ(read_reply(region.bytes()).mode, 1U);
  EXPECT_EQ(read_reply(region.bytes()).left_ns, 77);
  EXPECT_TRUE(read_header(region.bytes()));
}

}  // namespace
}  // namespace asiodrv::wire
