// What happens to the members of a combined device, for logs and flight records.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"

namespace asiodrv::devices {

enum class MemberEventKind : std::uint8_t {
  joined,  ///< it runs: for the first time since start, or again
  left,    ///< it is lost: silence from this period on
  damaged  ///< frames of its channels were missing or had to move, or its device lost some
};

enum class MemberCause : std::uint8_t {
  none,         ///< joined and left need none
  member_late,  ///< its thread (or its device) came later than the stall allowance
  device_gap,   ///< its device says that it dropped data itself
  engine_late,  ///< the engine came or committed late: the master's stall is everybody's
  clock_jump,   ///< its clock or the master's moved: the place was found anew
  unknown
};

[[nodiscard]] constexpr const char* member_cause_name(MemberCause cause) noexcept {
  switch (cause) {
    case MemberCause::none: return "none";
    case MemberCause::member_late: return "member_late";
    case MemberCause::device_gap: return "device_gap";
    case MemberCause::engine_late: return "engine_late";
    case MemberCause::clock_jump: return "clock_jump";
    case MemberCause::unknown: return "unknown";
  }
  return "unknown";
}

[[nodiscard]] constexpr const char* member_event_name(MemberEventKind kind) noexcept {
  switch (kind) {
    case MemberEventKind::joined: return "joined";
    case MemberEventKind::left: return "left";
    case MemberEventKind::damaged: return "damaged";
  }
  return "damaged";
}

struct MemberEvent {
  MemberEventKind kind = MemberEventKind::joined;
  MemberCause cause = MemberCause::none;
  std::uint32_t member = 0;  ///< counted from 0 without the master, as for status()
  std::uint64_t period = 0;  ///< of the master
  Instant boundary{};        ///< when that period began
  // What came since this member's event before, of each kind.
  std::uint64_t xruns = 0, skips = 0, lost_periods = 0, late_commits = 0;
};

/// From the engine's thread to one control thread. What finds it full is counted, not kept.
class MemberEvents {
 public:
  /// Engine thread. RT: wait-free.
  void push(const MemberEvent& event) RT_SAFE {
    const std::uint64_t at = written_.load(std::memory_order_relaxed);
    if (at - read_.load(std::memory_order_acquire) >= kCapacity) {  // pairs with pop
      dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return;
    }
    events_[static_cast<std::size_t>(at % kCapacity)] = event;
    written_.store(at + 1, std::memory_order_release);
  }

  /// The one control thread. False when there is none.
  bool pop(MemberEvent& event) noexcept {
    const std::uint64_t at = read_.load(std::memory_order_relaxed);
    if (at == written_.load(std::memory_order_acquire)) return false;  // pairs with push
    event = events_[static_cast<std::size_t>(at % kCapacity)];
    read_.store(at + 1, std::memory_order_release);
    return true;
  }

  /// Any thread.
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t kCapacity = 256;
  std::array<MemberEvent, kCapacity> events_{};
  alignas(64) std::atomic<std::uint64_t> written_{0};
  alignas(64) std::atomic<std::uint64_t> read_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace asiodrv::devices
