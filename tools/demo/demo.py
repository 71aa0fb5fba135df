#!/usr/bin/env python3
"""Plays recorded speech through the driver from two hosts at once, at six buffer sizes, and shows
for each what was measured. Nothing is started but the hosts: the driver starts the service.

  tools/demo/demo.py                 the Windows programs, under a private Wine
  tools/demo/demo.py --native        the native programs
  tools/demo/demo.py --sizes 32,64 --seconds 5

Writes build/demo/result.json. Exit code 0: in every row the round trip is two buffers and is
reported as measured, and no damaged frame lacks a named cause.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]

import duplex  # noqa: E402  (found through the path above, as the next ones)
import join  # noqa: E402
import stage  # noqa: E402
from programs import Build, World  # noqa: E402

ROOT = stage.ROOT
SIZES = (32, 64, 128, 256, 512, 1024)
SECONDS = 10.0
RATE = 48_000


def machine_facts(windows: bool) -> dict:
    """What a reader needs to know before comparing figures."""
    cpu = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    facts = {"cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(),
             "load_1min": os.getloadavg()[0],
             "real_time_policy": subprocess.run(["chrt", "-f", "50", "true"], check=False,
                                                capture_output=True).returncode == 0}
    if windows:
        facts["wine"] = subprocess.run(["wine", "--version"], capture_output=True, text=True,
                                       check=False).stdout.strip()
    return facts


def make_build(native: bool) -> Build:
    """The programs to run, installed as a user would have them."""
    if native:
        return Build(bin=ROOT / "build/release/bin")
    staged = stage.stage_x64()
    stage.register_x64(staged)
    return Build(bin=staged, windows=True)


COLUMNS = (("frames", 6), ("round trip", 17), ("reported", 8), ("bit-exact", 9),
           ("unexplained", 11), ("callbacks", 9), ("late", 6), ("bare timer", 10),
           ("p50 us", 7), ("p99 us", 7), ("xruns", 0))


def cells(row: dict) -> list[str]:
    trip = row["rtl_frames"]
    shown = "not found" if trip is None else f"{trip} = {trip * 1000 / RATE:.2f} ms"
    xruns = ", ".join(f"{count} {cause}" for cause, count in row["xruns"].items()) or "none"
    return [str(row["buffer_frames"]), shown, str(row["reported_rtl_frames"]),
            "yes" if row["bit_exact"] else "NO", str(row["unexplained_frames"]),
            str(row["callbacks"]), str(row["late"]), str(row["floor_late"]),
            f"{row['p50_us']:.1f}", f"{row['p99_us']:.1f}", xruns]


def line(values: list[str]) -> str:
    return "  ".join(value.rjust(width) for value, (_, width) in zip(values, COLUMNS)).rstrip()


def play_size(world: World, frames: int, seconds: float) -> dict:
    """The row of one buffer size. Whatever goes wrong is a red row, never a missing one."""
    try:
        return duplex.play_and_judge(world, frames, seconds)
    except (AssertionError, KeyError, OSError) as error:
        return {"buffer_frames": frames, "rtl_frames": None, "reported_rtl_frames": 0,
                "bit_exact": False, "unexplained_frames": 0, "callbacks": 0, "late": 0,
                "floor_late": 0, "xruns": {}, "p50_us": 0.0, "p99_us": 0.0,
                "problems": [f"{type(error).__name__}: {error}"], "hosts": []}


def sizes_of(text: str) -> tuple[int, ...]:
    """Raises argparse.ArgumentTypeError."""
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise argparse.ArgumentTypeError(f"{text}: give whole numbers between commas, as 64,128")
    return tuple(map(int, words))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--native", action="store_true", help="the native programs, without Wine")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="per buffer size")
    parser.add_argument("--sizes", type=sizes_of, default=SIZES,
                        help="buffer sizes in frames, between commas")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/demo/result.json")
    arguments = parser.parse_args()

    try:
        print("== making the prefix and registering the driver" if not arguments.native
              else "== native programs", flush=True)
        build = make_build(arguments.native)
    except stage.StageError as error:
        print(error, file=sys.stderr)
        return 1
    world = World(build, "demo")
    rows = []
    try:
        if world.status() is not None:
            print("a service of this instance runs already", file=sys.stderr)
            return 1
        for frames in arguments.sizes:
            print(f"== two hosts at once, {frames} frames, {arguments.seconds:g} s", flush=True)
            rows.append(play_size(world, frames, arguments.seconds))
        service = (world.status() or {}).get("service", {})
    finally:
        world.close()
        if build.windows:
            subprocess.run([str(ROOT / "tools/wine/stop.sh")], check=False)

    result = {"build": "native" if arguments.native else "windows-x64 under Wine",
              "rate_hz": RATE, "seconds_per_row": arguments.seconds, "rows": rows,
              "green": all(join.is_green(row) for row in rows) and bool(rows),
              "machine": machine_facts(build.windows), "service": service}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    print()
    print(f"Two hosts at once, {result['build']}, {RATE} Hz, recorded speech on own channels. "
          "Worst of both, counts added.")
    print(line([name for name, _ in COLUMNS]))
    for row in rows:
        print(line(cells(row)))
    for row in rows:
        for problem in row["problems"]:
            print(f"{row['buffer_frames']} frames: {problem}")
    print("Every frame came back unchanged, or its damage has a named cause."
          if result["green"] else "NOT every promise was kept.")
    shown = arguments.output.resolve()
    print(f"details: {shown.relative_to(ROOT) if shown.is_relative_to(ROOT) else shown}")
    return 0 if result["green"] else 1


if __name__ == "__main__":
    sys.exit(main())
