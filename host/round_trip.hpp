// Finds how many frames pass between writing a sample and getting it back.
#pragma once

#include <cstdint>
#include <optional>

#include "host/tape.hpp"
#include "host/test_signal.hpp"

namespace asiodrv::host {

struct RoundTrip {
  std::optional<std::int64_t> frames;   ///< nothing: no marker came back
  bool bit_exact = false;               ///< found bit by bit; otherwise by correlation
  bool consistent = false;              ///< every marker that came back had the same delay
  std::uint32_t markers_sent = 0;       ///< markers that left without a lost period in their middle
  std::uint32_t markers_found = 0;      ///< at the delay in `frames`
  std::uint32_t markers_elsewhere = 0;  ///< at another delay
};

/// Looks for every marker of `signal`, for up to `search_frames` after it was written, in the input
/// of the same channel; the delay that most of them agree on wins. Output channel c is compared
/// with input channel c of `tape`. Bit-exact first; where that finds nothing (a cable, a gain),
/// by correlation of at least 0.5. Control thread, may take a second.
[[nodiscard]] RoundTrip find_round_trip(const Tape& tape, const TestSignal& signal,
                                        std::int32_t sample_type, std::uint32_t search_frames);

}  // namespace asiodrv::host
