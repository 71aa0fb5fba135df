"""The join for hosts with rates and buffer sizes of their own: join.py, on two axes of time.

A host counts frames at its own rate, the flight recorder counts periods of the device. Both hang on
one clock, so the ratio is exact:

    device period of position p = start_period + p * device_rate / client_rate / device_period

Such a host's way is longer than two periods: its own buffer, what lines up both rhythms, and the
filters. What a period damaged can be heard from its beginning until the whole round trip after its
end; and as long again as the filters are, for they keep ringing with what went through them.

What is heard at another rate is never what was played, bit by bit: a host plays a sine then and
reports where its noise rises (`asio-host measure --sine`).
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import join
from join import Span

#: Signal to noise that a path with two resamplers must keep.
LEAST_SNR_DB = 130.0
#: How much louder or quieter such a path may be.
MOST_GAIN_DB = 0.01
#: How far the measured round trip may lie from the reported one, which is a whole number of frames.
MOST_RTL_DIFFERENCE = 1.0


@dataclasses.dataclass(frozen=True)
class Device:
    """The device that all hosts share."""

    rate_hz: float
    period_frames: int

    @staticmethod
    def from_status(status: Mapping) -> Device:
        device = status["device"]
        return Device(device["rate_hz"], device["period_frames"])


@dataclasses.dataclass(frozen=True)
class Sine:
    """What a host heard of its sine; None where no window was good enough to tell."""

    window_frames: int
    windows: int
    snr_db: float | None
    worst_db: float | None
    gain_db: float | None
    rtl_frames: float | None
    damaged: tuple[Span, ...]      # whole windows, adjoining ones merged


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What a host heard of its noise, compared bit by bit."""

    compared_frames: int
    bit_exact: bool                # the markers came back unchanged
    mismatches: tuple[Span, ...]


def spans(entries: Iterable[Mapping]) -> tuple[Span, ...]:
    return tuple(Span(entry["position"], entry["frames"]) for entry in entries)


@dataclasses.dataclass(frozen=True)
class HostRun:
    """What one host measured: the names of `asio-host measure --json`."""

    process_id: int
    rate_hz: float
    buffer_frames: int
    gaps: tuple[Span, ...]
    backward_positions: int
    repeated_halves: int
    stalled: bool
    rtl_frames: int | None
    rtl_consistent: bool
    reported_rtl_frames: int
    reported_input_frames: int
    callbacks: int
    late: int
    floor_late: int
    heard: Sine | Comparison

    @staticmethod
    def from_json(report: Mapping) -> HostRun:
        """Reads a host's report; a missing member is an error, never a default."""
        values = {field.name: report[field.name] for field in dataclasses.fields(HostRun)
                  if field.name not in ("gaps", "heard")}
        heard: Sine | Comparison
        if "sine_hz" in report:
            heard = Sine(report["sine_window_frames"], report["sine_windows"],
                         report["sine_snr_db"], report["sine_worst_db"], report["sine_gain_db"],
                         report["sine_rtl_frames"], spans(report["sine_damaged"]))
        else:
            heard = Comparison(report["compared_frames"], report["rtl_bit_exact"],
                               spans(report["mismatches"]))
        return HostRun(gaps=spans(report["gaps"]), heard=heard, **values)

    def measured_rtl_frames(self) -> float | None:
        """With its fraction where a sine could tell it."""
        return self.heard.rtl_frames if isinstance(self.heard, Sine) else self.rtl_frames


@dataclasses.dataclass(frozen=True)
class Reach:
    """Positions of a host, `end` not included, that one event can have damaged."""

    begin: float
    end: float


def reaches_of(events: Iterable[Mapping], session: Mapping, run: HostRun,
               device: Device) -> list[Reach]:
    """Where the sound of `run` may be damaged by `events`, in ascending order."""
    frames = run.rate_hz / device.rate_hz * device.period_frames    # of the host, a device period
    # What the input's latency has beyond the buffer is its filter's half; the other filter is as
    # long, for both cut at the lower rate. One frame for what was rounded.
    filters = 2 * (run.reported_input_frames - run.buffer_frames)
    rest = run.reported_rtl_frames + (filters + 1 if run.rate_hz != device.rate_hz else 0)
    reaches = []
    for event in events:
        begin = (event["first_period"] - session["start_period"]) * frames
        # A host that waits in vain goes on alone, with silence from the beginning of the block
        # that was interrupted.
        block = begin // run.buffer_frames * run.buffer_frames
        reaches.append(Reach(block, begin + event["periods"] * frames + rest))
    return sorted(reaches, key=lambda reach: reach.begin)


def for_gaps(reaches: Sequence[Reach], run: HostRun) -> list[Reach]:
    """The same for positions that the host was not called for. A block is dropped when its time to
    be played has passed: so the period that is to blame may lie a round trip behind it."""
    return [Reach(reach.begin - run.reported_rtl_frames, reach.end) for reach in reaches]


def beyond(span: Span, reaches: Sequence[Reach]) -> float:
    """Frames of `span` that no reach covers. `reaches` ascend by their beginnings."""
    total, position, end = 0.0, float(span.first), float(span.first + span.frames)
    for reach in reaches:
        if reach.begin >= end:
            break
        total += max(0.0, reach.begin - position)
        position = max(position, reach.end)
        if position >= end:
            return total
    return total + max(0.0, end - position)


