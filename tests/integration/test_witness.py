#!/usr/bin/env python3
"""A test is tried again when the machine stood still, and only then."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
import unittest
from unittest import mock

import harness
from witness import LONGEST_S, Witness


class Stalled:
    """A witness that says what it is told to."""

    answer = True

    def __enter__(self) -> Stalled:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def saw_a_stall(self) -> bool:
        return self.answer


def outcome(fails: int, stalled: bool, skips: bool = False) -> tuple[int, unittest.TestResult]:
    """How often a test was run that fails the first `fails` times, and what was told."""
    class Flaky(harness.PatientCase):  # in here, or it would be run as a test of its own
        runs = 0

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
        self.assertEqual((runs, len(result.failures), result.testsRun), (3, 1, 1))

    def test_what_succeeds_or_is_skipped_is_run_once(self) -> None:
        self.assertEqual(outcome(fails=0, stalled=True)[0], 1)
        runs, result = outcome(fails=0, stalled=True, skips=True)
        self.assertEqual((runs, len(result.skipped)), (1, 1))

    def test_the_witness_sees_that_it_stood_still(self) -> None:
        with Witness() as witness:
            time.sleep(0.2)
            os.kill(witness.process_id, signal.SIGSTOP)
            time.sleep(4 * LONGEST_S)
            os.kill(witness.process_id, signal.SIGCONT)
            time.sleep(0.2)
        self.assertGreater(witness.longest, 2 * LONGEST_S)
        self.assertTrue(witness.saw_a_stall())

    def test_the_tool_says_what_it_saw(self) -> None:
        said = subprocess.run([sys.executable, str(harness.ROOT / "tests/integration/witness.py"),
                               "0.3"], capture_output=True, text=True, timeout=60, check=True)
        self.assertRegex(said.stdout, r"the machine stood still for \d+ ms of \d+\.\d s, \d+ ms")


if __name__ == "__main__":
    unittest.main()
