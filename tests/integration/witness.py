"""Says whether the machine stood still while something was tested.

A virtual machine may be stopped by its host for as long as that likes, and a test of sound then
fails for no fault of ours. The witness is a process that does nothing but sleep two milliseconds at
a time, above every other process: what it oversleeps nobody on this machine took. Where it may not
be above them it sees nothing, for what our own programs take is no stall.

  python3 tests/integration/witness.py [SECONDS]    what it sees now
"""

from __future__ import annotations

import subprocess
import sys
import time

TURN_S = 0.002
#: So much later than asked a sleep ends on any machine that has other work.
USUAL_S = 0.003
#: Of the time that was watched. Sound breaks from a stall of its own length on.
MOST_SHARE = 0.02
#: In one second, at once or in parts: many a test judges no more than a second or two of a minute,
#: and an engine's patience is 20 ms.
MOST_IN_A_SECOND_S = 0.05

_PROGRAM = """
import os, sys, time
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))
    above = True
except OSError:
    above = False
usual, turn = float(sys.argv[1]), float(sys.argv[2])
began, lost, longest, worst = time.monotonic(), 0.0, 0.0, 0.0
second, lost_before = began, 0.0
print("watching", flush=True)
os.set_blocking(0, False)
while sys.stdin.buffer.read(1) is None:
    before = time.monotonic()
    time.sleep(turn)
    late = time.monotonic() - before - turn
    if above and late > usual:
        lost, longest = lost + late, max(longest, late)
        worst = max(worst, lost - lost_before)
    if before > second + 1:
        second, lost_before = before, lost
print(time.monotonic() - began, lost, longest, worst)
"""


class Witness:
    """Watches from `with` to its end; then its figures are known, in seconds."""

    watched = lost = longest = worst_second = 0.0

    def __enter__(self) -> Witness:
        self._process = subprocess.Popen(
            (sys.executable, "-c", _PROGRAM, str(USUAL_S), str(TURN_S)), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self._process.stdout.readline()
        return self

    @property
    def process_id(self) -> int:
        return self._process.pid

    def __exit__(self, *_: object) -> None:
        try:
            said, _unused = self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            said, _unused = self._process.communicate()
        figures = [float(word) for word in said.split()]
        if len(figures) == 4:
            self.watched, self.lost, self.longest, self.worst_second = figures

    def saw_a_stall(self) -> bool:
        return (self.worst_second > MOST_IN_A_SECOND_S
                or self.lost > MOST_SHARE * self.watched)

    def __str__(self) -> str:
        return (f"the machine stood still for {self.lost * 1000:.0f} ms of {self.watched:.1f} s, "
                f"{self.longest * 1000:.0f} ms at a time and "
                f"{self.worst_second * 1000:.0f} ms in one second")


def wait_for_calm(seconds: float) -> None:
    """Waits until the machine runs for a second, `seconds` at most."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        with Witness() as witness:
            time.sleep(1)
        if not witness.saw_a_stall():
            break


if __name__ == "__main__":
    with Witness() as witness:
        time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 10)
    print(witness, "- a stall" if witness.saw_a_stall() else "- none")
