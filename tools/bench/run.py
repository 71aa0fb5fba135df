#!/usr/bin/env python3
"""Every benchmark of the product, each against a limit or a peer measured in the same run.

  tools/bench/run.py                     everything, about 12 minutes
  tools/bench/run.py --seconds 10        shorter streaming runs
  tools/bench/run.py --only micro        micro | wake | cpu | late | shared   (comma-separated)
  tools/bench/run.py --builds native     native | windows

Prints a table and writes build/bench/result.json: `cases`, each with name, value, unit, peer (what
it is compared with), peer_value, ratio, and goal (the ratio that we want at most, unless `sense`
says what else the goal bounds). A figure of one machine says nothing about another; the ratios do.
A missed goal is shown, and is no failure: the exit code is 0 when everything could be measured, 1
when something could not, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]),
                str(pathlib.Path(__file__).resolve().parents[1] / "pulse")]

import stage  # noqa: E402  (found through the path above, as the next ones)
from programs import HOST, Build, Running, World, processor_ns  # noqa: E402
from pulse import PrivatePulse  # noqa: E402

ROOT = stage.ROOT
RATE = 48_000
PARTS = ("micro", "wake", "cpu", "late", "shared")
BUILDS = ("native", "windows")
#: CPU time per 64-frame period of WineASIO on JACK, service and host together, measured on a
#: machine of this kind under Wine 8 (it needs a JACK server, so it cannot run beside us).
WINEASIO_CPU_US = 60.0
#: Round trip of PortAudio over WASAPI shared, from a null sink of PulseAudio to its monitor, at 480
#: frames under Wine 8, measured on a machine of this kind (it reported 8640).
PORTAUDIO_SHARED_FRAMES = 1774.0


def case(name: str, value: float, unit: str, peer: str, peer_value: float,
         goal: float | None) -> dict:
    ratio = value / peer_value if peer_value else (0.0 if value == 0 else float("inf"))
    return {"name": name, "value": round(value, 3), "unit": unit, "peer": peer,
            "peer_value": round(peer_value, 3),
            "ratio": round(ratio, 3) if ratio != float("inf") else None, "goal": goal}


# --- micro ----------------------------------------------------------------------------------------

def micro() -> Iterator[dict]:
    missing = []
    programs = [program for program in sorted((ROOT / "build/release/bin").glob("*_bench"))
                if program.name != "event_bench"]
    if not programs:
        raise AssertionError("no benchmarks are built; make them with: tools/build.sh release")
    for program in programs:
        figures = 0
        out = subprocess.run([str(program)], capture_output=True, text=True, check=True,
                             timeout=600).stdout
        for line in out.splitlines():
            if line.startswith("{"):
                result = json.loads(line)
                figures += 1
                if "package" in result:  # no figure: a peer whose goals nobody can judge now
                    missing.append(f"{result['name']} ({result['package']})")
                else:
                    yield result
            elif line.strip():
                print(f"   {line}", flush=True)
        if not figures:
            missing.append(f"any figure of {program.name}")
    if missing:
        raise AssertionError(", ".join(missing))


# --- streaming ------------------------------------------------------------------------------------

def make_build(name: str) -> Build:
    if name == "native":
        return Build(bin=ROOT / "build/release/bin")
    staged = stage.stage_x64()
    stage.register_x64(staged)
    return Build(bin=staged, windows=True)


@contextlib.contextmanager
def world_of(build: Build, label: str) -> Iterator[World]:
    world = World(build, f"bench-{label}")
    try:
        yield world
    finally:
        world.close()


def measure(world: World, frames: int, seconds: float, *more: str) -> Running:
    return world.start(HOST, "measure", "--frames", str(frames), "--seconds", str(seconds),
                       "--inputs", "0,1", "--outputs", "0,1", "--json", *more)


def whole_run(running: Running, frames: int, seconds: float) -> dict:
    """The report of a host that was asked to stream for `seconds`. One that was hardly called has
    no late callbacks and costs nothing: that is no figure."""
    report = running.wait(seconds + 60).json()
    wanted = seconds * RATE / frames
    if report["stalled"] or report["callbacks"] < 0.9 * wanted:
        raise AssertionError(f"only {report['callbacks']} of {wanted:.0f} callbacks came")
    return report


def round_trip(build: Build) -> dict:
    """Two bare processes that wake each other once per period and do nothing else."""
    program = "event_bench"
    if build.windows:
        command = [str(stage.WINE), str(ROOT / "build/windows-x64/bin" / f"{program}.exe")]
    else:
        command = [str(build.bin / program)]
    out = subprocess.run([*command, "4000"], capture_output=True, text=True, check=True,
                         timeout=120).stdout
    return json.loads(out)


def wake(build: Build, label: str, seconds: float) -> Iterator[dict]:
    """From the engine's wake-up to the host's callback, and from the device's event, which is the
    period's boundary here; beside a raw round trip of two events."""
    before = round_trip(build)
    with world_of(build, label) as world:
        running = measure(world, 64, seconds, "--light")
        whole_run(running, 64, seconds)
        records = world.ask("flight", "--records", "8000")["records"]
    after = round_trip(build)
    called = [record for record in records if record["entered_ns"] > record["woken_ns"]]
    if len(called) < 1000:
        raise AssertionError(f"only {len(called)} cycles were recorded")
    for what, ways in (
            ("engine wake-up", [(one["entered_ns"] - one["woken_ns"]) / 1000 for one in called]),
            ("device event", [one["entered_ns"] / 1000 for one in called])):
        at = statistics.quantiles(ways, n=100)
        for quantile, value in (("p50", at[49]), ("p99", at[98])):
            peer = (before[f"{quantile}_us"] + after[f"{quantile}_us"]) / 2
            yield case(f"{label}: {what} to bufferSwitch, {quantile}", value, "us",
                       "raw event round trip", peer, 1.1)


