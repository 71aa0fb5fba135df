"""The driver DLL in a host that loads and unloads it again and again, as plug-in scanners do."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ASIODRV_BUILD_ROOT", ROOT / "build"))
WINE = ROOT / "tools/wine/run.sh"
TURNS = 2000
LEAKS = 300  # a process has some 1000 indices, and the DLL itself needs one
#: of which the system's own threads may take some while the program runs
STRAY_HANDLES = 20


def windows_path(path: pathlib.Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


def reload_counts(turns: int, *arguments: str) -> dict[str, int]:
    dll = windows_path(BUILD / "stage/windows-x64/asio-driver.dll")
    finished = subprocess.run(
        [str(WINE), windows_path(BUILD / "windows-x64/bin/dll_reload.exe"), dll, str(turns),
         *arguments], capture_output=True, text=True, check=False, timeout=110,
        stdin=subprocess.DEVNULL)
    found = re.search(r"still_loaded (\d+) handles (\d+) (\d+) tls (\d+) (\d+)", finished.stdout)
    if finished.returncode != 0 or found is None:
        raise AssertionError(f"exit code {finished.returncode}: {finished.stdout}{finished.stderr}")
    still, handles, handles_after, tls, tls_after = (int(number) for number in found.groups())
    return {"still_loaded": still, "handles": handles_after - handles, "tls": tls_after - tls}


class Reload(unittest.TestCase):
    def test_two_thousand_loads_leave_no_handle_and_no_tls_index(self) -> None:
        counts = reload_counts(TURNS)
        self.assertEqual(counts["still_loaded"], 0, counts)
        self.assertLess(counts["handles"], STRAY_HANDLES, counts)
        self.assertEqual(counts["tls"], 0, counts)

    def test_a_leak_would_be_seen(self) -> None:
        counts = reload_counts(LEAKS, "--leak")
        self.assertGreaterEqual(counts["handles"], LEAKS, counts)
        self.assertGreater(counts["tls"], STRAY_HANDLES, counts)


if __name__ == "__main__":
    unittest.main()
