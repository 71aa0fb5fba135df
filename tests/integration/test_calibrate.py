"""A cable with a hidden delay: measured, corrected and told, for one size and not for another."""

from __future__ import annotations

import unittest

from harness import Case
from programs import DRIVER, Finished

HIDDEN = 203
FRAMES = 256  # large enough for a busy machine
CABLE = ("--output", "out:1", "--input", "in:1")


class Calibrate(Case):
    def service(self, wires: str = "straight", hidden: int = HIDDEN) -> None:
        self.world.configure(f"[simulated]\nwires = \"{wires}\"\n"
                             f"hidden_latency_frames = {hidden}\n")
        self.world.start(DRIVER, "run")
        self.world.wait_for_service()

    def calibrate(self, *arguments: str) -> Finished:
        return self.world.run(DRIVER, "calibrate", *arguments, "--json", seconds=90)

    def host_sees(self, frames: int) -> tuple[int, int]:
        """Measured and reported round trip of a real host with the real driver."""
        report = self.assert_ok(self.world.host("measure", "--frames", str(frames), "--seconds",
                                                "2", "--json")).json()
        return (report["rtl_frames"],
                report["reported_input_frames"] + report["reported_output_frames"])

    def test_a_hidden_delay_is_measured_corrected_and_forgotten(self) -> None:
        self.service()
        self.assertEqual(self.host_sees(FRAMES), (2 * FRAMES + HIDDEN, 2 * FRAMES))
        done = self.assert_ok(self.calibrate(*CABLE, "--period", str(FRAMES))).json()
        [result] = done["calibrations"]
        self.assertAlmostEqual(result["measured_frames"], 2 * FRAMES + HIDDEN, delta=0.1)
        self.assertEqual(result["before_frames"], 2 * FRAMES)
        self.assertEqual(result["after_frames"], 2 * FRAMES + HIDDEN)
        self.assertEqual(self.host_sees(FRAMES), (2 * FRAMES + HIDDEN, 2 * FRAMES + HIDDEN))
        self.assertEqual(self.host_sees(2 * FRAMES), (4 * FRAMES + HIDDEN, 4 * FRAMES))
        listed = self.world.ask("calibrate", "--list")["corrections"]
        self.assertEqual([(each["rate_hz"], each["period_frames"]) for each in listed],
                         [(48_000, FRAMES)])
        self.assert_ok(self.world.run(DRIVER, "stop", seconds=20))
        self.world.wait_for_no_service()
        self.service()  # another one, which reads what was kept
        self.assertEqual(self.host_sees(FRAMES)[1], 2 * FRAMES + HIDDEN)
        self.assertEqual(self.assert_ok(self.calibrate("--forget")).json()["forgotten"], 1)
        self.assertEqual(self.host_sees(FRAMES)[1], 2 * FRAMES)

    def test_no_cable_and_a_wrong_channel_are_said_in_a_sentence(self) -> None:
        self.service()
        wrong = self.calibrate("--output", "out:1", "--input", "in:2", "--period", str(FRAMES))
        self.assertEqual(wrong.code, 1, str(wrong))
        self.assertIn("Nothing of what out:1 plays comes back at in:2", wrong.err)
        none = self.calibrate("--output", "out:9", "--input", "in:1")
        self.assertEqual(none.code, 1, str(none))
        self.assertIn("choose out:1 to out:8", none.err)
        self.assertEqual(self.calibrate("--input", "in:1").code, 2)
        self.assertEqual(self.world.ask("calibrate", "--list")["corrections"], [])

    def test_a_delay_that_no_cable_has_is_refused(self) -> None:
        self.service(hidden=40_000)
        late = self.calibrate(*CABLE, "--period", str(FRAMES))
        self.assertEqual(late.code, 1, str(late))
        self.assertIn("a cable takes less than", late.err)

    def test_a_program_that_plays_hears_of_it_and_keeps_its_size(self) -> None:
        self.service()
        host = self.world.start("asio-host", "measure", "--frames", str(FRAMES), "--seconds", "12",
                                "--inputs", "2,3", "--outputs", "2,3", "--json")
        self.world.wait_for_clients(1)
        other = self.calibrate(*CABLE, "--period", str(2 * FRAMES))
        self.assertEqual(other.code, 1, str(other))
        self.assertIn("Close them", other.err)
        self.assert_ok(self.calibrate(*CABLE))
        report = self.assert_ok(host.wait(60)).json()
        self.assertEqual(report["latency_changes"], 1, report)
        self.assertEqual(report["reported_input_frames"] + report["reported_output_frames"],
                         2 * FRAMES + HIDDEN)

    def test_all_sizes_are_measured_in_turn(self) -> None:
        self.world.configure("[driver]\nmin_frames = 128\nmax_frames = 512\n"
                             "preferred_frames = 256\n[simulated]\n"
                             f"hidden_latency_frames = {HIDDEN}\n")
        self.world.start(DRIVER, "run")
        self.world.wait_for_service()
        done = self.assert_ok(self.calibrate(*CABLE, "--all-sizes", "--rate", "44100")).json()
        self.assertEqual([(each["rate_hz"], each["period_frames"], each["after_frames"])
                          for each in done["calibrations"]],
                         [(44_100, size, 2 * size + HIDDEN) for size in (128, 256, 512)])


if __name__ == "__main__":
    unittest.main()
