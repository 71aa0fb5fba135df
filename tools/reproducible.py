#!/usr/bin/env python3
"""Builds the shipped Windows binaries twice, from copies of the sources in two folders with names
of different lengths, without the compiler cache, and compares every byte.

  tools/reproducible.py [TREE...]     default: windows-x64-dll windows-x86 windows-x64

The report is build/test-reports/reproducible.json. Exit codes: 0 the same, 1 not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/release"))

import files  # noqa: E402  (found through the path above)

REPORT = ROOT / "build/test-reports/reproducible.json"
TARGETS = {"windows-x64": ("asio-driver", "asio-host"),
           "windows-x64-dll": ("asio_driver_module",),
           "windows-x86": ("asio_driver_module", "asio-host")}


def source_names() -> list[str]:
    """What git knows, as it lies in the working tree. An unpacked archive, or a machine without
    git, has the sources and what was built of them."""
    if shutil.which("git") is not None:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
            check=False, capture_output=True)
        if listed.returncode == 0:
            return [name for name in listed.stdout.decode().split("\0") if name]
    tops = [path for path in ROOT.iterdir() if path.name not in ("build", ".git", ".cache")]
    paths = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*"))]
    return [path.relative_to(ROOT).as_posix() for path in paths if path.is_file()]


def copy_sources(target: pathlib.Path) -> None:
    for name in source_names():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def build(folder: pathlib.Path, trees: Iterable[str]) -> dict[str, str]:
    """Hashes of the shipped binaries, by tree and name."""
    environment = os.environ | {"CCACHE_DISABLE": "1"}
    hashes = {}
    for tree in trees:
        for command in (["cmake", "--preset", tree, "-DASIODRV_TESTS=OFF", "-DASIODRV_BENCH=OFF"],
                        ["cmake", "--build", "--preset", tree, "-j", str(os.cpu_count()),
                         "--target", *TARGETS[tree]]):
            done = subprocess.run(command, cwd=folder, env=environment, check=False,
                                  capture_output=True, text=True)
            if done.returncode != 0:
                raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        for path in sorted((folder / "build" / tree / "bin").iterdir()):
            if path.suffix in (".exe", ".dll"):
                hashes[f"{tree}/{path.name}"] = files.sha256(path)
    return hashes


def differing(one: dict[str, str], two: dict[str, str]) -> list[str]:
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", metavar="TREE")
    arguments = parser.parse_args()
    trees = arguments.trees or list(TARGETS)
    for tree in trees:
        if tree not in TARGETS:
            parser.error(f"there is no tree {tree}; the trees are {', '.join(TARGETS)}")
    found = []
    with tempfile.TemporaryDirectory(prefix="asiodrv-") as scratch:
        for name in ("a", "another-folder-with-a-much-longer-name/and-one-below-it"):
            folder = pathlib.Path(scratch) / name
            folder.mkdir(parents=True)
            copy_sources(folder)
            found.append(build(folder, trees))
            print(f"built {', '.join(found[-1])} in a folder {len(str(folder))} letters long",
                  flush=True)
    different = differing(*found)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"hashes": found[0], "different": different}, indent=1) + "\n",
                      encoding="utf-8")
    for name, value in found[0].items():
        print(f"{value}  {name}{'  DIFFERS' if name in different else ''}")
    return 1 if different or not found[0] else 0


if __name__ == "__main__":
    sys.exit(main())
