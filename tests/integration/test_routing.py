"""Routes and virtual cables through the real command line and service, and what a restart keeps."""

from __future__ import annotations

import unittest

from harness import Case
from programs import DRIVER


class Routing(Case):
    def start_service(self) -> None:
        self.world.start(DRIVER, "run")
        self.world.wait_for_service()

    def driver(self, *arguments: str, code: int = 0) -> str:
        finished = self.world.run(DRIVER, *arguments, seconds=20)
        self.assertEqual(finished.code, code, str(finished))
        return finished.out + finished.err

    def test_cables_routes_and_snapshots_survive_a_restart(self) -> None:
        self.start_service()
        self.driver("virtual", "add", "Talk", "--channels", "2")
        self.driver("route", "add", "in:1-2", "Talk:1-2", "--gain", "-6", "--mute")
        self.driver("route", "save", "Show")
        self.assertIn("no in:99", self.driver("route", "add", "in:99", "out:1", code=1))
        self.assertIn("Talk:1 -> Talk:2", self.driver("route", "add", "Talk:1", "Talk:2", code=1))
        self.driver("stop")
        self.world.wait_for_no_service()
        self.start_service()
        routes = self.world.ask("route")["routes"]
        self.assertEqual([(route["from"], route["to"], route["gain_db"], route["state"])
                          for route in routes],
                         [("in:1", "Talk:1", -6, "muted"), ("in:2", "Talk:2", -6, "muted")])
        self.assertEqual([cable["name"] for cable in self.world.ask("virtual")["cables"]], ["Talk"])
        self.driver("route", "clear")
        self.driver("route", "recall", "Show")
        self.assertEqual(self.world.ask("route")["routes"], routes)

    def test_clients_and_meters_show_a_program_that_plays(self) -> None:
        self.world.start("asio-host", "measure", "--seconds", "10", "--frames", "256", "--json")
        self.world.wait_for_clients(1)
        client = self.world.ask("clients")["clients"][0]
        self.assertIn("asio-host", client["program"])
        self.assertEqual(client["buffer_frames"], 256)
        self.assertGreaterEqual(client["output_latency_frames"], 256)
        heard = self.world.wait_until("a meter moves", lambda: [
            meter["port"] for meter in self.world.ask("meters")["meters"]
            if meter["peak_db"] is not None])
        self.assertTrue(any("asio-host" in port for port in heard), heard)


if __name__ == "__main__":
    unittest.main()
