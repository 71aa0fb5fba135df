// The bare primitive that one process wakes another with, in both directions.
#pragma once

#include <cstdint>
#include <functional>

namespace asiodrv::bench {

/// Starts a second process that answers, asks it `rounds` times, and reports how long each round
/// trip took, in nanoseconds. Both sides run as audio threads do. False, with a sentence on
/// stderr, when the second process cannot be started or does not answer within 5 s. Between two
/// rounds both sleep for about a period of 64 frames, as in a cycle. `cpu_ns` receives the
/// processor time of both processes for all of it: what waiting alone costs here.
[[nodiscard]] bool event_round_trips(int rounds, const std::function<void(std::int64_t)>& report,
                                     std::int64_t& cpu_ns);

/// What the second process runs. `name` is what the first one passed on.
int answer_round_trips(const char* name, int rounds);

}  // namespace asiodrv::bench
