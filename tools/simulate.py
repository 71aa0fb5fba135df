#!/usr/bin/env python3
"""Runs simulated worlds, several processes at a time, and adds up what they saw.

    tools/simulate.py [--seeds N] [--first N] [--seed N] [--minutes M] [--canary NAME] [--json]
                      [--program PATH] [--twice]

Exit codes: 0 every checker was content; 1 one was not; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEFAULT_MINUTES = 8.0  # 200 seeds are more than 24 simulated hours
PROCESSES = 2
PROGRESS_SECONDS = 10
#: A world that takes longer has stopped moving; under sanitizers a minute takes some seconds.
LIMIT_SECONDS, LIMIT_SECONDS_PER_MINUTE = 120, 60
#: Over so many simulated minutes each of these has looked, or the worlds were empty.
ENOUGH_MINUTES = DEFAULT_MINUTES
ALWAYS = ("samples", "positions", "periods", "memory", "answers", "callbacks")


class Failed(Exception):
    """A seed that found something; its text is what the program said."""


def run_seed(program: pathlib.Path, seed: int, minutes: float, canary: str) -> dict:
    """One world. Returns its report."""
    command = [str(program), "--seed", str(seed), "--minutes", str(minutes), "--canary", canary,
               "--json"]
    limit = LIMIT_SECONDS + LIMIT_SECONDS_PER_MINUTE * minutes
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        raise Failed(f"Seed {seed} did not end within {limit:.0f} s.\n"
                     f"See it again: make simulate SEED={seed} MINUTES={minutes:g}") from None
    if done.returncode != 0:
        text = done.stderr.strip()
        if "See it again" not in text:  # it did not end by a checker
            text += (f"\nSeed {seed} ended with code {done.returncode}.\n"
                     f"See it again: make simulate SEED={seed} MINUTES={minutes:g}")
        raise Failed(text)
    return json.loads(done.stdout)


def add_up(reports: list[dict], wall: float) -> dict:
    """The sums over all seeds."""
    total: dict = {"seeds": [report["seed"] for report in reports], "faults": {}, "checks": {}}
    for report in reports:
        for kind in ("faults", "checks"):
            for name, count in report[kind].items():
                total[kind][name] = total[kind].get(name, 0) + count
    total["simulated_hours"] = sum(report["minutes"] for report in reports) / 60
    total["periods"] = sum(report["periods"] for report in reports)
    total["steps"] = sum(report["steps"] for report in reports)
    total["seconds"] = wall
    total["hours_per_second"] = total["simulated_hours"] / wall if wall > 0 else 0.0
    total["hashes"] = {report["seed"]: report["hash"] for report in reports}
    return total


def show(total: dict) -> None:
    """The sums, for people."""
    print(f"{total['simulated_hours']:.2f} hours were simulated in {total['seconds']:.1f} s: "
          f"{total['hours_per_second']:.3f} hours per second, {total['periods']} periods, "
          f"{total['steps']} steps.")
    for kind, title in (("faults", "Faults"), ("checks", "Checks")):
        print(f"{title}: {sum(total[kind].values())}")
        for name, count in sorted(total[kind].items(), key=lambda each: (-each[1], each[0])):
            print(f"  {name:<20} {count:>12}")
    if len(total["hashes"]) == 1:
        (seed, last), = total["hashes"].items()
        print(f"Seed {seed} ends in state {last}.")
    seeds = total["seeds"]
    print(f"Seeds {min(seeds)} to {max(seeds)}: every checker was content.")


def run_all(program: pathlib.Path, seeds: list[int], minutes: float, canary: str) -> list[dict]:
    """All worlds, PROCESSES at a time; the first failure ends it."""
    reports: list[dict] = []
    lock = threading.Lock()
    told = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
        runs = [pool.submit(run_seed, program, seed, minutes, canary) for seed in seeds]
        for run in concurrent.futures.as_completed(runs):
            try:
                report = run.result()
            except Failed:
                for other in runs:
                    other.cancel()
                raise
            with lock:
                reports.append(report)
            if time.monotonic() - told >= PROGRESS_SECONDS:
                told = time.monotonic()
                print(f"{len(reports)} of {len(seeds)} seeds", file=sys.stderr, flush=True)
    return sorted(reports, key=lambda report: report["seed"])


def main() -> int:
    """See the top of the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many (20)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--minutes", type=float, default=DEFAULT_MINUTES, help="of each world (8)")
    parser.add_argument("--canary", default="none", help="plant an error that must be found")
    parser.add_argument("--twice", action="store_true", help="each seed must end alike twice")
    parser.add_argument("--json", action="store_true", help="the sums as one JSON object")
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build" / "release" / "bin" / "simulate")
    options = parser.parse_args()
    if options.seeds < 1 or options.minutes <= 0:
        parser.error("--seeds and --minutes must be positive")
    if not os.access(options.program, os.X_OK):
        parser.error(f"{options.program} is missing; use \"make simulate\"")
    seeds = [options.seed] if options.seed is not None else list(
        range(options.first, options.first + options.seeds))
    began = time.monotonic()
    try:
        reports = run_all(options.program, seeds, options.minutes, options.canary)
        wall = time.monotonic() - began
        if options.twice:
            again = run_all(options.program, seeds, options.minutes, options.canary)
            for first, second in zip(reports, again):
                if first["hash"] != second["hash"]:
                    raise Failed(f"Seed {first['seed']} ends in {first['hash']} and in "
                                 f"{second['hash']}: the simulation is not deterministic.")
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    total = add_up(reports, wall)
    blind = [name for name in ALWAYS if total["checks"].get(name, 0) == 0]
    if blind and 60 * total["simulated_hours"] >= ENOUGH_MINUTES:
        print(f"Nothing was looked at by: {', '.join(blind)}.", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(total))
    else:
        show(total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