def processes_of(world: World) -> dict[str, int]:
    """System process ids of this world's service and host, and of Wine's server."""
    found: dict[str, int] = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().split(b"\0")
            name = command[0].decode(errors="replace").replace("\\", "/").rpartition("/")[2]
            name = name.removesuffix(".exe")
            if name.startswith("wineserver"):
                prefix = b"WINEPREFIX=" + str(ROOT / "build/wine/prefix").encode()
                if world.build.windows and prefix in (entry / "environ").read_bytes().split(b"\0"):
                    found["wineserver"] = int(entry.name)
                continue
            if name not in ("asio-driver", "asio-host"):
                continue
            mark = f"ASIODRV_INSTANCE={world.instance}".encode()
            ours = (world.instance.encode() in command
                    or mark in (entry / "environ").read_bytes().split(b"\0"))
            if ours:
                found[name] = int(entry.name)
    return found


def cpu(build: Build, label: str, seconds: float) -> Iterator[dict]:
    bare = round_trip(build)["cpu_us"]
    with world_of(build, label) as world:
        running = measure(world, 64, seconds + 8, "--light")
        world.wait_for_clients(1)
        time.sleep(2)
        ids = world.wait_until("both processes are found",
                               lambda: (p := processes_of(world)) if {"asio-driver", "asio-host"}
                               <= processes_of(world).keys() else None)
        start, before = time.monotonic(), {name: processor_ns(pid) for name, pid in ids.items()}
        time.sleep(seconds)
        after = {name: processor_ns(pid) for name, pid in ids.items()}
        periods = (time.monotonic() - start) * RATE / 64
        whole_run(running, 64, seconds + 8)
    spent = {name: (after[name] - before[name]) / 1000 / periods for name in ids}
    both = spent["asio-driver"] + spent["asio-host"]
    yield case(f"{label}: CPU of service and host per 64-frame period, 2x2", both, "us",
               "WineASIO on JACK, recorded", WINEASIO_CPU_US, 0.5)
    yield case(f"{label}: the same beside a bare pair of processes", both, "us",
               "one sleep and one event round trip", bare, 1.1)
    for name, value in sorted(spent.items()):
        goal = 1.0 if name == "wineserver" else None  # the others are parts of it: never more
        yield case(f"{label}: CPU of {name} per 64-frame period", value, "us",
                   "service and host together", both, goal)


BUSY = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"


