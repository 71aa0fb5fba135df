#!/usr/bin/env python3
"""A test is tried again when the machine stood still, and only then."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from unittest import mock

import harness
from witness import MOST_IN_A_SECOND_S, Witness, wait_for_calm


class Stalled:
    """A witness that says what it is told to."""

    answer = True

    def __enter__(self) -> Stalled:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def saw_a_stall(self) -> bool:
        return self.answer


def outcome(fails: int, stalled: bool, skips: bool = False,
            patience: float = 99) -> tuple[int, unittest.TestResult]:
    """How often a test was run that fails the first `fails` times, and what was told."""
    class Flaky(harness.PatientCase):  # in here, or it would be run as a test of its own
        runs = 0
        PATIENCE_S = patience
        CALM_S = 0

        def runTest(self) -> None:
            Flaky.runs += 1
            if skips:
                self.skipTest("there is nothing to test")
            self.assertGreater(Flaky.runs, fails)

    Stalled.answer = stalled
    result = unittest.TestResult()
    with mock.patch.object(harness, "Witness", Stalled), \
            contextlib.redirect_stderr(io.StringIO()) as said:
        Flaky().run(result)
    unittest.TestCase().assertEqual(said.getvalue().count("REPEATED"), Flaky.runs - 1)
    return Flaky.runs, result


class Attempts(unittest.TestCase):
    def test_a_test_that_fails_is_repeated_while_the_machine_stands_still(self) -> None:
        runs, result = outcome(fails=2, stalled=True)
        self.assertEqual((runs, result.testsRun, result.wasSuccessful()), (3, 1, True))

    def test_it_fails_at_once_on_a_machine_that_runs(self) -> None:
        runs, result = outcome(fails=1, stalled=False)
        self.assertEqual((runs, len(result.failures)), (1, 1))

    def test_it_fails_when_no_attempt_succeeds(self) -> None:
        runs, result = outcome(fails=9, stalled=True)
        self.assertEqual((runs, len(result.failures), result.testsRun), (5, 1, 1))

    def test_it_is_not_repeated_beyond_the_time_it_has(self) -> None:
        runs, result = outcome(fails=1, stalled=True, patience=0)
        self.assertEqual((runs, len(result.failures)), (1, 1))

    def test_what_succeeds_or_is_skipped_is_run_once(self) -> None:
        self.assertEqual(outcome(fails=0, stalled=True)[0], 1)
        runs, result = outcome(fails=0, stalled=True, skips=True)
        self.assertEqual((runs, len(result.skipped)), (1, 1))

    def test_the_witness_sees_that_it_stood_still(self) -> None:
        with Witness() as witness:
            time.sleep(0.2)
            os.kill(witness.process_id, signal.SIGSTOP)
            time.sleep(4 * MOST_IN_A_SECOND_S)
            os.kill(witness.process_id, signal.SIGCONT)
            time.sleep(0.2)
        self.assertGreater(witness.longest, 2 * MOST_IN_A_SECOND_S)
        self.assertGreaterEqual(witness.worst_second, witness.longest)
        self.assertTrue(witness.saw_a_stall())

    def test_the_witness_adds_up_what_was_lost_within_a_second(self) -> None:
        with Witness() as witness:
            for _ in range(4):
                os.kill(witness.process_id, signal.SIGSTOP)
                time.sleep(MOST_IN_A_SECOND_S / 2)
                os.kill(witness.process_id, signal.SIGCONT)
                time.sleep(0.02)
        self.assertGreater(witness.worst_second, MOST_IN_A_SECOND_S)
        self.assertTrue(witness.saw_a_stall())

    def test_the_wait_for_calm_ends(self) -> None:
        began = time.monotonic()
        with mock.patch("witness.Witness.saw_a_stall", lambda _self: True):
            wait_for_calm(1.5)
        self.assertLess(time.monotonic() - began, 30)

    def test_the_tool_says_what_it_saw(self) -> None:
        said = subprocess.run([sys.executable, str(harness.ROOT / "tests/integration/witness.py"),
                               "0.3"], capture_output=True, text=True, timeout=60, check=True)
        self.assertRegex(said.stdout, r"the machine stood still for \d+ ms of \d+\.\d s, \d+ ms")


class LostStarts(unittest.TestCase):
    """tools/wine/run.sh with a wine that fails without a word, or with one."""

    def run_suite(self, fails: int, word: str = "") -> tuple[subprocess.CompletedProcess, int]:
        """What a suite ended with whose first `fails` starts failed, and how many there were."""
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "prefix").mkdir()
        (folder / "prefix/.complete").touch()
        starts = folder / "starts"
        wine = folder / "wine"
        wine.write_text(textwrap.dedent(f"""\
            #!/bin/sh
            [ "$1" = suite.exe ] || exit 0
            echo >>{starts}
            [ "$(wc -l <{starts})" -gt {fails} ] || {{ printf '%s' '{word}'; exit 5; }}
            echo ran
            """), encoding="utf-8")
        wine.chmod(0o755)
        environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}",
                                    "ASIODRV_WINE_PREFIX": str(folder / "prefix")}
        finished = subprocess.run(
            [str(harness.ROOT / "tools/wine/run.sh"), "suite.exe", "--gtest_filter=one.*"],
            env=environment, capture_output=True, text=True, timeout=60, check=False)
        return finished, starts.read_text(encoding="utf-8").count("\n")

    def test_a_suite_that_never_began_is_started_again_and_that_is_said(self) -> None:
        finished, starts = self.run_suite(fails=2)
        self.assertEqual((finished.returncode, finished.stdout, starts), (0, "ran\n", 3), finished)
        self.assertEqual(finished.stderr.count("REPEATED: wine ended before it had begun"), 2)

    def test_a_suite_that_never_begins_fails(self) -> None:
        finished, starts = self.run_suite(fails=9)
        self.assertEqual((finished.returncode, starts), (5, 3), finished)

    def test_a_suite_that_began_and_failed_is_not_started_again(self) -> None:
        finished, starts = self.run_suite(fails=1, word="RUN")
        self.assertEqual((finished.returncode, finished.stdout, starts), (5, "RUN", 1), finished)


if __name__ == "__main__":
    unittest.main()
