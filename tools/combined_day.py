#!/usr/bin/env python3
"""Days of several devices as one, several processes at a time, and the worst that any of them saw.

    tools/combined_day.py [--hours H] [--worlds N] [--first N] [--json] [--program PATH]

Each of the N worlds has a seed of its own and lives H / N simulated hours.
Exit codes: 0 every checker was content; 1 one was not; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROCESSES = 2
#: A world that takes longer has stopped moving; an hour takes some seconds.
LIMIT_SECONDS, LIMIT_SECONDS_PER_HOUR = 120, 120
SUMS = ("simulated_hours", "callbacks", "checks", "stalls", "damaged_blocks", "member_events",
        "engine_events")
WORST = ("input_frames", "output_frames", "spread_frames", "ppm")


def run_world(program: pathlib.Path, hours: float, seed: int) -> dict:
    """One world's report; raises RuntimeError with what the program said."""
    again = f"See it again: {program} {hours:g} --seed {seed}"
    limit = LIMIT_SECONDS + LIMIT_SECONDS_PER_HOUR * hours
    try:
        done = subprocess.run([str(program), f"{hours:g}", "--seed", str(seed)],
                              capture_output=True, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"Seed {seed} did not end within {limit:.0f} s.\n{again}") from None
    if done.returncode != 0:
        raise RuntimeError(f"{done.stderr.strip() or f'It ended with code {done.returncode}.'}\n"
                           f"{again}")
    return json.loads(done.stdout)


def add_up(reports: list[dict], wall: float) -> dict:
    total: dict = {"seeds": [report["seed"] for report in reports]}
    total |= {name: sum(report[name] for report in reports) for name in SUMS}
    total |= {name: max(report[name] for report in reports) for name in WORST}
    return total | {"seconds": round(wall, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0, help="simulated, in all")
    parser.add_argument("--worlds", type=int, default=2)
    parser.add_argument("--first", type=int, default=1, help="seed of the first world")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build/release/bin/combined_day")
    options = parser.parse_args()
    if options.hours <= 0 or options.worlds < 1:
        parser.error("give more than 0 hours and at least 1 world")
    started = time.monotonic()
    seeds = range(options.first, options.first + options.worlds)
    with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
        worlds = [pool.submit(run_world, options.program, options.hours / options.worlds, seed)
                  for seed in seeds]
        try:
            total = add_up([world.result() for world in worlds], time.monotonic() - started)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
    if options.json:
        print(json.dumps(total))
        return 0
    print(f"{total['simulated_hours']:g} simulated hours in {total['seconds']:g} s, "
          f"{total['callbacks']} callbacks, {total['checks']} checks, {total['stalls']} stalls")
    print(f"damage: {total['damaged_blocks']} blocks of inputs, {total['member_events']} events of "
          f"members, {total['engine_events']} of the engine, each with a stall that was injected")
    print(f"worst: inputs {total['input_frames']:.3f} frames from the truth and "
          f"{total['spread_frames']:.3f} apart, outputs {total['output_frames']:.3f}, speed "
          f"{total['ppm']:.3f} ppm")
    return 0


if __name__ == "__main__":
    sys.exit(main())
