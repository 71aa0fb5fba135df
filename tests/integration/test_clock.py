"""A foreign clock: a program that plays goes along with its rate, and hears of its loss."""

from __future__ import annotations

import unittest

from harness import Case
from programs import DRIVER

SECONDS = 10


class Clock(Case):
    def device(self) -> dict:
        return self.world.status()["device"]

    def feed(self, hz: int) -> None:
        self.assert_ok(self.world.run(DRIVER, "devices", "--external-clock", str(hz)))

    def test_a_playing_program_follows_a_foreign_clock(self) -> None:
        self.world.configure("[simulated]\nexternal_clock = 48000\n")
        host = self.world.start("asio-host", "measure", "--frames", "256", "--seconds",
                                str(SECONDS), "--json")
        self.world.wait_for_clients(1)
        unknown = self.world.run(DRIVER, "devices", "--clock", "Sun")
        self.assertIn('"Internal", "External"', unknown.err + unknown.out)
        self.assertNotEqual(unknown.code, 0)
        self.assert_ok(self.world.run(DRIVER, "devices", "--clock", "External"))
        self.feed(44_100)
        self.assertEqual(self.device()["rate_hz"], 44_100)
        self.assertTrue(self.device()["running"])
        self.feed(0)
        self.assertTrue(self.device()["clock_lost"])
        self.feed(44_100)
        self.assertFalse(self.device()["clock_lost"])
        result = self.assert_ok(host.wait(SECONDS + 30)).json()
        self.assertEqual(result["rate_changes"], 3, result)  # 44100, none, 44100 again
        self.assertGreater(result["callbacks"], SECONDS * 44_100 // 256 * 3 // 4)


if __name__ == "__main__":
    unittest.main()
