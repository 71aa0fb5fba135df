// Opting out of power throttling, as a sequence of system calls that a test can watch.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace asiodrv::platform {

/// As the system has it: `control` names the mechanisms that the process decides about, `state`
/// what it decides. A bit in both asks for throttling; a bit in `control` alone refuses it; in
/// neither, the system decides.
struct ThrottlingState {
  std::uint32_t control = 0;
  std::uint32_t state = 0;
  friend bool operator==(const ThrottlingState&, const ThrottlingState&) = default;
};

/// The two calls of a process about itself. Any of them may fail: older systems know neither them
/// nor all mechanisms.
class ThrottlingCalls {
 public:
  virtual ~ThrottlingCalls() = default;
  [[nodiscard]] virtual bool set(const ThrottlingState& state) noexcept = 0;
  [[nodiscard]] virtual std::optional<ThrottlingState> get() noexcept = 0;
};

namespace throttling {
inline constexpr std::uint32_t kExecutionSpeed = 0x1;
inline constexpr std::uint32_t kIgnoreTimerResolution = 0x4;  ///< Windows 11
inline constexpr std::array kMechanisms{kExecutionSpeed, kIgnoreTimerResolution};
}  // namespace throttling

/// Refuses throttling from begin() to end(), which leaves the process as it was before: it may be a
/// host's, which has decided for itself. One thread at a time.
class ThrottlingRefusal {
 public:
  void begin(ThrottlingCalls& calls) noexcept {
    before_ = calls.get();
    // One call each: a system that does not know the second mechanism refuses both in one. A
    // failure is not ours to repair, and says nothing about the other. Each call repeats what was
    // accepted before it: nowhere is it said whether a mechanism that a call does not name stays
    // as it was or goes back to the system.
    std::uint32_t ours = 0;
    for (const std::uint32_t mechanism : throttling::kMechanisms) {
      if (calls.set({ours | mechanism, 0})) ours |= mechanism;
    }
  }

  void end(ThrottlingCalls& calls) noexcept {
    (void)calls.set({0, 0});  // all is the system's again
    if (before_ && before_->control != 0) (void)calls.set(*before_);
  }

 private:
  std::optional<ThrottlingState> before_;
};

}  // namespace asiodrv::platform
