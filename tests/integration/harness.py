"""What every integration test begins with: a world of its own, of the build that ctest names.

  ASIODRV_TEST_BUILD   native | windows
  ASIODRV_TEST_BIN     the folder of the programs; for windows the stage that tools/stage.py made
  ASIODRV_TEST_SLOW    how many times longer than usual everything may take (sanitizers)
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools/demo"), str(ROOT / "tools/release")]

from programs import Build, Finished, World  # noqa: E402  (found through the path above)

SPEECH = pathlib.Path("/usr/share/sounds/alsa/Front_Center.wav")

BUILD = Build(bin=pathlib.Path(os.environ.get("ASIODRV_TEST_BIN", ROOT / "build/debug/bin")),
              windows=os.environ.get("ASIODRV_TEST_BUILD", "native") == "windows",
              slow=float(os.environ.get("ASIODRV_TEST_SLOW", "1")))


def write_report(report: pathlib.Path, name: str, row: dict) -> None:
    """Puts `row` in the place of its namesake in the file `report`, and says it."""
    rows = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    rows[name] = row
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(name, json.dumps(row), file=sys.stderr, flush=True)


class Case(unittest.TestCase):
    """A test with a world of its own."""

    world: World

    def setUp(self) -> None:
        self.world = World(BUILD, self.id().rpartition(".")[2])
        self.addCleanup(self.world.close)

    def assert_ok(self, finished: Finished) -> Finished:
        self.assertEqual(finished.code, 0, str(finished))
        return finished