def untouched(span: Span, window: int, reaches: Sequence[Reach]) -> int:
    """Frames of the windows of `span` that no reach touches: a window is damaged as a whole."""
    total = 0
    for first in range(span.first, span.first + span.frames, window):
        if not any(reach.begin < first + window and first < reach.end for reach in reaches):
            total += window
    return total


def unexplained_frames(run: HostRun, reaches: Sequence[Reach]) -> int:
    """Damaged or missing frames that no event accounts for."""
    missing = sum(beyond(span, for_gaps(reaches, run)) for span in run.gaps)
    if isinstance(run.heard, Sine):
        heard = sum(untouched(span, run.heard.window_frames, reaches)
                    for span in run.heard.damaged)
    else:
        heard = sum(beyond(span, reaches) for span in run.heard.mismatches)
    return math.ceil(missing + heard - 1e-6)    # part of a frame is a frame, rounding is not


def broken_promises(run: HostRun, device: Device) -> list[str]:
    """What the host saw that no lateness of the machine excuses."""
    problems = []
    for count, text in ((run.backward_positions, "positions did not advance"),
                        (run.repeated_halves, "wrong half indices")):
        if count:
            problems.append(f"{count} {text}")
    if run.stalled:
        problems.append("the driver stopped calling back")
    if not run.rtl_consistent:
        problems.append("the round trip was not constant")
    measured, reported = run.measured_rtl_frames(), run.reported_rtl_frames
    if measured is None or abs(measured - reported) > MOST_RTL_DIFFERENCE:
        problems.append(f"reported round trip {reported}, measured {measured}")
    frames = run.callbacks * run.buffer_frames
    if isinstance(run.heard, Sine):
        problems += sine_problems(run.heard, frames)
    else:
        if run.heard.compared_frames * 2 < frames or run.heard.compared_frames <= 0:
            problems.append(f"only {run.heard.compared_frames} frames could be compared")
        if not run.heard.bit_exact:
            problems.append("the markers did not come back bit by bit")
        if run.rate_hz != device.rate_hz:
            problems.append("compared bit by bit across two rates")
    return problems


def sine_problems(sine: Sine, frames: int) -> list[str]:
    problems = []
    if sine.windows * sine.window_frames * 2 < frames or sine.windows <= 0:
        problems.append(f"only {sine.windows} windows could be examined")
    if sine.snr_db is None or sine.gain_db is None:
        return problems + ["no window of the sine was whole"]
    if sine.snr_db < LEAST_SNR_DB:
        problems.append(f"the noise lies only {sine.snr_db:.1f} dB below the sine")
    if abs(sine.gain_db) > MOST_GAIN_DB:
        problems.append(f"the sine comes back {sine.gain_db:+.3f} dB louder")
    return problems


def row_of(run: HostRun, flight: Mapping, device: Device, build: str) -> dict:
    """One host's row: green when "problems" is empty. `build`: "native" or "windows"."""
    problems = broken_promises(run, device)
    session = join.find_session(flight, run)
    if session is None or session["start_period"] is None:
        problems.append(f"the service knows no start of process {run.process_id}")
        events: list[Mapping] = []
        reaches: list[Reach] = []
    else:
        events = join.xruns_of(flight, session)
        reaches = reaches_of(events, session, run, device)
    unexplained = unexplained_frames(run, reaches)
    if unexplained:
        problems.append(f"{unexplained} frames are damaged and nothing explains it")
    heard = run.heard
    damage = heard.damaged if isinstance(heard, Sine) else heard.mismatches
    if (damage or run.gaps) and flight["events_written"] > len(flight["xruns"]):
        problems.append("the flight recorder had more events than it keeps")
    row = {
        "rate_hz": run.rate_hz,
        "buffer_frames": run.buffer_frames,
        "rtl_frames": run.measured_rtl_frames(),
        "reported_rtl_frames": run.reported_rtl_frames,
    }
    if isinstance(heard, Sine):
        row |= {"snr_db": heard.snr_db, "worst_db": heard.worst_db, "gain_db": heard.gain_db}
    else:
        row["bit_exact"] = heard.bit_exact and heard.compared_frames > 0 and not unexplained
    return row | {
        "damaged_frames": sum(span.frames for span in damage),
        "gap_frames": sum(span.frames for span in run.gaps),
        "unexplained_frames": unexplained,
        "callbacks": run.callbacks,
        "late": run.late,
        "floor_late": run.floor_late,
        "xruns": dict(sorted(Counter(cause for event in events
                                     for cause in event["causes"]).items())),
        "build": build,
        "problems": problems,
    }


def merge_flights(older: Mapping | None, newer: Mapping) -> dict:
    """One record of two that were taken one after the other, so that a long run keeps events that
    the ring has let go. Events are known by their number since the service's start."""
    if older is None:
        return dict(newer)
    first = newer["events_written"] - len(newer["xruns"])
    kept = older["events_written"] - len(older["xruns"])
    if first <= kept or first > older["events_written"]:
        return dict(newer)
    return {**newer, "xruns": list(older["xruns"])[:first - kept] + list(newer["xruns"])}
