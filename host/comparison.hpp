// Compares what came back with what was sent, bit by bit and position by position.
#pragma once

#include <cstdint>
#include <vector>

#include "host/tape.hpp"
#include "host/test_signal.hpp"

namespace asiodrv::host {

/// `frames` frames from `position` on (frames since start, as the driver labels them).
struct Stretch {
  std::int64_t position = 0;
  std::int64_t frames = 0;
  bool operator==(const Stretch&) const = default;
};

struct Comparison {
  std::uint64_t compared_frames = 0;    ///< input frames whose output frame was really produced
  std::uint64_t mismatched_frames = 0;  ///< of those, with a difference on any channel
  /// Input positions of the differences; stretches less than a buffer apart are merged, so a
  /// stretch may contain frames that happen to be equal.
  std::vector<Stretch> mismatches;
};

/// An input frame at position p must equal the output frame at p - `round_trip_frames`; where no
/// callback produced that output frame (a lost period), p is not compared. Input channel c of
/// `tape` belongs to output channel c of `signal`. Control thread.
[[nodiscard]] Comparison compare(const Tape& tape, const TestSignal& signal,
                                 std::int64_t round_trip_frames);

/// What the labels of the blocks say about the stream itself.
struct Continuity {
  std::vector<Stretch> gaps;             ///< positions that were jumped over
  std::uint64_t backward_positions = 0;  ///< a block whose position did not advance
  std::uint64_t repeated_halves = 0;  ///< the same half index twice in a row, or a wrong first one
};

[[nodiscard]] Continuity check_continuity(const Tape& tape);

}  // namespace asiodrv::host
