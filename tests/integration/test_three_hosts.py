#!/usr/bin/env python3
"""Three hosts at once, each at its own rate and buffer size, on one device that stays as it is.

Part of the test suite; ASIODRV_THREE_HOSTS_SECONDS says for how long they play. By hand:

  test_three_hosts.py [--seconds 60] [--build native|windows]

which runs the optimised native build, or the staged Windows build under Wine, and prints the rows
of build/test-reports/three-hosts.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import unittest
from typing import Any

from harness import ROOT, Case

import adapted
import stage
from programs import HOST, Build, Running, World

REPORT = ROOT / "build/test-reports/three-hosts.json"
DEFAULT_SECONDS = 10.0
# The service stays until it was asked what happened, however slow the machine.
CONFIG = ("[service]\nidle_seconds = 30\n[driver]\nformats = \"adapt\"\npreferred_frames = 64\n"
          "[simulated]\nrate = 48000\n")

#: Between two looks at the flight recorder: long before its ring is full.
LOOK_EVERY = 10.0


@dataclasses.dataclass(frozen=True)
class Host:
    """One host: what it asks for, and what it plays (a sine of so many Hz; None: noise)."""

    rate_hz: int
    frames: int
    channels: str
    sine_hz: int | None = None

    def start(self, world: World, seconds: float) -> Running:
        sine = ["--sine", str(self.sine_hz)] if self.sine_hz else []
        return world.start(HOST, "measure", "--rate", str(self.rate_hz), "--frames",
                           str(self.frames), "--inputs", self.channels, "--outputs", self.channels,
                           "--seconds", str(seconds), *sine, "--json")


THREE = (Host(44_100, 128, "0,1", sine_hz=997), Host(48_000, 64, "2,3"),
         Host(96_000, 512, "4,5", sine_hz=997))
LARGE_ON_SMALL = (Host(48_000, 512, "0,1"),)


def play(world: World, hosts: tuple[Host, ...], seconds: float) -> list[dict]:
    """Runs `hosts` at once; a row for each, in their order (adapted.row_of)."""
    world.configure(CONFIG)
    running = [host.start(world, seconds) for host in hosts]
    world.wait_for_clients(len(hosts), 30)
    device = adapted.Device.from_status(world.status())
    flight = None
    left = seconds
    while left > LOOK_EVERY and any(host.process.poll() is None for host in running):
        flight = look(world, flight)
        wait_quietly(running, LOOK_EVERY)
        left -= LOOK_EVERY
    reports = [report_of(host, seconds) for host in running]
    flight = look(world, flight)
    for host, report in zip(hosts, reports):
        asked, got = (host.rate_hz, host.frames), (report["rate_hz"], report["buffer_frames"])
        if asked != got:
            raise AssertionError(f"a host asked for {asked} and got {got}")
    if (device.rate_hz, device.period_frames) != (48_000, 64):
        raise AssertionError(f"the device moved: {device}")
    build = "windows" if world.build.windows else "native"
    return [adapted.row_of(adapted.HostRun.from_json(report), flight, device, build)
            for report in reports]


def look(world: World, before: Any) -> dict:
    now = world.flight()
    if now is None:
        raise AssertionError("the service left before it could be asked what happened")
    return adapted.merge_flights(before, now)


def wait_quietly(running: list[Running], seconds: float) -> None:
    """Until the first of them ends, at most `seconds`: whoever measures is left alone."""
    try:
        running[0].process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def report_of(running: Running, seconds: float) -> Any:
    finished = running.wait(seconds + 60)
    if finished.code != 0:
        raise AssertionError(str(finished))
    return finished.json()


def write_report(seconds: float, rows: list[dict]) -> None:
    """Replaces the rows of the same build; those of another stay."""
    kept: list[dict] = []
    if REPORT.exists():
        old = json.loads(REPORT.read_text(encoding="utf-8"))["rows"]
        kept = [row for row in old if row["build"] != rows[0]["build"]]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    fresh = [{**row, "seconds": seconds} for row in rows]
    REPORT.write_text(json.dumps({"rows": kept + fresh}, indent=1) + "\n", encoding="utf-8")


def problems_of(rows: list[dict]) -> list[str]:
    return [f"{row['rate_hz']:.0f} Hz, {row['buffer_frames']} frames: {problem}"
            for row in rows for problem in row["problems"]]


class ThreeHosts(Case):
    def test_three_hosts_at_their_own_rates_and_sizes_share_one_device(self) -> None:
        seconds = float(os.environ.get("ASIODRV_THREE_HOSTS_SECONDS", DEFAULT_SECONDS))
        rows = play(self.world, THREE, seconds)
        write_report(seconds, rows)
        self.assertEqual(problems_of(rows), [], json.dumps(rows, indent=1))

    def test_a_large_buffer_on_small_periods_is_bit_exact(self) -> None:
        rows = play(self.world, LARGE_ON_SMALL, 4)
        self.assertEqual(problems_of(rows), [], json.dumps(rows, indent=1))


def table_line(row: dict) -> str:
    sound = ("bit-exact" if row["bit_exact"] else "NOT bit-exact") if "bit_exact" in row else (
        "no whole window" if row["snr_db"] is None
        else f"{row['snr_db']:.1f} dB, worst {row['worst_db']:.1f}")
    xruns = ", ".join(f"{cause} {count}" for cause, count in row["xruns"].items()) or "no xruns"
    return (f"{row['rate_hz']:6.0f} Hz {row['buffer_frames']:4d}  round trip {row['rtl_frames']} "
            f"(reported {row['reported_rtl_frames']})  {sound}  damaged {row['damaged_frames']}, "
            f"lost {row['gap_frames']}, unexplained {row['unexplained_frames']}  "
            f"late {row['late']} of {row['callbacks']} (bare timer {row['floor_late']})  {xruns}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--build", choices=("native", "windows"), default="native")
    parser.add_argument("--bin", type=pathlib.Path, help="another folder of native programs")
    arguments = parser.parse_args()
    if arguments.build == "windows":
        folder = stage.stage_x64()
        stage.register_x64(folder)
        build = Build(bin=folder, windows=True)
    else:
        build = Build(bin=(arguments.bin or ROOT / "build/release/bin").resolve())
    rows: list[dict] = []
    for hosts in (THREE, LARGE_ON_SMALL):
        world = World(build, "three-hosts")
        try:
            rows += play(world, hosts, arguments.seconds)
        finally:
            world.close()
    write_report(arguments.seconds, rows)
    for row in rows:
        print(table_line(row))
    for problem in problems_of(rows):
        print(problem)
    return 1 if problems_of(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
