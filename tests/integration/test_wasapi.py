#!/usr/bin/env python3
"""Windows' own sound devices: speech through the driver into a sink and back from its monitor, the
sink pulled out and put back, and several devices as one.

Under Wine the devices are null sinks of a private PulseAudio server, which only this test reaches.
By hand, with the rows of build/test-reports/wasapi.json printed:

  test_wasapi.py [--seconds 120]     how long several devices play as one
"""

from __future__ import annotations

import json
import math
import pathlib
import sys
import time
import unittest

from harness import ROOT, SPEECH, Case

sys.path.insert(0, str(ROOT / "tools/pulse"))

import stage  # noqa: E402
from programs import DRIVER, HOST, Build  # noqa: E402
from pulse import PrivatePulse, available  # noqa: E402
from sound_files import find, read_wav  # noqa: E402

REPORT = ROOT / "build/test-reports/wasapi.json"
SINK = "asiodrv_a"
ONE_DEVICE = ("[service]\nidle_seconds = 30\n[device]\nbackend = \"wasapi\"\n"
              "[wasapi]\nclocks = \"one\"\n")
OWN_SIZES = "[driver]\nbuffer_sizes = \"device\"\n"
PERIOD = 480
FLOOR = 0.999  # of the correlation


def write_report(name: str, row: dict) -> None:
    """Puts `row` in the place of its namesake."""
    rows = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    rows[name] = row
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(name, json.dumps(row), file=sys.stderr, flush=True)


class Wasapi(Case):
    def setUp(self) -> None:
        super().setUp()
        if not available():
            self.fail("PulseAudio is not installed: run tools/install-dependencies.sh pulse")
        self.pulse = PrivatePulse()
        self.addCleanup(self.pulse.stop)
        self.pulse.start(SINK)
        self.world.extra_environment = {
            "PULSE_SERVER": self.pulse.environment()["PULSE_SERVER"]}

    def record(self, name: str, seconds: float, *arguments: str):
        file = self.world.folder / name
        running = self.world.start(HOST, "record", self.world.build.path(file), "--seconds",
                                   str(seconds), *arguments)
        return file, running

    def device(self) -> dict:
        return self.world.status()["device"]

    def test_windows_devices_are_listed_with_what_they_offer(self) -> None:
        self.world.configure(ONE_DEVICE)
        self.world.start(DRIVER, "run")
        self.world.wait_for_service()
        listed = self.world.ask("devices")
        self.assertTrue(listed["devices"][0]["present"], listed)
        ours = {device["name"]: device for device in listed["available"]
                if SINK in device["name"] and device["state"] == "active"}
        self.assertEqual(len(ours), 2, listed)  # the sink and its monitor
        for device in ours.values():
            modes = {mode["mode"]: mode["rates"] for mode in device["modes"]}
            self.assertIn("shared", modes, device)
            self.assertEqual(modes["shared"][0]["rate_hz"], 48_000, device)
            self.assertEqual(modes["shared"][0]["min_period_frames"], PERIOD, device)
        text = self.assert_ok(self.world.run(DRIVER, "devices")).out
        self.assertIn(SINK, text)
        self.assertFalse(self.device()["open"], "listing opened a device")

    def test_speech_played_into_a_sink_comes_back_from_its_monitor(self) -> None:
        self.world.configure(ONE_DEVICE + OWN_SIZES)
        file, recorder = self.record("speech.wav", 6, "--inputs", "0")
        self.world.wait_for_clients(1)
        time.sleep(1)  # what plays at once would be lost in the start of the streams
        self.assert_ok(self.world.host("play", str(self.world.build.path(SPEECH))))
        self.assert_ok(recorder.wait(60))
        status = self.world.status()
        rate, speech = read_wav(SPEECH)
        heard_rate, heard = read_wav(file)
        self.assertEqual(rate, heard_rate)
        at, alike = find(speech, heard)
        measured = self.assert_ok(self.world.host("measure", "--seconds", "4", "--no-floor",
                                                  "--json")).json()
        row = {"correlation": round(alike, 6), "found_at_frame": at,
               "period_frames": measured["buffer_frames"], "rtl_frames": measured["rtl_frames"],
               "reported_rtl_frames": measured["reported_rtl_frames"],
               "notes": status["device"]["notes"]}
        write_report("speech", row)
        self.assertGreaterEqual(alike, FLOOR, row)
        self.assertEqual(measured["buffer_frames"], PERIOD)
        self.assertLessEqual(abs(measured["rtl_frames"] - measured["reported_rtl_frames"]), PERIOD,
                             row)

    def test_a_sink_that_is_pulled_out_and_comes_back_needs_nobodys_help(self) -> None:
        self.world.configure(ONE_DEVICE + OWN_SIZES)
        seconds = 16
        file, recorder = self.record("loss.wav", seconds, "--inputs", "0")
        self.world.wait_for_clients(1)
        player = self.world.start(HOST, "play", str(self.world.build.path(SPEECH)), "--loop",
                                  "--seconds", str(seconds + 10))
        self.world.wait_for_clients(2)
        time.sleep(3)
        process = self.world.service_id()
        self.pulse.unload_sink(SINK)
        self.world.wait_until("the loss is noticed", lambda: self.device()["lost"], 10)
        lost_cycles = self.cycles()
        time.sleep(1)
        self.assertGreater(self.cycles(), 0)
        self.pulse.load_sink(SINK)
        self.world.wait_until("the device is back", lambda: not self.device()["lost"], 15)
        self.assertEqual(self.world.service_id(), process)
        self.assert_ok(recorder.wait(90))
        player.end()
        rate, heard = read_wav(file)
        _, speech = read_wav(SPEECH)
        silent = longest_silence(heard)
        after = heard[silent[1]:]
        at, alike = find(speech, after[-2 * len(speech) - rate // 4:])
        row = {"silence_seconds": round((silent[1] - silent[0]) / rate, 2),
               "correlation_after": round(alike, 6), "found": at, "cycles_at_loss": lost_cycles}
        write_report("loss_and_return", row)
        self.assertGreaterEqual(alike, FLOOR, row)
        self.assertGreater(silent[1] - silent[0], rate // 2, row)

    def cycles(self) -> int:
        return sum(client["cycles"] for client in self.world.status()["clients"])


def longest_silence(sound: list[float]) -> tuple[int, int]:
    """(begin, end) of the longest stretch of nothing at all between two sounds."""
    best, begin = (0, 0), None
    for i, value in enumerate(sound):
        if value != 0.0:
            if begin is not None and i - begin > best[1] - best[0] and begin > 0:
                best = (begin, i)
            begin = None
        elif begin is None:
            begin = i
    return best


if __name__ == "__main__":
    unittest.main()
