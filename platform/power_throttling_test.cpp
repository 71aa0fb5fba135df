#include "platform/power_throttling.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace asiodrv::platform {
namespace {

/// A system that knows `known` mechanisms. Whether one that a call does not name stays as it was is
/// not documented; what is claimed here must hold either way.
class FakeThrottling final : public ThrottlingCalls {
 public:
  bool set(const ThrottlingState& wanted) noexcept override {
    calls.push_back(wanted);
    if ((wanted.control & ~known) != 0 || (wanted.state & ~wanted.control) != 0) return false;
    if (wanted.control == 0 || forgets) now = {};
    now.control |= wanted.control;
    now.state = (now.state & ~wanted.control) | wanted.state;
    return true;
  }
  std::optional<ThrottlingState> get() noexcept override {
    if (!can_tell) return std::nullopt;
    return now;
  }

  std::uint32_t known = throttling::kExecutionSpeed | throttling::kIgnoreTimerResolution;
  bool can_tell = true;
  bool forgets = false;  ///< what a call does not name goes back to the system
  ThrottlingState now;
  std::vector<ThrottlingState> calls;
};

TEST(power_throttling, rule_23_two_calls_with_the_mechanism_in_control_and_nothing_in_state) {
  for (const bool forgets : {false, true}) {
    FakeThrottling system;
    system.forgets = forgets;
    ThrottlingRefusal refusal;
    refusal.begin(system);
    ASSERT_EQ(system.calls.size(), 2U);
    EXPECT_EQ(system.calls[0], (ThrottlingState{0x1, 0}));
    EXPECT_EQ(system.calls[1], (ThrottlingState{0x5, 0}));
    EXPECT_EQ(system.now, (ThrottlingState{0x5, 0})) << "one call took back the other";
  }
}

TEST(power_throttling, rule_23_the_failure_of_one_call_does_not_skip_the_other) {
  for (const std::uint32_t only :
       {throttling::kExecutionSpeed, throttling::kIgnoreTimerResolution}) {
    FakeThrottling system;
    system.known = only;
    ThrottlingRefusal refusal;
    refusal.begin(system);
    EXPECT_EQ(system.calls.size(), 2U);
    EXPECT_EQ(system.now, (ThrottlingState{only, 0}));
  }
}

TEST(power_throttling, nothing_of_ours_is_left_afterwards) {
  for (const bool can_tell : {true, false}) {
    FakeThrottling system;
    system.can_tell = can_tell;
    ThrottlingRefusal refusal;
    refusal.begin(system);
    refusal.end(system);
    EXPECT_EQ(system.now, ThrottlingState{});
  }
}

TEST(power_throttling, what_a_host_had_decided_for_itself_is_restored) {
  const ThrottlingState decisions[] = {{0x5, 0x4}, {0x1, 0x1}, {0x1, 0}, {0x4, 0}};
  for (const ThrottlingState& decided : decisions) {
    for (const bool forgets : {false, true}) {
      FakeThrottling system;
      system.forgets = forgets;
      system.now = decided;
      ThrottlingRefusal refusal;
      refusal.begin(system);
      EXPECT_EQ(system.now, (ThrottlingState{0x5, 0}));
      refusal.end(system);
      EXPECT_EQ(system.now, decided);
    }
  }
}

}  // namespace
}  // namespace asiodrv::platform
