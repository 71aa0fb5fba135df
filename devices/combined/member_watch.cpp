#include "devices/combined/member_watch.hpp"

#include <chrono>

namespace asiodrv::devices {
namespace {

constexpr nanoseconds kBlamedFor = std::chrono::milliseconds{100};

}  // namespace

MemberWatch::Figures MemberWatch::read(const MemberExchange& exchange) RT_SAFE {
  constexpr auto relaxed = std::memory_order_relaxed;
  return {exchange.capture_xruns.load(relaxed) + exchange.playback_xruns.load(relaxed),
          exchange.skips.load(relaxed), exchange.lost_periods.load(relaxed),
          exchange.late_commits.load(relaxed), exchange.gaps.load(relaxed)};
}

void MemberWatch::restart(const MemberExchange& exchange) RT_SAFE {
  seen_ = read(exchange);
  alive_ = false;
  member_late_ = engine_late_ = gap_ = Instant{INT64_MIN / 2};
}

void MemberWatch::observe(const MemberExchange& exchange, const EngineMoment& engine, bool alive,
                          const Instant* newest, MemberEvents& events) RT_SAFE {
  MemberEvent event;
  event.member = member_;
  event.period = engine.period;
  event.boundary = engine.boundary;
  if (alive != alive_) {
    alive_ = alive;
    event.kind = alive ? MemberEventKind::joined : MemberEventKind::left;
    events.push(event);
  }
  const Figures now = read(exchange);
  const nanoseconds lateness{exchange.lateness_ns.load(std::memory_order_relaxed)};
  const bool stale = newest != nullptr && engine.now - *newest > stale_after_;
  const bool lost = now.lost_periods != seen_.lost_periods;
  const bool refused = now.late_commits != seen_.late_commits;
  if (now.gaps != seen_.gaps) gap_ = engine.now;
  if (alive && (stale || lateness > allowance_ || lost || refused)) member_late_ = engine.now;
  if (engine.late || engine.now - engine.boundary > allowance_) engine_late_ = engine.now;

  const bool skipped = now.skips != seen_.skips;
  if (now.xruns != seen_.xruns || skipped || lost || refused) {
    event.kind = MemberEventKind::damaged;
    event.cause = cause(engine, skipped);
    event.xruns = now.xruns - seen_.xruns;
    event.skips = now.skips - seen_.skips;
    event.lost_periods = now.lost_periods - seen_.lost_periods;
    event.late_commits = now.late_commits - seen_.late_commits;
    events.push(event);
  }
  seen_ = now;
}

MemberCause MemberWatch::cause(const EngineMoment& engine, bool skipped) const RT_SAFE {
  const auto recent = [&](Instant at) { return engine.now - at < kBlamedFor; };
  if (recent(gap_)) return MemberCause::device_gap;
  if (recent(member_late_)) return MemberCause::member_late;
  if (recent(engine_late_)) return MemberCause::engine_late;
  return skipped ? MemberCause::clock_jump : MemberCause::unknown;
}

}  // namespace asiodrv::devices
