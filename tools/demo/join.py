"""Joins what hosts heard with what the service knows, and decides whether a run was clean.

A host compares every frame that comes back with the frame that it sent. Where they differ there
must be a reason that the flight recorder names: a period in which the machine, a client or the
device came too late. Damage without a named cause is a bug of ours, and turns the row red.

Positions: sample position p of a session lies in device period start_period + p / buffer_frames.
A loopback takes two buffers, so the input of period c carries the output written in period c - 2,
played during c - 1: any of the three may have been damaged.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

#: The device periods, counted back from the one that heard it, whose damage explains a difference.
EXPLAINED_BY = (0, 1, 2)

ALL_CLIENTS = 0


@dataclasses.dataclass(frozen=True)
class Span:
    """Consecutive input frames of one session: `first` is a sample position of the session."""

    first: int
    frames: int


@dataclasses.dataclass(frozen=True)
class HostRun:
    """What one host measured: the names of `asio-host duplex --json`. Times are microseconds."""

    process_id: int
    buffer_frames: int
    compared_frames: int
    mismatched_frames: int
    mismatches: tuple[Span, ...]   # where what came back differs from what was sent
    gaps: tuple[Span, ...]         # positions that the host was never called for
    backward_positions: int
    repeated_halves: int
    stalled: bool
    rtl_frames: int | None
    rtl_consistent: bool
    reported_rtl_frames: int
    callbacks: int
    late: int
    floor_late: int
    p50_us: float
    p99_us: float

    @staticmethod
    def from_json(report: Mapping) -> HostRun:
        """Reads a host's report; a missing member is an error, never a default."""
        def spans(name: str) -> tuple[Span, ...]:
            return tuple(Span(entry["position"], entry["frames"]) for entry in report[name])
        values = {field.name: report[field.name] for field in dataclasses.fields(HostRun)
                  if field.name not in ("mismatches", "gaps")}
        return HostRun(mismatches=spans("mismatches"), gaps=spans("gaps"), **values)


@dataclasses.dataclass(frozen=True)
class HostVerdict:
    """One host's run after the join."""

    session_id: int | None
    unexplained_frames: int
    xruns: Mapping[str, int]
    problems: tuple[str, ...]


def find_session(flight: Mapping, run: HostRun) -> Mapping | None:
    """The newest session of the run's process at its buffer size."""
    matching = [session for session in flight["sessions"]
                if session["process_id"] == run.process_id
                and session["buffer_frames"] == run.buffer_frames]
    return matching[-1] if matching else None


def xruns_of(flight: Mapping, session: Mapping) -> list[Mapping]:
    """Events that damaged this session's sound: its own and everybody's, since it started."""
    return [event for event in flight["xruns"]
            if event["client"] in (session["id"], ALL_CLIENTS)
            and event["first_period"] + event["periods"] > session["start_period"]]


def damaged_periods(events: Iterable[Mapping]) -> set[int]:
    return {event["first_period"] + offset
            for event in events for offset in range(event["periods"])}


def unexplained_frames(spans: Iterable[Span], session: Mapping, periods: set[int]) -> int:
    """Frames of `spans` that no damaged period accounts for."""
    size = session["buffer_frames"]
    total = 0
    for span in spans:
        position, end = span.first, span.first + span.frames
        while position < end:
            upto = min(end, (position // size + 1) * size)
            heard_in = session["start_period"] + position // size
            if not any(heard_in - back in periods for back in EXPLAINED_BY):
                total += upto - position
            position = upto
    return total


def broken_promises(run: HostRun) -> list[str]:
    """What the host saw that no lateness of the machine excuses."""
    problems = []
    if run.compared_frames * 2 < run.callbacks * run.buffer_frames or run.compared_frames <= 0:
        problems.append(f"only {run.compared_frames} frames could be compared")
    if run.backward_positions:
        problems.append(f"{run.backward_positions} positions did not advance")
    if run.repeated_halves:
        problems.append(f"{run.repeated_halves} wrong half indices")
    if run.stalled:
        problems.append("the driver stopped calling back")
    if run.rtl_frames != 2 * run.buffer_frames:
        problems.append(f"round trip of {run.rtl_frames} frames instead of {2 * run.buffer_frames}")
    if not run.rtl_consistent:
        problems.append("the round trip was not constant")
    if run.rtl_frames != run.reported_rtl_frames:
        problems.append(f"reported round trip {run.reported_rtl_frames}, measured {run.rtl_frames}")
    return problems


def judge(run: HostRun, flight: Mapping) -> HostVerdict:
    """Explains one host's damage. Every promise that does not hold becomes a sentence."""
    problems = broken_promises(run)
    damage = run.mismatches + run.gaps
    session = find_session(flight, run)
    if session is None:
        problems.append(f"the service knows no session of process {run.process_id}")
        return HostVerdict(None, sum(span.frames for span in damage), {}, tuple(problems))

    events = xruns_of(flight, session)
    unexplained = unexplained_frames(damage, session, damaged_periods(events))
    if unexplained:
        problems.append(f"{unexplained} frames are damaged and nothing explains it")
    if damage and flight["events_written"] > len(flight["xruns"]):
        problems.append("the flight recorder had more events than it keeps")
    causes = Counter(cause for event in events for cause in event["causes"])
    return HostVerdict(session["id"], unexplained, dict(causes), tuple(problems))


def row_of(runs: Sequence[HostRun], flight: Mapping) -> dict:
    """One row of the table: the hosts that ran at once at one buffer size.

    Latencies and percentiles are the worst of them, counts are sums; each host is kept in full
    under "hosts". `bit_exact` is true when every difference is explained.
    """
    verdicts = [judge(run, flight) for run in runs]
    problems = [f"host {run.process_id}: {problem}"
                for run, verdict in zip(runs, verdicts) for problem in verdict.problems]
    known = [run.rtl_frames for run in runs if run.rtl_frames is not None]
    causes: Counter[str] = Counter()
    for verdict in verdicts:
        causes.update(verdict.xruns)
    sums = {name: sum(getattr(run, name) for run in runs)
            for name in ("compared_frames", "mismatched_frames", "callbacks", "late", "floor_late")}
    return {
        "buffer_frames": runs[0].buffer_frames,
        "rtl_frames": max(known) if len(known) == len(runs) else None,
        "reported_rtl_frames": max(run.reported_rtl_frames for run in runs),
        "bit_exact": all(run.compared_frames > 0 for run in runs)
                     and not any(verdict.unexplained_frames for verdict in verdicts),
        "unexplained_frames": sum(verdict.unexplained_frames for verdict in verdicts),
        "gap_frames": sum(span.frames for run in runs for span in run.gaps),
        **sums,
        "xruns": dict(sorted(causes.items())),
        "p50_us": max(run.p50_us for run in runs),
        "p99_us": max(run.p99_us for run in runs),
        "problems": problems,
        "hosts": [{**dataclasses.asdict(run), "session_id": verdict.session_id,
                   "unexplained_frames": verdict.unexplained_frames,
                   "xruns": dict(verdict.xruns)} for run, verdict in zip(runs, verdicts)],
    }


def is_green(row: Mapping) -> bool:
    """True when the row keeps every promise: bit-exact, two buffers, reported as measured."""
    return (row["bit_exact"] is True and not row["problems"]
            and row["rtl_frames"] == 2 * row["buffer_frames"]
            and row["rtl_frames"] == row["reported_rtl_frames"])
