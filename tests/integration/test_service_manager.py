"""The service under Wine's own service manager: registered, started by it and by the driver,
stopped under a host that plays, switched off, removed.

Wine has no services per user, so an ordinary one is registered, which the command must say. What it
has of the rest (accounts, recovery, access lists) is said in docs/service.md.
build/test-reports/service-manager.json has what was measured.
"""

from __future__ import annotations

import time
import unittest
from typing import Any

from harness import ROOT, Case, write_report
from programs import DRIVER, EXIT_NOT_RUNNING, HOST, Finished
from test_sound import longest_whole_stretch

import stage

REPORT = ROOT / "build/test-reports/service-manager.json"
SERVICES = "HKLM\\SYSTEM\\CurrentControlSet\\Services"
FRAMES = 256
STOP_LIMIT = 2.0  # s, with a host that plays


def keys_under(key: str) -> set[str]:
    """The names of all keys below `key`, in the 64-bit view."""
    found = stage.wine("reg", "query", key, "/s", "/reg:64").stdout.splitlines()
    return {line.strip().lower() for line in found if line.startswith("HKEY_")}


class ServiceManager(Case):
    def setUp(self) -> None:
        super().setUp()
        # The registered service serves the default instance, as every user's does.
        self.world.instance = ""
        self.addCleanup(self.service, "remove")

    def service(self, *arguments: str, seconds: float = 60) -> Finished:
        return self.world.run(DRIVER, "service", *arguments, seconds=seconds)

    def registered(self) -> Any:
        return self.assert_ok(self.service("status", "--json")).json()

    def only(self) -> Any:
        """The one service that is registered."""
        services = self.registered()["services"]
        self.assertEqual(len(services), 1, services)
        return services[0]

    def timed(self, *arguments: str) -> float:
        before = time.monotonic()
        self.assert_ok(self.service(*arguments))
        return time.monotonic() - before

    def test_a_host_plays_through_the_service_and_survives_its_stop_and_start(self) -> None:
        installed = self.assert_ok(self.service("install"))
        self.assertIn("registered", installed.out)
        self.assertIn("ordinary service", installed.out)
        self.assertIn("87", installed.out)
        status = self.registered()
        self.assertEqual((status["installed"], status["start"], status["per_user"]),
                         (True, "demand", False))
        self.assertTrue(status["command"].startswith('"'), status["command"])
        self.assertTrue(status["command"].endswith('\\asio-driver.exe" run --service'), status)
        self.assert_ok(self.service("start"))
        first = self.only()
        self.assertEqual(first["state"], "running")
        self.assertEqual(self.world.wait_for_service()["service"]["process_id"],
                         first["process_id"])

        seconds = 13
        host = self.world.start(HOST, "measure", "--frames", str(FRAMES), "--seconds",
                                str(seconds), "--json")
        self.world.wait_for_clients(1)
        status_took = self.timed("status")  # what any command costs here, before it does a thing
        stop_took = self.timed("stop")  # until the process has gone
        self.assertLess(stop_took - status_took, STOP_LIMIT * self.world.build.slow)
        time.sleep(1.5)  # the host looks for its service, and must not undo what was asked
        self.assertEqual(self.only()["state"], "stopped")
        self.assertIsNone(self.world.status())
        self.assert_ok(self.service("start"))
        second = self.only()
        self.assertNotEqual(second["process_id"], first["process_id"])
        self.world.wait_for_clients(1)
        report = host.wait(seconds + 45).json()
        self.assertFalse(report["stalled"], report)
        nominal = seconds * 48_000 / FRAMES
        self.assertGreater(report["callbacks"], 0.8 * nominal, report)
        self.assertNotEqual(report["mismatches"], [], "the stop was not heard")
        whole = longest_whole_stretch(report, (seconds - 5) * 48_000)
        self.assertGreater(whole, 12_000, report)
        write_report(REPORT, "stop while streaming", {
            "stop_command_seconds": round(stop_took, 2),
            "status_command_seconds": round(status_took, 2),
            "callbacks": report["callbacks"], "nominal_callbacks": round(nominal),
            "whole_frames_in_the_last_5_s": whole})

    def test_the_driver_starts_it_on_demand_and_says_when_it_is_off(self) -> None:
        self.assert_ok(self.service("install"))
        self.assertEqual(self.only()["state"], "stopped")
        self.assert_ok(self.world.host("measure", "--seconds", "1", "--json"))
        running = self.only()
        self.assertEqual(running["state"], "running", "the driver started an agent instead")
        self.assertEqual(self.world.service_id(), running["process_id"])

        self.assert_ok(self.service("restart"))
        restarted = self.only()
        self.assertEqual(restarted["state"], "running")
        self.assertNotEqual(restarted["process_id"], running["process_id"])

        off = self.assert_ok(self.service("set-start", "off"))
        self.assertIn("switched off", off.out)
        self.assertEqual(self.only()["state"], "stopped")
        self.assertEqual(self.registered()["start"], "off")
        refused = self.world.host("measure", "--seconds", "1", "--json")
        self.assertNotEqual(refused.code, 0, str(refused))
        self.assertIn("switched off", refused.out + refused.err)
        self.assertEqual(self.world.run(DRIVER, "status", seconds=20).code, EXIT_NOT_RUNNING)
        self.assertEqual(self.service("start").code, 1)

        self.assert_ok(self.service("set-start", "demand"))
        self.assert_ok(self.world.host("measure", "--seconds", "1", "--json"))
        self.assertEqual(self.only()["state"], "running")

    def test_removal_leaves_no_key_and_installing_twice_is_once(self) -> None:
        self.service("remove")
        before = keys_under(SERVICES)
        self.assertNotEqual(before, set(), "the registry was not read")
        self.assert_ok(self.service("install", "--start", "logon"))
        again = self.assert_ok(self.service("install", "--start", "demand"))
        self.assertIn("already", again.out)
        self.assertEqual(self.registered()["start"], "demand")
        made = keys_under(SERVICES) - before
        name = f"{SERVICES}\\asio-driver".replace("HKLM", "HKEY_LOCAL_MACHINE").lower()
        self.assertIn(name, made)
        self.assertTrue(any(key.endswith("\\application\\asio-driver") for key in made), made)
        self.assert_ok(self.service("start"))
        self.assert_ok(self.service("remove"))
        self.assertEqual(keys_under(SERVICES), before)
        self.assertFalse(self.registered()["installed"])
        self.assert_ok(self.service("remove"))  # what is not there is removed

    def test_an_agent_and_the_service_never_serve_at_once(self) -> None:
        self.assert_ok(self.service("install"))
        self.world.start(DRIVER, "run", "--agent", "--idle-seconds", "3600")
        agent = self.world.wait_for_service()["service"]["process_id"]
        self.assert_ok(self.service("start"))
        waiting = self.only()
        self.assertEqual(waiting["state"], "running")
        self.assertNotEqual(waiting["process_id"], agent)
        self.assertEqual(self.world.service_id(), agent)
        self.assert_ok(self.world.run(DRIVER, "stop", seconds=20))
        self.world.wait_until("the service has taken over", lambda: self.world.service_id()
                              == waiting["process_id"])
        self.assert_ok(self.service("stop"))
        self.assertIsNone(self.world.status())

    def test_started_by_hand_it_is_a_plain_run(self) -> None:
        self.world.start(DRIVER, "run", "--service")
        self.world.wait_for_service()
        self.assert_ok(self.world.run(DRIVER, "stop", seconds=20))
        self.world.wait_for_no_service()


if __name__ == "__main__":
    unittest.main()
