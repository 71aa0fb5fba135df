// The round-trip finder and the comparison, on tapes that were never recorded.
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "host/comparison.hpp"
#include "host/round_trip.hpp"
#include "host/samples.hpp"

namespace asiodrv::host {
namespace {

constexpr std::uint32_t kFrames = 64;
constexpr std::int32_t kFloat32 = 19;
constexpr std::int32_t kInt24 = 17;

/// A wire with a delay, and a stream whose position may jump: what a perfect driver would give.
struct Wire {
  std::int32_t type = kFloat32;
  std::uint32_t channels = 2;
  std::int64_t delay = 128;
  std::size_t blocks = 1500;
  std::map<std::size_t, std::int64_t> jumps{};  ///< before block k, the position jumps by this
  float gain = 1.0F;
};

struct Recording {
  TestSignal signal;
  Tape tape;
};

Recording record(const Wire& wire) {
  Recording result{TestSignal(wire.type, wire.channels, 480, TestSignal::noise(2, 5003)),
                   Tape(wire.blocks, wire.channels, kFrames, sample_bytes(wire.type))};
  const std::size_t width = sample_bytes(wire.type);
  std::map<std::int64_t, std::uint64_t> written;  // output position of each block, and its cursor
  std::int64_t position = 0;
  for (std::size_t block = 0; block < wire.blocks; ++block) {
    if (const auto jump = wire.jumps.find(block); jump != wire.jumps.end()) {
      position += jump->second;
    }
    BlockRecord& record = result.tape.next_record();
    record.position = position;
    record.cursor = block * kFrames;
    record.half = static_cast<std::int32_t>(block % 2);
    written[position] = record.cursor;
    for (std::uint32_t channel = 0; channel < wire.channels; ++channel) {
      std::byte* into = result.tape.next_input(channel);
      for (std::uint32_t i = 0; i < kFrames; ++i, into += width) {
        const std::int64_t wanted = position + i - wire.delay;
        const auto next = written.upper_bound(wanted);
        if (next == written.begin()) continue;
        const auto& [start, cursor] = *std::prev(next);
        if (wanted - start >= kFrames) continue;
        result.signal.copy(cursor + static_cast<std::uint64_t>(wanted - start), channel, 1, into);
        if (wire.gain != 1.0F) {
          float value = 0;
          decode_samples(wire.type, into, {&value, 1});
          const std::int16_t scaled = quantise(value * wire.gain);
          encode_samples(wire.type, {&scaled, 1}, into);
        }
      }
    }
    result.tape.push();
    position += kFrames;
  }
  return result;
}

std::byte* input_of(Recording& recording, std::size_t block, std::uint32_t channel) {
  return const_cast<std::byte*>(recording.tape.input(block, channel));
}

RoundTrip find(const Recording& recording, std::int32_t type) {
  return find_round_trip(recording.tape, recording.signal, type, 9600);
}

TEST(host_round_trip, any_delay_is_found_to_the_frame) {
  for (const std::int64_t delay : {0, 1, 127, 128, 129, 8000}) {
    const Recording recording = record({.delay = delay});
    const RoundTrip trip = find(recording, kFloat32);
    ASSERT_TRUE(trip.frames) << delay;
    EXPECT_EQ(*trip.frames, delay);
    EXPECT_TRUE(trip.bit_exact);
    EXPECT_TRUE(trip.consistent);
    EXPECT_EQ(trip.markers_found, TestSignal::kMarkers * 2);
  }
}

TEST(host_round_trip, packed_samples_are_found_at_their_own_boundaries) {
  const Recording recording = record({.type = kInt24, .delay = 77});
  EXPECT_EQ(find(recording, kInt24).frames, 77);
}

TEST(host_round_trip, a_marker_cut_by_a_lost_period_does_not_disturb_the_others) {
  const Recording recording = record({.jumps = {{10, 192}}});  // within marker 0
  const RoundTrip trip = find(recording, kFloat32);
  EXPECT_EQ(trip.frames, 128);
  EXPECT_TRUE(trip.consistent);
  EXPECT_EQ(trip.markers_sent, (TestSignal::kMarkers - 1) * 2);
}

TEST(host_round_trip, a_quieter_wire_is_found_by_correlation_and_said_to_be_inexact) {
  const Recording recording = record({.channels = 1, .delay = 331, .gain = -0.2F});
  const RoundTrip trip = find(recording, kFloat32);
  EXPECT_EQ(trip.frames, 331);
  EXPECT_FALSE(trip.bit_exact);
}

TEST(host_round_trip, no_wire_gives_no_delay) {
  const Recording recording = record({.delay = 1 << 30});
  EXPECT_FALSE(find(recording, kFloat32).frames);
}

TEST(host_round_trip, swapped_channels_are_not_taken_for_a_round_trip) {
  Recording recording = record({});
  for (std::size_t block = 0; block < recording.tape.blocks(); ++block) {
    std::swap_ranges(input_of(recording, block, 0),
                     input_of(recording, block, 0) + recording.tape.block_bytes(),
                     input_of(recording, block, 1));
  }
  EXPECT_FALSE(find(recording, kFloat32).frames);
}

TEST(host_round_trip, a_delay_that_changes_on_the_way_is_inconsistent) {
  Recording recording = record({.channels = 1});
  const Recording later = record({.channels = 1, .delay = 160});
  for (std::size_t block = 60; block < recording.tape.blocks(); ++block) {
    std::memcpy(input_of(recording, block, 0), later.tape.input(block, 0),
                recording.tape.block_bytes());
  }
  const RoundTrip trip = find(recording, kFloat32);
  EXPECT_TRUE(trip.frames);
  EXPECT_FALSE(trip.consistent);
  EXPECT_GT(trip.markers_elsewhere, 0U);
}

TEST(host_comparison, a_perfect_wire_has_no_mismatch) {
  const Recording recording = record({});
  const Comparison result = compare(recording.tape, recording.signal, 128);
  EXPECT_EQ(result.mismatched_frames, 0U);
  EXPECT_TRUE(result.mismatches.empty());
  EXPECT_EQ(result.compared_frames, 1500 * kFrames - 128U);
}

TEST(host_comparison, one_wrong_bit_is_one_mismatched_frame_at_its_position) {
  Recording recording = record({});
  input_of(recording, 700, 1)[33 * 4 + 1] ^= std::byte{1};
  const Comparison result = compare(recording.tape, recording.signal, 128);
  EXPECT_EQ(result.mismatched_frames, 1U);
  ASSERT_EQ(result.mismatches.size(), 1U);
  EXPECT_EQ(result.mismatches[0], (Stretch{700 * kFrames + 33, 1}));
}

TEST(host_comparison, neighbouring_bad_blocks_merge_and_distant_ones_do_not) {
  Recording recording = record({});
  for (const std::size_t block : {900U, 901U, 1000U}) {
    std::memset(input_of(recording, block, 0), 0x11, recording.tape.block_bytes());
  }
  const Comparison result = compare(recording.tape, recording.signal, 128);
  EXPECT_EQ(result.mismatched_frames, 3U * kFrames);
  EXPECT_EQ(result.mismatches,
            (std::vector<Stretch>{{900 * kFrames, 2 * kFrames}, {1000 * kFrames, kFrames}}));
}

TEST(host_comparison, a_wrong_round_trip_makes_everything_mismatch) {
  const Recording recording = record({});
  EXPECT_GT(compare(recording.tape, recording.signal, 129).mismatched_frames, 80000U);
}

TEST(host_comparison, lost_periods_are_gaps_and_nothing_around_them_mismatches) {
  const Recording recording = record({.jumps = {{800, 3 * kFrames}, {900, kFrames}}});
  const Comparison result = compare(recording.tape, recording.signal, 128);
  EXPECT_EQ(result.mismatched_frames, 0U);
  // Not compared: the first two blocks, and the inputs that belong to the four lost blocks.
  EXPECT_EQ(result.compared_frames, (1500U - 2 - 3) * kFrames);
  const Continuity continuity = check_continuity(recording.tape);
  EXPECT_EQ(continuity.gaps,
            (std::vector<Stretch>{{800 * kFrames, 3 * kFrames}, {903 * kFrames, kFrames}}));
  EXPECT_EQ(continuity.repeated_halves, 0U);
}

TEST(host_comparison, jumps_by_part_of_a_block_are_still_compared_frame_by_frame) {
  const Recording recording = record({.jumps = {{800, 17}}});
  const Comparison result = compare(recording.tape, recording.signal, 128);
  EXPECT_EQ(result.mismatched_frames, 0U);
  EXPECT_EQ(result.compared_frames, 1500U * kFrames - 128U - 17U);
}

TEST(host_comparison, repeated_halves_and_standing_positions_are_counted) {
  Recording recording = record({.jumps = {{50, -static_cast<std::int64_t>(kFrames)}}});
  const_cast<BlockRecord&>(recording.tape.record(70)).half ^= 1;
  const Continuity continuity = check_continuity(recording.tape);
  EXPECT_EQ(continuity.backward_positions, 1U);
  EXPECT_EQ(continuity.repeated_halves, 2U);  // before and after the odd one
}

}  // namespace
}  // namespace asiodrv::host
