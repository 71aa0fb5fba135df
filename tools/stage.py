#!/usr/bin/env python3
"""Puts the programs of a build side by side, as an installer would, and registers the driver.

  tools/stage.py [--register]        build/stage/windows-x64, from the presets windows-x64*

A Windows tree is made by two compilers (docs/decisions/0001), so its programs and its DLL come
from two build trees.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
WINE = ROOT / "tools/wine/run.sh"
STAGE_X64 = ROOT / "build/stage/windows-x64"
CLSID = tomllib.loads((ROOT / "vendors/asio-driver.toml").read_text())["product"]["class_id"]

#: name in the stage: where the build leaves it, and the preset that makes it
PARTS_X64 = {
    "asio-driver.exe": ("build/windows-x64/bin/asio-driver.exe", "windows-x64"),
    "asio-host.exe": ("build/windows-x64/bin/asio-host.exe", "windows-x64"),
    "asio-driver.dll": ("build/windows-x64-dll/bin/asio-driver.dll", "windows-x64-dll"),
}


class StageError(Exception):
    """A part is missing or the driver did not register; the text says what to do."""


def windows_path(path: pathlib.Path | str) -> str:
    """How a program under Wine names a file of this machine."""
    return "Z:" + str(pathlib.Path(path).resolve()).replace("/", "\\")


def stage_x64() -> pathlib.Path:
    """Copies what changed. A file in use is replaced, not rewritten: its users keep theirs."""
    STAGE_X64.mkdir(parents=True, exist_ok=True)
    for name, (built, preset) in PARTS_X64.items():
        source, target = ROOT / built, STAGE_X64 / name
        if not source.exists():
            raise StageError(f"{built} is missing; make it with: tools/build.sh {preset}")
        if target.exists() and filecmp.cmp(source, target, shallow=False):
            continue
        fresh = STAGE_X64 / f".{name}.{os.getpid()}"
        shutil.copy2(source, fresh)
        fresh.replace(target)
    return STAGE_X64


def wine(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess:
    return subprocess.run([str(WINE), *arguments], capture_output=True, text=True, check=False,
                          errors="replace", timeout=timeout, stdin=subprocess.DEVNULL)


def register_x64(stage: pathlib.Path) -> None:
    """Registers the DLL in the private prefix by the system's own tool, and looks at the result."""
    dll = windows_path(stage / "asio-driver.dll")
    result = wine("regsvr32", "/s", dll)
    server = wine("reg", "query", f"HKCR\\CLSID\\{CLSID}\\InprocServer32", "/ve")
    if "asio-driver.dll" not in server.stdout:
        raise StageError(f"regsvr32 left no registration of {dll} (exit code {result.returncode})\n"
                         f"{result.stdout}{result.stderr}{server.stdout}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--register", action="store_true",
                        help="register the DLL in the private Wine prefix")
    arguments = parser.parse_args()
    try:
        stage = stage_x64()
        if arguments.register:
            register_x64(stage)
    except StageError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"staged in {stage.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
