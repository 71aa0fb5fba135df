#!/usr/bin/env python3
"""How fast a sink of a sound server really runs, heard from outside through its monitor.

  tools/pulse/sink_clock.py SINK RATE [SECONDS]    against Linux's raw monotonic clock, which is
                                                   the counter that Windows programs see under Wine

A null sink counts its blocks in whole microseconds: 220 frames at 44.1 kHz take it 4988 us and not
4988.66, so it runs 132 ppm fast, and otherwise when its blocks change. Whoever judges how well its
clock was followed has to know that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

BIN_S = 0.5
#: Fewer bins than this say nothing.
LEAST_BINS = 10


def speed_ppm(arrivals: list[tuple[float, int]], rate: int) -> float | None:
    """The deviation of a clock from `rate`; `arrivals`: when how many frames had come, in seconds.

    Frames come late by their block and by whatever stands still, never early: what counts is the
    least late arrival of each half second, and the line through those. None when there are too few.
    """
    earliest: dict[int, tuple[float, float]] = {}
    for when, frames in arrivals:
        lateness = when - arrivals[0][0] - frames / rate
        at = int((when - arrivals[0][0]) / BIN_S)
        if at not in earliest or lateness < earliest[at][1]:
            earliest[at] = (when - arrivals[0][0], lateness)
    points = list(earliest.values())
    if len(points) < LEAST_BINS:
        return None
    middle = sum(x for x, _y in points) / len(points)
    slope = (sum((x - middle) * y for x, y in points)
             / sum((x - middle) ** 2 for x, _y in points))
    return -slope * 1e6


class SinkClock:
    """Listens from `with` to its end."""

    def __init__(self, sink: str, rate: int, environment: dict[str, str]) -> None:
        self._rate = rate
        self._command = ["parec", f"--device={sink}.monitor", "--format=u8", f"--rate={rate}",
                         "--channels=1", "--raw", "--latency-msec=200", "--process-time-msec=20"]
        self._environment = {**os.environ, **environment}
        self._arrivals: list[tuple[float, int]] = []

    def __enter__(self) -> SinkClock:
        self._recorder = subprocess.Popen(self._command, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, env=self._environment)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def _listen(self) -> None:
        assert self._recorder.stdout is not None
        pipe, frames = self._recorder.stdout.fileno(), 0
        while piece := os.read(pipe, 1 << 16):
            frames += len(piece)
            self._arrivals.append((time.clock_gettime(time.CLOCK_MONOTONIC_RAW), frames))

    def __exit__(self, *_: object) -> None:
        self._recorder.terminate()
        self._thread.join(10)
        self._recorder.wait(10)
        assert self._recorder.stdout is not None
        self._recorder.stdout.close()

    def ppm(self, from_second: float = 0.0) -> float | None:
        """Of what was heard after the first `from_second`."""
        arrivals = list(self._arrivals)
        return speed_ppm([one for one in arrivals if one[0] >= arrivals[0][0] + from_second],
                         self._rate) if arrivals else None


def main(arguments: list[str]) -> int:
    try:
        sink, rate = arguments[0], int(arguments[1])
        seconds = float(arguments[2]) if len(arguments) > 2 else 20.0
    except (IndexError, ValueError):
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    with SinkClock(sink, rate, {}) as clock:
        time.sleep(seconds)
    found = clock.ppm()
    print("heard too little" if found is None else f"{found:+.2f} ppm")
    return 1 if found is None else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
