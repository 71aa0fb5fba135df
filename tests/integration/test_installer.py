"""The real setup programs on a machine of their own: installed, upgraded under a program that
plays, rolled back, repaired, beside another vendor's, removed; and failing at every step on
purpose.

The report is build/test-reports/installer.json. Under Wine. What only real Windows shows is listed
in docs/installation.md.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import unittest
from typing import Any

import installation
from harness import ROOT
from installation import OURS, VENDOR, Machine, Product
from programs import HOST, Build, World

import files
import network
import signing

REPORT = ROOT / "build/test-reports/installer.json"
#: The files of an installation; some vendors' have vendor.toml besides.
INSTALLED = (*files.WINDOWS, "SHA256SUMS", "bom.cdx.json", "notices.txt", "uninstall.exe")
RATE = 48_000
FRAMES = 256
CONFIG = "[service]\nidle_seconds = 30\n[device]\nbackend = \"simulated\"\n"
FOREIGN = r"HKLM\Software\ASIO\Foreign", r"HKLM\Software\Wow6432Node\ASIO\Foreign"
#: In an upgrade: one before anything moves, one for each file, three while it is announced.
FAULT_POINTS = 1 + 10 + 3
ENVIRONMENT_KEY = r"HKLM\System\CurrentControlSet\Control\Session Manager\Environment"


def longest_damage_seconds(report: dict[str, Any]) -> float:
    """The longest stretch without a whole quarter of a second of right sound."""
    damage = sorted((entry["position"], entry["position"] + entry["frames"])
                    for entry in report["mismatches"] + report["gaps"])
    longest, begin, end = 0, None, 0
    for first, last in damage:
        if begin is None or first - end > RATE // 4:
            begin = first
            end = last
        end = max(end, last)
        longest = max(longest, end - begin)
    return longest / RATE


class Judge(unittest.TestCase):
    def test_the_longest_damage_joins_what_belongs_together(self) -> None:
        def report(*damage: tuple[int, int]) -> dict:
            return {"gaps": [], "mismatches": [{"position": position, "frames": frames}
                                               for position, frames in damage]}
        self.assertEqual(longest_damage_seconds(report()), 0)
        self.assertEqual(longest_damage_seconds(report((0, 48_000))), 1)
        self.assertEqual(longest_damage_seconds(report((0, 100), (47_900, 100))), 100 / RATE)
        self.assertEqual(longest_damage_seconds(report((0, 40_000), (48_000, 48_000))), 2)


class Installer(unittest.TestCase):
    machine: Machine

    @classmethod
    def setUpClass(cls) -> None:
        cls.machine = Machine()
        cls.addClassCleanup(cls.machine.close)

    def setUp(self) -> None:
        self.addCleanup(self.clean_up)
        for key in FOREIGN:
            self.machine.set_value(key, "CLSID", "{11111111-2222-3333-4444-555555555555}")
            self.machine.set_value(key, "Description", "another driver")
        self.report: dict[str, Any] = {}

    def clean_up(self) -> None:
        """A test that failed must not leave its installation to the next one."""
        for product in (OURS, VENDOR):
            if (product.folder / "uninstall.exe").exists():
                self.machine.remove(product.folder)
            shutil.rmtree(product.folder, ignore_errors=True)
            self.machine.run("reg.exe", "delete", product.uninstall_key, "/f")
        for key in FOREIGN:
            self.machine.run("reg.exe", "delete", key, "/f")

    def write_report(self, part: str) -> None:
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        whole = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
        whole[part] = self.report
        REPORT.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")

    def world(self, product: Product) -> World:
        world = World(product.build, product.profile.id)
        world.configure(CONFIG)
        self.addCleanup(self.close_once, world)
        return world

    @staticmethod
    def close_once(world: World) -> None:
        if world.folder.exists():
            world.close()

    def assert_code(self, outcome: installation.Outcome, expected: int, says: str = "") -> None:
        self.assertTrue(outcome.is_code(expected), f"expected {expected}, got {outcome}")
        self.assertIn(says, outcome.said)

    def assert_installed(self, product: Product, wish: installation.setup.Wish) -> None:
        for name in (*files.WINDOWS, "SHA256SUMS", "bom.cdx.json", "notices.txt"):
            self.assertEqual(files.sha256(product.folder / name), files.sha256(wish.stage / name),
                             name)
        inside = {path.name for path in product.folder.iterdir()}
        self.assertEqual(inside & {"incoming", "outgoing", "journal.ini", "setup.lock"}, set())
        profile = product.profile
        expected = {installation.entry(product.uninstall_key, "DisplayVersion", wish.version)}
        for key, place in zip(product.class_keys(), ("", "x86\\")):
            expected.add(installation.entry(
                key, None, rf"C:\Program Files\{profile.id}\{place}asio-driver.dll"))
        for node in ("", r"\Wow6432Node"):
            expected.add(installation.entry(
                rf"HKLM\Software{node}\ASIO\{profile.driver_name}", "CLSID", profile.class_id))
        self.assertEqual(expected - self.machine.entries(product), set())
        if wish.signer is not None:
            signing.verify(product.folder / "uninstall.exe", wish.signer)

    def version(self, world: World) -> str:
        finished = world.run("asio-driver", "--version")
        self.assertEqual(finished.code, 0, str(finished))
        return finished.out.split()[-1]

    def note_service(self, world: World) -> None:
        """Who serves is said aloud: without the service commands it is what hosts start."""
        if world.run("asio-driver", "service", "status").code != 2:
            self.report["service"] = "service commands present"
        else:
            self.report["service"] = "SKIPPED: this version has no service commands"
            print(self.report["service"], flush=True)

    # --- the whole life ---------------------------------------------------------------------------

    def test_the_real_setup_from_installation_to_removal_leaves_nothing(self) -> None:
        base = installation.make_setup("base", OURS, installation.base_version(), None)
        after = installation.make_setup("next", OURS, installation.next_version(), "next")
        vendor = installation.make_setup(
            "vendor", VENDOR, VENDOR.profile.version_or(installation.base_version()), "example")
        service_data = (installation.DRIVE / "windows/ServiceProfiles/LocalService/AppData/Local" /
                        OURS.profile.id)
        service_data.parent.mkdir(parents=True, exist_ok=True)
        before = self.machine.snapshot()

        outcome = self.machine.setup(base.setup)
        self.assert_code(outcome, 0)
        self.report["install_seconds"] = round(outcome.seconds, 1)
        self.assert_installed(OURS, base)
        uninstaller = network.read(OURS.folder / "uninstall.exe")  # setup.make has judged the rest
        self.assertEqual(network.judge_setup("uninstall.exe", uninstaller), [])
        world = self.world(OURS)
        self.assertEqual(self.version(world), base.version)
        self.note_service(world)

        self.upgrade_while_it_plays(world, after)
        self.roll_back_and_repair(world, base, after)
        self.refuse_a_downgrade(world, base, after)
        self.second_vendor(world, vendor)

        world.close()
        for data in (installation.DRIVE / "ProgramData" / OURS.profile.id, service_data):
            (data / "logs").mkdir(parents=True)
            (data / "logs/machine.log").write_text("x")
            (data / "config.toml").write_text("")
        outcome = self.machine.remove(OURS.folder, "/PURGE")
        self.assert_code(outcome, 0)
        self.report["left_behind"] = before.changes_to(self.machine.snapshot())
        self.write_report("life")
        self.assertEqual(self.report["left_behind"], [])

    def registered_process(self, world: World) -> int:
        """Of the service that the service manager runs."""
        answer = world.run("asio-driver", "service", "status", "--json").json()
        (service,) = answer["services"]
        self.assertEqual(service["state"], "running", answer)
        return service["process_id"]

    def upgrade_while_it_plays(self, world: World, after: installation.setup.Wish) -> None:
        named, world.instance = world.instance, ""  # which the registered service serves
        started = world.run("asio-driver", "service", "start")
        self.assertEqual(started.code, 0, str(started))
        seconds = 12
        host = world.start(HOST, "measure", "--frames", str(FRAMES), "--seconds", str(seconds),
                           "--json")
        world.wait_for_clients(1)
        first = world.service_id()
        self.assertEqual(first, self.registered_process(world), "an agent serves it")
        outcome = self.machine.setup(after.setup, environment=world.environment())
        self.assert_code(outcome, 0)
        self.assertNotEqual(self.registered_process(world), first)

        def another() -> Any:
            status = world.status()
            return status if status and status["service"]["process_id"] != first else None
        status = world.wait_until("the new service runs", another)
        report = host.wait(seconds + 60).json()
        damage = longest_damage_seconds(report)
        self.report["upgrade"] = {
            "seconds": round(outcome.seconds, 1), "process_before": first,
            "process_after": status["service"]["process_id"],
            # After a start that takes long an agent may have been faster: the service then waits.
            "registered_process_after": self.registered_process(world),
            "version_after": status["service"]["version"],
            "longest_silence_seconds": round(damage, 3), "callbacks": report["callbacks"]}
        self.assertEqual(status["service"]["version"], after.version)
        self.assertFalse(report["stalled"], report)
        self.assertGreater(damage, 0, "the old service cannot have ended unheard")
        self.assertLess(damage, 3, report)
        self.assertGreater(report["callbacks"], 0.8 * seconds * RATE / FRAMES, report)
        self.assert_installed(OURS, after)
        for command in (("service", "stop"), ("stop",)):  # 3: nobody else serves it
            ended = world.run("asio-driver", *command)
            self.assertIn(ended.code, (0, 3), str(ended))
        world.instance = named

    def roll_back_and_repair(self, world: World, base: installation.setup.Wish,
                             after: installation.setup.Wish) -> None:
        for expected in (base, after, base):  # forth and back as often as one likes
            finished = world.run("asio-driver", "rollback", seconds=120)
            self.assertEqual(finished.code, 0, str(finished))
            self.assertIn(expected.version, finished.out)
            self.assertEqual(self.version(world), expected.version)
            self.assert_installed(OURS, expected)
        (OURS.folder / "asio-host.exe").write_bytes(b"damaged")
        (OURS.folder / "asio-driver.dll").unlink()
        self.machine.run("reg.exe", "delete", OURS.class_keys()[0], "/f")
        self.assert_code(self.machine.setup(base.setup), 0)
        self.assert_installed(OURS, base)
        kept = (OURS.folder / "previous/previous.ini").read_text(encoding="ascii")
        self.assertIn(after.version, kept, "a repair must not cost the way back")

    def refuse_a_downgrade(self, world: World, base: installation.setup.Wish,
                           after: installation.setup.Wish) -> None:
        self.assert_code(self.machine.setup(after.setup), 0)
        self.assert_code(self.machine.setup(base.setup), 1638, "/DOWNGRADE")
        self.assertEqual(self.version(world), after.version)
        self.assert_code(self.machine.setup(base.setup, "/DOWNGRADE"), 0)
        self.assert_installed(OURS, base)

    def second_vendor(self, world: World, vendor: installation.setup.Wish) -> None:
        ours_before = self.machine.near_snapshot()
        self.assert_code(self.machine.setup(vendor.setup), 0)
        self.assert_installed(VENDOR, vendor)
        self.assertTrue((VENDOR.folder / "vendor.toml").exists())
        other = self.world(VENDOR)
        other.instance = world.instance  # the same name, and yet not the same pipe
        places = {file["layer"]: file["path"] for file in
                  other.run("asio-driver", "config", "list", "--json").json()["files"]}
        self.assertIn(rf"\{VENDOR.profile.id}\vendor.toml", places["vendor"])
        names = {driver["name"] for driver in world.host("list", "--json").json()["drivers"]}
        self.assertLessEqual({OURS.profile.driver_name, VENDOR.profile.driver_name}, names)
        playing = [place.start(HOST, "measure", "--frames", str(FRAMES), "--seconds", "3", "--json")
                   for place in (world, other)]
        services = [place.wait_for_clients(1) and place.service_id() for place in (world, other)]
        for host in playing:
            finished = host.wait(60)
            self.assertEqual(finished.code, 0, str(finished))
        self.assertNotEqual(*services)
        other.close()
        self.assert_code(self.machine.remove(VENDOR.folder), 0)
        changes = ours_before.changes_to(self.machine.near_snapshot())
        self.report["second_vendor"] = {"services": services, "changed_of_ours": changes}
        self.assertEqual(changes, [])

    # --- when it goes wrong -----------------------------------------------------------------------

    def make_faulty(self) -> tuple[installation.setup.Wish, installation.setup.Wish]:
        """Setups of this version and the next that take the switches for tests."""
        return (installation.make_setup("faults", OURS, installation.base_version(), None, True),
                installation.make_setup("next-faults", OURS, installation.next_version(), "next",
                                        True))

    def test_what_fails_midway_leaves_everything_as_it_was(self) -> None:
        base, after = self.make_faulty()
        clean = self.machine.snapshot()
        near = self.machine.near_snapshot()
        for fault in (5, 12):  # among the files, and with the registration written
            self.assert_code(self.machine.setup(base.setup, f"/FAULT={fault}"), 1603, "on purpose")
            self.assertEqual(near.changes_to(self.machine.near_snapshot()), [], f"fault {fault}")
        self.refuse_what_is_not_accepted(base)
        self.assertEqual(near.changes_to(self.machine.near_snapshot()), [])

        self.assert_code(self.machine.setup(base.setup), 0)
        old = self.machine.near_snapshot()
        tried = {}
        for fault in range(1, FAULT_POINTS + 1):
            outcome = self.machine.setup(after.setup, f"/FAULT={fault}")
            self.assert_code(outcome, 1603, f"Fault {fault}, on purpose")
            tried[fault] = old.changes_to(self.machine.near_snapshot())
            self.assertEqual(tried[fault], [], f"fault {fault}")
        self.report["faults"] = tried

        self.cut_the_power()
        self.assert_code(self.machine.setup(after.setup, "/FAULT=1"), 1603, "on purpose")
        self.report["after_a_power_cut"] = old.changes_to(self.machine.near_snapshot())
        self.assertEqual(self.report["after_a_power_cut"], [])

        none = f"/FAULT={FAULT_POINTS + 1}"  # else some points would have been left out
        self.assert_code(self.machine.setup(after.setup, "/VANISH", none), 0, "Foreign")
        self.assertEqual(self.machine.value(FOREIGN[0], "Description"), "another driver")
        self.assert_installed(OURS, after)
        self.assert_code(self.machine.remove(OURS.folder), 0)
        self.report["left_behind"] = clean.changes_to(self.machine.snapshot())
        self.write_report("faults")
        self.assertEqual(self.report["left_behind"], [])

    def refuse_what_is_not_accepted(self, base: installation.setup.Wish) -> None:
        for switch, says in (("/START=sometimes", "demand, logon, machine, off"),
                             (r"/D=C:\Elsewhere", "users may write"),
                             (r"/D=C:\Program Files", "users may write"),
                             (r"/D=C:\Program Files\..\Elsewhere", "users may write"),
                             (r"/D=C:\Program Files\Common Files\Ours", "rights to")):
            self.assert_code(self.machine.setup(base.setup, switch), 1639, says)
        other = installation.DRIVE / "Program Files/Other"
        other.mkdir()
        self.addCleanup(shutil.rmtree, other, ignore_errors=True)
        (other / "uninstall.exe").write_text("of another program")
        self.assert_code(self.machine.setup(base.setup, r"/D=C:\Program Files\Other"), 1639,
                         "files of other programs")
        self.assertEqual((other / "uninstall.exe").read_text(), "of another program")
        shutil.rmtree(other)
        arm = {"name": "PROCESSOR_ARCHITECTURE"}
        usual = self.machine.value(ENVIRONMENT_KEY, **arm)
        self.machine.set_value(ENVIRONMENT_KEY, "PROCESSOR_ARCHITECTURE", "ARM64")
        try:
            self.assert_code(self.machine.setup(base.setup), 1633, "ARM64")
        finally:
            self.machine.set_value(ENVIRONMENT_KEY, "PROCESSOR_ARCHITECTURE", usual or "AMD64")
        namesake = rf"HKLM\Software\ASIO\{OURS.profile.driver_name}"
        self.machine.set_value(namesake, "CLSID", "{99999999-0000-0000-0000-000000000000}")
        try:
            self.assert_code(self.machine.setup(base.setup), 1639, "Another driver named")
        finally:
            self.machine.run("reg.exe", "delete", namesake, "/f")

    @staticmethod
    def write_journal(state: str, version: str) -> None:
        lines = ["[journal]", f"version={version}", "mode=demand", "keep=1", f"state={state}",
                 "[had]", *(name.replace("/", "\\") + "=1" for name in INSTALLED),
                 "vendor.toml=0"]
        (OURS.folder / "journal.ini").write_text("\r\n".join(lines) + "\r\n", encoding="utf-16")

    def cut_the_power(self) -> None:
        """As if it had gone while files were exchanged: two are away, one of them replaced."""
        folder: pathlib.Path = OURS.folder
        self.write_journal("exchanging", installation.base_version())
        (folder / "outgoing/x86").mkdir(parents=True, exist_ok=True)
        for name in ("asio-driver.exe", "x86/asio-driver.dll"):
            (folder / name).rename(folder / "outgoing" / name)
        (folder / "asio-driver.exe").write_bytes(b"half of a new version")
        (folder / "vendor.toml").write_text("of a new version")

    def test_what_is_in_use_or_was_cut_short_comes_to_its_end(self) -> None:
        base, after = self.make_faulty()
        clean = self.machine.snapshot()
        near = self.machine.near_snapshot()
        OURS.folder.mkdir()  # whoever made it may have given rights to everybody
        OURS.folder.chmod(0o777)
        self.assert_code(self.machine.setup(base.setup), 0)
        self.assertEqual(OURS.folder.stat().st_mode & 0o022, 0, "others may write to the driver")
        old = self.machine.near_snapshot()
        self.assert_code(self.machine.setup(after.setup, "/LOCKED"), 1618, "Another setup")
        (OURS.folder / "setup.lock").unlink()
        self.assertEqual(old.changes_to(self.machine.near_snapshot()), [])

        (OURS.folder / "outgoing").mkdir()  # the power went, and took the journal with it
        (OURS.folder / "asio-driver.exe").rename(OURS.folder / "outgoing/asio-driver.exe")
        self.assert_code(self.machine.setup(after.setup, "/FAULT=1"), 1603, "on purpose")
        self.assertEqual(old.changes_to(self.machine.near_snapshot()), [])
        for state in ("final", "exchanging"):  # the last word may not have reached the disk
            self.cut_the_power_while_it_tidies(after, state)
        self.assertEqual(old.changes_to(self.machine.near_snapshot()), [])

        self.remove_without_the_program(base)
        self.assertEqual(near.changes_to(self.machine.near_snapshot()), [])
        self.remove_under_a_program_that_plays(after)
        self.report["left_behind"] = clean.changes_to(self.machine.snapshot())
        self.write_report("held")
        self.assertEqual(self.report["left_behind"], [])

    def cut_the_power_while_it_tidies(self, after: installation.setup.Wish, state: str) -> None:
        """Some of the old files have become the previous version, the others have not yet."""
        folder = OURS.folder
        self.write_journal(state, "0.0.9")
        for number, name in enumerate(INSTALLED):
            place = folder / ("previous" if number < 3 else "outgoing") / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"{name} of 0.0.9")
        (folder / "previous/previous.ini").write_text("[previous]\r\nversion=0.0.9\r\n")
        self.assert_code(self.machine.setup(after.setup, "/FAULT=1"), 1603, "on purpose")
        for name in INSTALLED:
            self.assertEqual((folder / "previous" / name).read_text(), f"{name} of 0.0.9")
        self.assertIn("0.0.9", (folder / "previous/previous.ini").read_text(encoding="ascii"))
        shutil.rmtree(folder / "previous")

    def remove_without_the_program(self, base: installation.setup.Wish) -> None:
        """As after a virus scanner has taken it away: a service that is left is no silent loss."""
        program = OURS.folder / "asio-driver.exe"
        program.unlink()
        self.assert_code(self.machine.remove(OURS.folder), 1603, "run this version's setup first")
        self.assert_code(self.machine.setup(base.setup), 0)
        self.assert_installed(OURS, base)
        done = self.machine.run(str(program), "service", "remove")
        self.assertEqual(done.returncode, 0, done.stderr)
        program.unlink()
        self.assert_code(self.machine.remove(OURS.folder), 0)

    def remove_under_a_program_that_plays(self, after: installation.setup.Wish) -> None:
        """The driver that it holds goes with the next start of Windows, and so does its folder."""
        self.assert_code(self.machine.setup(after.setup), 0)
        # Its own programs go with the installation; those beside the setup are the same.
        world = World(Build(bin=after.stage, windows=True), OURS.profile.id)
        world.configure(CONFIG)
        self.addCleanup(self.close_once, world)
        host = world.start(HOST, "measure", "--frames", str(FRAMES), "--seconds", "120", "--json")
        world.wait_for_clients(1)
        self.assert_code(self.machine.remove(OURS.folder, environment=world.environment()), 3010)
        self.assertFalse((OURS.folder / "asio-driver.dll").exists())
        self.assertIsNone(host.process.poll(), "nothing was held")
        host.end()
        world.close()
        self.machine.stop()
        self.machine.run("cmd.exe", "/c", "ver")  # the machine starts anew
        self.assertFalse(OURS.folder.exists(), list(OURS.folder.rglob("*")))


if __name__ == "__main__":
    unittest.main()