@contextlib.contextmanager
def busy_loops(count: int, seconds: float) -> Iterator[None]:
    """Ordinary processes that want a whole core each. They end by themselves."""
    loops = [subprocess.Popen([sys.executable, "-c", BUSY.format(seconds=seconds)])
             for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.terminate()
            loop.wait(10)


def late(build: Build, label: str, seconds: float) -> Iterator[dict]:
    for frames in (32, 64):
        for loops in (0, 2):
            with world_of(build, label) as world, busy_loops(loops, seconds + 20):
                report = whole_run(measure(world, frames, seconds), frames, seconds)
            load = "two busy loops" if loops else "idle"
            result = case(f"{label}: late callbacks, {frames} frames, {seconds:.0f} s, {load}",
                          report["late"], f"of {report['callbacks']}",
                          "bare timer in the same window", report["floor_late"], 1.0)
            result["p50_us"], result["p99_us"] = report["p50_us"], report["p99_us"]
            result["floor_p50_us"] = report["floor_p50_us"]
            result["floor_p99_us"] = report["floor_p99_us"]
            result["rtl_frames"] = report["rtl_frames"]
            yield result


def shared(build: Build, label: str, seconds: float) -> Iterator[dict]:
    """Windows' shared mode, from a sink of a private sound server to its monitor."""
    if not build.windows:
        return
    with PrivatePulse() as pulse, world_of(build, label) as world:
        pulse.start("asiodrv_bench")
        world.extra_environment = {"PULSE_SERVER": pulse.environment()["PULSE_SERVER"]}
        world.configure("[service]\nidle_seconds = 30\n[driver]\nbuffer_sizes = \"device\"\n"
                        "[device]\nbackend = \"wasapi\"\n[wasapi]\nclocks = \"one\"\n")
        report = whole_run(measure(world, 480, seconds, "--no-floor"), 480, seconds)
    if report["rtl_frames"] is None:
        raise AssertionError(f"nothing came back: {report}")
    result = case(f"{label}: WASAPI shared, sink to monitor, 480 frames", report["rtl_frames"],
                  "frames", "PortAudio on WASAPI shared, recorded", PORTAUDIO_SHARED_FRAMES, 0.5)
    result["reported_rtl_frames"] = report["reported_rtl_frames"]
    yield result


# --- all together ---------------------------------------------------------------------------------

def met(result: dict) -> bool | None:
    """Whether the goal is met; None where there is none. `sense` says what the goal bounds."""
    sense = result.get("sense", "ratio at most")
    if result.get("goal") is None:
        return None
    figure = result["ratio" if sense.startswith("ratio") else "value"]
    if figure is None:
        return False
    return figure >= result["goal"] if sense.endswith("at least") else figure <= result["goal"]


def show(result: dict) -> None:
    def number(key: str) -> str:
        return "-" if result.get(key) is None else f"{result[key]:.2f}"
    reached = met(result)
    if reached is None:
        return  # a figure for comparison; it is in the file
    verdict = "met" if reached else "MISSED"
    print(f"{result['name']:<74} {number('value'):>9} {result['unit']:<10} "
          f"peer {number('peer_value'):>9}  ratio {number('ratio'):>7}  goal {number('goal'):>7} "
          f"{verdict}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each late-callback run")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, comma-separated")
    parser.add_argument("--builds", default=",".join(BUILDS), help="builds, comma-separated")
    arguments = parser.parse_args()
    parts, builds = arguments.only.split(","), arguments.builds.split(",")
    for value, known in [(part, PARTS) for part in parts] + [(build, BUILDS) for build in builds]:
        if value not in known:
            parser.error(f"'{value}' is none of: {', '.join(known)}")

    cases: list[dict] = []
    problems: list[str] = []

    def collect(what: str, results: Iterator[dict]) -> None:
        try:
            for result in results:
                cases.append(result)
                show(result)
        except (AssertionError, KeyError, OSError, ValueError, subprocess.SubprocessError,
                stage.StageError) as error:
            said = (getattr(error, "stderr", None) or "").strip()
            problems.append(f"{what}: {type(error).__name__}: {error} {said}".rstrip())
            print(f"{what}: could not be measured: {error} {said}", file=sys.stderr, flush=True)

    if "micro" in parts:
        collect("micro", micro())
    measured = {"wake": lambda build, name: wake(build, name, min(arguments.seconds, 12)),
                "cpu": lambda build, name: cpu(build, name, min(arguments.seconds, 15)),
                "late": lambda build, name: late(build, name, arguments.seconds),
                "shared": lambda build, name: shared(build, name, min(arguments.seconds, 8))}
    for name in builds:
        wanted = [part for part in measured if part in parts]
        if not wanted:
            continue
        try:
            build = make_build(name)
        except stage.StageError as error:
            problems.append(f"{name}: {error}")
            continue
        for part in wanted:
            collect(f"{name} {part}", measured[part](build, name))
        if build.windows:
            subprocess.run([str(ROOT / "tools/wine/stop.sh")], check=False)

    output = ROOT / "build/bench/result.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    missed = [one["name"] for one in cases if met(one) is False]
    output.write_text(json.dumps({"cases": cases, "missed": missed, "problems": problems,
                                  "cores": os.cpu_count()}, indent=1) + "\n", encoding="utf-8")
    print(f"{len(cases)} figures, {len(missed)} goals missed; details: "
          f"{output.relative_to(ROOT)}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
