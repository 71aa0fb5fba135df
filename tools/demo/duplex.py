"""Lets several hosts play and record at once, and collects what they and the service saw."""

from __future__ import annotations

import pathlib
from typing import Any

import join
from programs import HOST, Running, World

#: Recorded speech, 16 bit, 48 kHz, from the package alsa-utils.
SPEECH = tuple(pathlib.Path("/usr/share/sounds/alsa", name)
               for name in ("Front_Center.wav", "Rear_Center.wav", "Front_Left.wav"))

#: Channels of the first, second, third host: nobody shares one.
CHANNEL_PAIRS = ("0,1", "2,3", "4,5")


def start_host(world: World, number: int, frames: int, seconds: float) -> Running:
    """Starts host `number`, playing speech on channels of its own. Its report goes to a file."""
    return world.start(
        HOST, "duplex", world.build.path(SPEECH[number]), "--frames", str(frames),
        "--seconds", str(seconds), "--inputs", CHANNEL_PAIRS[number],
        "--outputs", CHANNEL_PAIRS[number], "--json")


def report_of(running: Running, seconds: float) -> Any:
    """The report of a host that was asked to run for `seconds`. Its exit code says only whether
    everything came back unchanged; whether what did not has a cause is for the join to say."""
    finished = running.wait(seconds + 45)
    if finished.code not in (0, 1) or not finished.out.strip():
        raise AssertionError(f"the host gave no report: {finished}")
    return finished.json()


def play_together(world: World, frames: int, seconds: float,
                  hosts: int = 2) -> tuple[list[join.HostRun], Any]:
    """`hosts` hosts at once for `seconds`; their runs, and the flight record that explains them."""
    running = [start_host(world, number, frames, seconds) for number in range(hosts)]
    reports = [report_of(host, seconds) for host in running]
    flight = world.flight()
    if flight is None:
        raise AssertionError("the service left before it could be asked what happened")
    return [join.HostRun.from_json(report) for report in reports], flight


def play_and_judge(world: World, frames: int, seconds: float, hosts: int = 2) -> dict:
    """One row of the table (join.row_of)."""
    return join.row_of(*play_together(world, frames, seconds, hosts))
