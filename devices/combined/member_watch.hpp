// Turns one member's figures into events, once per period. Internal to devices/combined.
//
// Damage is noticed by whoever suffers it, which may be a period before or after whoever caused it
// has been seen to be late. So lateness is remembered: it is blamed for what happens within 100 ms.
// Thread: the engine's. RT: wait-free.
#pragma once

#include <cstdint>

#include "core/base/rt.hpp"
#include "core/base/units.hpp"
#include "devices/combined/member_event.hpp"
#include "devices/combined/member_exchange.hpp"

namespace asiodrv::devices {

/// The engine's own situation in a period.
struct EngineMoment {
  std::uint64_t period = 0;
  Instant boundary{};
  Instant now{};
  bool late = false;  ///< periods were lost, or a block was committed too late
};

class MemberWatch {
 public:
  /// `stale_after`: a member without a stamp for so long is late; `allowance`: so is one whose
  /// thread came later than that.
  MemberWatch(std::uint32_t member, nanoseconds stale_after, nanoseconds allowance) noexcept
      : member_(member), stale_after_(stale_after), allowance_(allowance) {}

  /// As before the first period: figures up to now are nobody's.
  void restart(const MemberExchange& exchange) RT_SAFE;

  /// `alive`: the epoch is not 0; `newest`: the last stamp of this epoch, if there is one.
  void observe(const MemberExchange& exchange, const EngineMoment& engine, bool alive,
               const Instant* newest, MemberEvents& events) RT_SAFE;

 private:
  struct Figures {
    std::uint64_t xruns = 0, skips = 0, lost_periods = 0, late_commits = 0, gaps = 0;
  };
  [[nodiscard]] static Figures read(const MemberExchange& exchange) RT_SAFE;
  [[nodiscard]] MemberCause cause(const EngineMoment& engine, bool skipped) const RT_SAFE;

  std::uint32_t member_;
  nanoseconds stale_after_, allowance_;
  Figures seen_;
  bool alive_ = false;
  Instant member_late_{INT64_MIN / 2}, engine_late_{INT64_MIN / 2}, gap_{INT64_MIN / 2};
};

}  // namespace asiodrv::devices
