#include "host/comparison.hpp"

#include <algorithm>
#include <cstring>

namespace asiodrv::host {
namespace {

/// Block numbers of `tape` in ascending order of position, later ones behind equal ones.
std::vector<std::size_t> by_position(const Tape& tape) {
  std::vector<std::size_t> order(tape.blocks());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return tape.record(a).position < tape.record(b).position;
  });
  return order;
}

/// The comparison of one block; keeps the memory it needs from block to block.
class BlockComparer {
 public:
  BlockComparer(const Tape& tape, const TestSignal& signal)
      : tape_(tape),
        signal_(signal),
        channels_(std::min(tape.channels(), signal.channels())),
        order_(by_position(tape)),
        expected_(tape.block_bytes()),
        differs_(tape.frames()) {}

  void compare_block(std::size_t block, std::int64_t round_trip, Comparison& result) {
    const std::int64_t block_frames = tape_.frames();
    const std::int64_t start = tape_.record(block).position;
    std::fill(differs_.begin(), differs_.end(), std::uint8_t{0});
    std::int64_t at = 0;
    while (at < block_frames) {
      const std::int64_t wanted = start + at - round_trip;  // output position of this frame
      const auto next = std::upper_bound(
          order_.begin(), order_.end(), wanted,
          [&](std::int64_t p, std::size_t b) { return p < tape_.record(b).position; });
      std::int64_t until = block_frames;  // the next output block may begin within this one
      if (next != order_.end()) {
        until = std::min(until, at + tape_.record(*next).position - wanted);
      }
      if (next != order_.begin()) {
        const BlockRecord& source = tape_.record(*std::prev(next));
        const std::int64_t offset = wanted - source.position;
        if (offset < block_frames) {
          until = std::min(until, at + block_frames - offset);
          compare_run(block, at, until - at, source.cursor + static_cast<std::uint64_t>(offset));
          result.compared_frames += static_cast<std::uint64_t>(until - at);
        }
      }
      at = until;
    }
    collect(start, result);
  }

 private:
  void compare_run(std::size_t block, std::int64_t at, std::int64_t frames, std::uint64_t cursor) {
    const std::size_t width = tape_.bytes_per_sample();
    for (std::uint32_t channel = 0; channel < channels_; ++channel) {
      const std::byte* heard = tape_.input(block, channel) + static_cast<std::size_t>(at) * width;
      signal_.copy(cursor, channel, static_cast<std::uint32_t>(frames), expected_.data());
      if (std::memcmp(heard, expected_.data(), static_cast<std::size_t>(frames) * width) == 0) {
        continue;
      }
      for (std::int64_t i = 0; i < frames; ++i) {
        const std::size_t byte = static_cast<std::size_t>(i) * width;
        if (std::memcmp(heard + byte, expected_.data() + byte, width) != 0) {
          differs_[static_cast<std::size_t>(at + i)] = 1;
        }
      }
    }
  }

  void collect(std::int64_t start, Comparison& result) const {
    for (std::size_t i = 0; i < differs_.size(); ++i) {
      if (differs_[i] == 0) continue;
      ++result.mismatched_frames;
      const std::int64_t position = start + static_cast<std::int64_t>(i);
      if (!result.mismatches.empty()) {
        Stretch& last = result.mismatches.back();
        const std::int64_t distance = position - (last.position + last.frames);
        if (position >= last.position && distance < static_cast<std::int64_t>(tape_.frames())) {
          last.frames = std::max(last.frames, position - last.position + 1);
          continue;
        }
      }
      result.mismatches.push_back({position, 1});
    }
  }

  const Tape& tape_;
  const TestSignal& signal_;
  std::uint32_t channels_;
  std::vector<std::size_t> order_;
  std::vector<std::byte> expected_;
  std::vector<std::uint8_t> differs_;
};

}  // namespace

Comparison compare(const Tape& tape, const TestSignal& signal, std::int64_t round_trip_frames) {
  Comparison result;
  BlockComparer comparer(tape, signal);
  for (std::size_t block = 0; block < tape.blocks(); ++block) {
    comparer.compare_block(block, round_trip_frames, result);
  }
  return result;
}

Continuity check_continuity(const Tape& tape) {
  Continuity result;
  if (tape.blocks() > 0 && tape.record(0).half != 0) ++result.repeated_halves;
  for (std::size_t block = 1; block < tape.blocks(); ++block) {
    const BlockRecord& before = tape.record(block - 1);
    const BlockRecord& record = tape.record(block);
    const std::int64_t expected = before.position + tape.frames();
    if (record.position > expected) {
      result.gaps.push_back({expected, record.position - expected});
    } else if (record.position < expected) {
      ++result.backward_positions;
    }
    if (record.half == before.half) ++result.repeated_halves;
  }
  return result;
}

}  // namespace asiodrv::host
