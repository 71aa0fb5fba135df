// The bare primitive that one process wakes another with, in both directions.
#pragma once

#include <cstdint>
#include <functional>

namespace asiodrv::bench {

/// Starts a second process that answers, asks it `rounds` times, and reports how long each round
/// trip took, in nanoseconds. Both sides run as audio threads do. False, with a sentence on
/// stderr, when the second process cannot be started or does not answer within 5 s.
[[nodiscard]] bool event_round_trips(int rounds, const std::function<void(std::int64_t)>& report);

/// What the second process runs. `name` is what the first one passed on.
int answer_round_trips(const char* name, int rounds);

}  // namespace asiodrv::bench
