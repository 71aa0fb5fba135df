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
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools/demo"), str(ROOT / "tools/release")]

from programs import Build, Finished, World  # noqa: E402  (found through the path above)
from witness import Witness, wait_for_calm  # noqa: E402

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


class Answers(unittest.TestResult):
    """What one attempt at a test told, to be passed on or not."""

    def __init__(self) -> None:
        super().__init__()
        self._told: list[tuple[str, tuple]] = []

    def pass_on(self, result: unittest.TestResult) -> None:
        for name, arguments in self._told:
            getattr(result, name)(*arguments)


def _remembered(name: str):
    def tell(self: Answers, *arguments: object) -> None:
        getattr(super(Answers, self), name)(*arguments)
        self._told.append((name, arguments))
    return tell


for _name in ("startTest", "stopTest", "addSuccess", "addError", "addFailure", "addSkip",
              "addSubTest", "addExpectedFailure", "addUnexpectedSuccess"):
    setattr(Answers, _name, _remembered(_name))


class PatientCase(unittest.TestCase):
    """A test that is tried again when it failed while the machine stood still, which is said. On a
    machine that runs it fails at once."""

    ATTEMPTS = 5
    #: No attempt begins that may end later, for ctest gives a test 400 s.
    PATIENCE_S = 330 * BUILD.slow
    CALM_S = 20.0

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult:
        result = result if result is not None else self.defaultTestResult()
        began = time.monotonic()
        for attempt in range(1, self.ATTEMPTS + 1):
            answers, began_attempt = Answers(), time.monotonic()
            with Witness() as witness:
                super().run(answers)
            now = time.monotonic()
            if (answers.wasSuccessful() or attempt == self.ATTEMPTS or not witness.saw_a_stall()
                    or now - began + self.CALM_S + (now - began_attempt) > self.PATIENCE_S):
                break
            print(f"REPEATED: {self.id()} failed in attempt {attempt}, while {witness}\n"
                  + "\n".join(text for _test, text in answers.failures + answers.errors),
                  file=sys.stderr, flush=True)
            wait_for_calm(self.CALM_S)
        answers.pass_on(result)
        return result


class Case(PatientCase):
    """A test with a world of its own."""

    world: World

    def setUp(self) -> None:
        self.world = World(BUILD, self.id().rpartition(".")[2])
        self.addCleanup(self.world.close)

    def assert_ok(self, finished: Finished) -> Finished:
        self.assertEqual(finished.code, 0, str(finished))
        return finished
