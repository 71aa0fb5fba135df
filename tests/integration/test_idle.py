"""What the service costs while nobody needs it: no processor, little memory, no device.

Under Wine the process is found as Linux sees it, and what Wine itself adds is part of the figures.
build/test-reports/idle.json has what was measured. ASIODRV_IDLE_SECONDS says over how long; what
happens once a minute is seen by

    ASIODRV_IDLE_SECONDS=65 ASIODRV_TEST_TREES=debug tools/test.sh -R an_idle_service
"""

from __future__ import annotations

import os
import pathlib
import time
import unittest

from harness import BUILD, ROOT, Case, write_report
from programs import DRIVER, processor_ns

REPORT = ROOT / "build/test-reports/idle.json"
WINDOW = float(os.environ.get("ASIODRV_IDLE_SECONDS", "6"))
MOST_PROCESSOR = 0.0005  # of one processor: less than 0.05 % is 0.0 %
MOST_MEMORY = 60_000_000


def resident_bytes(process: int) -> int:
    for line in pathlib.Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1000
    raise AssertionError("the system does not say how much memory the process has")


class Idle(Case):
    def find_process(self) -> int:
        """The service as Linux numbers it."""
        if not BUILD.windows:
            return self.world.wait_for_service()["service"]["process_id"]
        self.world.wait_for_service()
        mine = f"ASIODRV_INSTANCE={self.world.instance}".encode()
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
                environment = (folder / "environ").read_bytes().split(b"\0")
            except (OSError, ProcessLookupError):
                continue
            # Not the shell or the scheduler's tool that lead to it: the program itself.
            if (b"asio-driver.exe\0run" in command and mine in environment
                    and b"wine\0" not in command and b"run.sh" not in command):
                found.append(int(folder.name))
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_an_idle_service_takes_no_processor_little_memory_and_no_device(self) -> None:
        self.world.start(DRIVER, "run")
        process = self.find_process()
        self.assert_ok(self.world.host("measure", "--seconds", "1", "--json"))
        self.world.wait_until("the device is closed",
                              lambda: not self.world.status()["device"]["open"])
        self.assertGreater(processor_ns(process), 0, "a service that has played must have run")
        time.sleep(3)  # what it still has to put away
        before = processor_ns(process)
        time.sleep(WINDOW)
        share = (processor_ns(process) - before) / 1e9 / WINDOW
        memory = resident_bytes(process)
        row = {"window_seconds": WINDOW, "processor_percent": round(100 * share, 4),
               "memory_megabytes": round(memory / 1e6, 1)}
        write_report(REPORT, "windows" if BUILD.windows else "native", row)
        self.assertLess(share, MOST_PROCESSOR, row)
        self.assertLess(memory, MOST_MEMORY, row)
        self.assertFalse(self.world.status()["device"]["open"])


if __name__ == "__main__":
    unittest.main()
