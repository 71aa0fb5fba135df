"""The service's life: started by whoever needs it, alone, gone when idle, talkative when asked."""

from __future__ import annotations

import subprocess
import unittest

from harness import Case
from programs import DRIVER, EXIT_NOT_RUNNING


class Life(Case):
    def test_a_host_starts_the_service_and_it_leaves_when_idle(self) -> None:
        self.assertIsNone(self.world.status())
        self.assert_ok(self.world.host("measure", "--seconds", "1", "--json"))
        status = self.world.status()
        self.assertIsNotNone(status, "the service was gone at once")
        self.assertEqual([client for client in status["clients"] if client["running"]], [])
        self.world.wait_for_idle_exit()

    def test_probing_leaves_nothing_running(self) -> None:
        report = self.assert_ok(self.world.host("probe", "--json")).json()
        self.assertTrue(report["ok"], report)
        self.world.wait_for_idle_exit()

    def test_the_device_is_closed_while_nobody_streams(self) -> None:
        self.world.start(DRIVER, "run")  # by hand: it stays, and can be asked
        self.world.wait_for_service()
        host = self.world.start("asio-host", "measure", "--seconds", "6", "--json")
        self.world.wait_for_clients(1)
        self.assertTrue(self.world.status()["device"]["open"])
        self.assert_ok(host.wait(60))
        self.world.wait_until("the device is closed",
                              lambda: not self.world.status()["device"]["open"])

    def test_a_second_service_is_refused_and_the_first_stays(self) -> None:
        self.world.start(DRIVER, "run")
        first = self.world.wait_for_service()["service"]["process_id"]
        second = self.world.run(DRIVER, "run", seconds=20)
        self.assertEqual(second.code, 1, str(second))
        self.assertEqual(self.world.service_id(), first)

    def test_what_a_killed_service_leaves_behind_stops_nobody(self) -> None:
        self.world.start(DRIVER, "run")
        first = self.world.wait_for_service()["service"]["process_id"]
        self.world.kill(first)
        self.world.wait_for_no_service()
        self.assert_ok(self.world.host("measure", "--seconds", "1", "--json"))
        self.assertNotEqual(self.world.service_id(), first)

    def test_stop_ends_it_and_says_so_when_there_is_none(self) -> None:
        self.world.start(DRIVER, "run")
        self.world.wait_for_service()
        self.assert_ok(self.world.run(DRIVER, "stop", seconds=20))
        self.world.wait_for_no_service()
        self.assertEqual(self.world.run(DRIVER, "stop", seconds=20).code, EXIT_NOT_RUNNING)


class Answers(Case):
    def test_status_has_the_documented_shape(self) -> None:
        self.world.start("asio-host", "measure", "--seconds", "8", "--frames", "128", "--json")
        client = self.world.wait_for_clients(1)[0]
        status = self.world.status()
        self.assertEqual(set(status), {"service", "device", "clients"})
        self.assertLessEqual({"version", "process_id", "uptime_seconds", "realtime"},
                             set(status["service"]))
        self.assertLessEqual({"name", "rate_hz", "period_frames", "open", "running"},
                             set(status["device"]))
        self.assertTrue(status["device"]["running"])
        self.assertEqual(status["device"]["period_frames"], 128)
        self.assertLessEqual({"id", "program", "process_id", "buffer_frames", "sample_type",
                              "running", "start_period", "cycles", "late", "away"}, set(client))
        self.assertIn("asio-host", client["program"])
        self.assertEqual(client["buffer_frames"], 128)

    def test_flight_has_the_documented_shape(self) -> None:
        report = self.assert_ok(
            self.world.host("measure", "--seconds", "1", "--frames", "64", "--json")).json()
        flight = self.world.ask("flight", "--records", "10")
        self.assertLessEqual({"sessions", "xruns", "events_written", "records"}, set(flight))
        sessions = [session for session in flight["sessions"]
                    if session["process_id"] == report["process_id"]]
        self.assertGreaterEqual(len(sessions), 1, flight["sessions"])
        self.assertLessEqual({"id", "program", "process_id", "buffer_frames", "start_period",
                              "ended"}, set(sessions[-1]))
        self.assertTrue(sessions[-1]["ended"])
        self.assertEqual(sessions[-1]["buffer_frames"], 64)
        self.assertGreater(len(flight["records"]), 0)
        self.assertLessEqual(len(flight["records"]), 10)
        for event in flight["xruns"]:
            self.assertLessEqual({"first_period", "periods", "causes", "client", "duration_us"},
                                 set(event))

    def test_commands_without_a_service_say_so(self) -> None:
        for command in ("status", "flight"):
            finished = self.world.run(DRIVER, command, seconds=20)
            self.assertEqual(finished.code, EXIT_NOT_RUNNING, str(finished))
            self.assertNotEqual((finished.out + finished.err).strip(), "", "no word to the user")

    def test_output_that_a_full_disk_refuses_is_a_failure(self) -> None:
        with open("/dev/full", "wb") as full:
            finished = subprocess.run(self.world.build.command(DRIVER, "--version"), stdout=full,
                                      stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                      env=self.world.environment(), check=False, timeout=20)
        self.assertEqual(finished.returncode, 1, finished.stderr)
        self.assertIn("output", finished.stderr)

    def test_wrong_usage_is_code_2(self) -> None:
        for arguments in (("nonsense",), ("status", "--nonsense"), ()):
            finished = self.world.run(DRIVER, *arguments, seconds=20)
            self.assertEqual(finished.code, 2, str(finished))

    def test_a_wrong_configuration_is_refused_with_file_line_and_key(self) -> None:
        self.world.configure("[service]\nidle_seconds = 3\n[driver]\nsample_type = \"float64\"\n")
        finished = self.world.run(DRIVER, "run", seconds=20)
        self.assertEqual(finished.code, 1, str(finished))
        said = finished.out + finished.err
        for part in ("config.toml:4", "sample_type", "float32"):
            self.assertIn(part, said)


if __name__ == "__main__":
    unittest.main()
