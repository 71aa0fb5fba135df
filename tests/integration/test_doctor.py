"""Why is there no sound: faults planted into a real machine, as far as one is at hand, and the
cause that "asio-driver doctor" names first. The table of all causes and what Wine cannot show is in
docs/doctor.md; those are in doctor/testing/planted_faults.hpp.
"""

from __future__ import annotations

import getpass
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import unittest
import zipfile

from harness import ROOT, Case

sys.path.insert(0, str(ROOT / "tools/pulse"))

import stage  # noqa: E402  (found through the path above)
from programs import DRIVER, wait_until  # noqa: E402
from pulse import PrivatePulse, available  # noqa: E402

FOUND = 20
SIMULATED = "[device]\nbackend = \"simulated\"\n"
BUNDLED = {"README.txt", "report.txt", "findings.json", "config.toml", "flight.json",
           "versions.txt", "log.txt"}


class DoctorCase(Case):
    def doctor(self, *arguments: str, code: int | None = None) -> dict:
        """The answer to `doctor --json`; `code`: what it must exit with."""
        finished = self.world.run(DRIVER, "doctor", "--json", *arguments, seconds=60)
        self.assertIn(finished.code, (0, FOUND) if code is None else (code,), str(finished))
        answer = finished.json()
        self.assertEqual(finished.code, 0 if answer["ok"] else FOUND, str(finished))
        return answer

    def ids(self, answer: dict) -> list[str]:
        return [finding["id"] for finding in answer["findings"]]

    def assert_first(self, cause: str, *arguments: str) -> dict:
        answer = self.doctor(*arguments)
        self.assertEqual(self.ids(answer)[:1], [cause], json.dumps(answer, indent=1))
        self.assertTrue(answer["findings"][0]["fix"], answer)
        return answer


class Doctor(DoctorCase):
    """What the native build and Windows have in common."""

    def setUp(self) -> None:
        super().setUp()
        self.world.configure(SIMULATED)

    def test_a_broken_configuration_is_named_with_its_line_and_put_aside_by_fix(self) -> None:
        wrong = SIMULATED + "[driver]\nmax_frames = 1024\nsample_type = \"float64\"\n"
        self.world.config.write_text(wrong, encoding="utf-8")
        answer = self.assert_first("configuration_broken")
        self.assertIn("config.toml:5", answer["findings"][0]["detail"])
        self.assertEqual(self.world.config.read_text(encoding="utf-8"), wrong, "it was changed")
        repaired = self.doctor("--fix")
        self.assertNotIn("configuration_broken", self.ids(repaired))
        self.assertTrue(repaired["repairs"][0]["done"], repaired["repairs"])
        aside = self.world.config.with_name("config.toml.broken-1")
        self.assertEqual(aside.read_text(encoding="utf-8"), wrong)
        self.assertIn("broken-1", repaired["repairs"][0]["said"])
        kept = repaired["facts"]["configuration"]
        self.assertEqual((kept["backend"], kept["max_frames"]), ("simulated", 1024), "it was lost")

    def test_a_service_keeps_what_is_right_of_a_configuration_that_fix_has_mended(self) -> None:
        right = SIMULATED + "[driver]\nmax_frames = 1024\n"
        self.world.configure(right)
        self.world.start(DRIVER, "run")
        self.world.wait_for_service()
        self.world.config.write_text(right + "loudness = 11\n", encoding="utf-8")
        repaired = self.doctor("--fix")
        self.assertIn("The service has read it", repaired["repairs"][0]["said"])
        answer = self.world.ask("config")
        self.assertIsNone(answer["error"], answer)
        self.assertEqual(answer["values"]["driver"]["max_frames"], 1024, "it was lost")

    def test_a_configuration_that_the_service_has_not_read_is_found_and_read_by_fix(self) -> None:
        self.world.start(DRIVER, "run")
        self.world.wait_for_service()
        self.assertNotIn("configuration_old", self.ids(self.doctor()))
        self.world.configure(SIMULATED + "[driver]\nmax_frames = 1024\n")
        self.assertIn("configuration_old", self.ids(self.doctor()))
        repaired = self.doctor("--fix")
        self.assertNotIn("configuration_old", self.ids(repaired))
        values = self.world.ask("config")["values"]
        self.assertEqual(values["driver"]["max_frames"], 1024)

    def test_recorded_facts_are_judged_as_if_it_were_their_machine(self) -> None:
        recorded = self.doctor()
        facts = self.world.folder / "facts.json"
        facts.write_text(json.dumps(recorded), encoding="utf-8")
        name = self.world.build.path(facts)
        self.assertEqual(self.doctor("--facts", name)["findings"], recorded["findings"])
        recorded["facts"]["system"] |= {"name": "windows", "audio_service": False}
        facts.write_text(json.dumps(recorded["facts"]), encoding="utf-8")
        self.assert_first("audio_service_stopped", "--facts", name)
        facts.write_text("{\"system\": {\"elevated\": 1}}", encoding="utf-8")
        for arguments in (("--facts", name), ("--facts", name + "-missing")):
            finished = self.world.run(DRIVER, "doctor", *arguments, seconds=30)
            self.assertEqual(finished.code, 1, str(finished))
            self.assertNotEqual(finished.err.strip(), "", "no word to the user")

    def test_a_bundle_unpacks_everywhere_and_names_nobody(self) -> None:
        # Under Wine the user is ours.
        user = getpass.getuser() if self.world.build.windows else "maria-muster"
        folder = self.world.folder / "Users" / user
        folder.mkdir(parents=True)
        state = folder / "state"
        if not self.world.build.windows:
            self.world.extra_environment = {"HOME": str(folder), "USER": user, "LOGNAME": user,
                                            "XDG_STATE_HOME": str(state)}
        self.world.configure(SIMULATED + f"# by {user} on {socket.gethostname()} in {folder}\n")
        self.assert_ok(self.world.host("measure", "--seconds", "1", "--json"))  # its agent logs
        target = self.world.folder / "help.zip"
        finished = self.world.run(DRIVER, "doctor", "--bundle", self.world.build.path(target),
                                  seconds=60)
        self.assertIn(finished.code, (0, FOUND), str(finished))
        with zipfile.ZipFile(target) as bundle:
            self.assertIsNone(bundle.testzip())
            self.assertEqual(set(bundle.namelist()), BUNDLED)
            texts = {name: bundle.read(name).decode("utf-8") for name in bundle.namelist()}
        tested = subprocess.run(["unzip", "-t", str(target)], capture_output=True, text=True,
                                check=False)
        self.assertEqual(tested.returncode, 0, tested.stdout + tested.stderr)
        self.assertTrue(json.loads(texts["flight.json"])["sessions"], texts["flight.json"])
        self.assertIn("facts", json.loads(texts["findings.json"]))
        self.assertIn("backend = \"simulated\"", texts["config.toml"])
        self.assertIn("asio-driver", texts["log.txt"])
        self.assertIn("<computer>", texts["config.toml"], "the computer's name was not there")
        names = [socket.gethostname(), user]
        for name, text in texts.items():
            if name.endswith(".json"):  # its keys are ours, and stay whatever people are called
                text = "\n".join(texts_of(json.loads(text)))
            for personal in names:
                word = rf"(?<![0-9a-z]){re.escape(personal.lower())}(?![0-9a-z])"
                self.assertIsNone(re.search(word, text.lower()), f"{personal} in {name}:\n{text}")

    def test_every_cause_is_documented_with_its_fix(self) -> None:
        causes = self.assert_ok(self.world.run(DRIVER, "doctor", "--causes", "--json")).json()
        text = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
        listed = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
        self.assertEqual(listed, [cause["id"] for cause in causes])


class RegistryCase(DoctorCase):
    """Windows: the registry, the service manager and the drivers of others, under Wine. Puts back
    whatever it plants."""

    HOST_KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\ASIO\asio-driver"
    CLASSES = r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\CLSID"
    CLASS_KEY = rf"{CLASSES}\{stage.CLSID}"
    USER_KEY = rf"HKEY_CURRENT_USER\SOFTWARE\Classes\CLSID\{stage.CLSID}"
    CANARY_KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\ASIO\canary "
    CANARY = ROOT / "build/windows-x64/bin/doctor-canary.dll"
    NARROW = ROOT / "build/windows-x86/bin/asio-driver.dll"

    def setUp(self) -> None:
        super().setUp()
        self.world.configure(SIMULATED)
        self.world.extra_environment = {"PULSE_SERVER": "unix:/nonexistent/asiodrv"}
        self.wide = stage.STAGE_X64 / "asio-driver.dll"
        self.narrow = stage.STAGE_X64 / "x86/asio-driver.dll"
        self.narrow.parent.mkdir(exist_ok=True)
        self.addCleanup(shutil.rmtree, self.narrow.parent, ignore_errors=True)
        shutil.copy2(self.NARROW, self.narrow)
        self.addCleanup(self.plant, {self.HOST_KEY: None, self.CLASS_KEY: None}, 32)
        self.addCleanup(self.register)
        self.register()
        self.plant(self.registration(self.narrow), 32)

    def plant(self, keys: dict[str, dict[str, str] | None], bits: int = 64) -> None:
        """Writes text values into keys ("" is the default value), or removes keys (None), in the
        view of programs of `bits`: one run of Windows' own tool, whose file has one backslash as
        two."""
        def quoted(text: str) -> str:
            return '"' + text.replace("\\", "\\\\") + '"'
        # Wine's import removes keys of the 64-bit view, whichever it was told: others go by name.
        narrow = [key for key, values in keys.items() if values is None and bits == 32]
        for key in narrow:
            node = key.replace(r"\SOFTWARE\Classes", r"\SOFTWARE\Classes\Wow6432Node").replace(
                r"\SOFTWARE\ASIO", r"\SOFTWARE\Wow6432Node\ASIO")
            stage.wine("reg", "delete", node, "/f")
        lines = ["REGEDIT4", ""]
        for key, values in ((key, values) for key, values in keys.items() if key not in narrow):
            lines.append(f"[{'' if values is not None else '-'}{key}]")
            lines += [f"{quoted(name) if name else '@'}={quoted(text)}"
                      for name, text in (values or {}).items()]
            lines.append("")
        file = self.world.folder / "plant.reg"
        file.write_text("\r\n".join(lines), encoding="ascii")
        done = stage.wine("reg", "import", stage.windows_path(file), f"/reg:{bits}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def registration(self, dll: pathlib.Path | str) -> dict[str, dict[str, str]]:
        path = dll if isinstance(dll, str) else stage.windows_path(dll)
        return {self.HOST_KEY: {"CLSID": stage.CLSID, "Description": "asio-driver"},
                self.CLASS_KEY: {"": "asio-driver"},
                self.CLASS_KEY + r"\InprocServer32": {"": path, "ThreadingModel": "Both"}}

    def register(self) -> None:
        """For 64-bit programs as an installer leaves it, whatever was planted before."""
        self.plant({self.USER_KEY: None, self.HOST_KEY: None, self.HOST_KEY + " 2": None,
                    self.CLASS_KEY: None})
        self.plant(self.registration(self.wide))

    def register_canaries(self, manners: dict[str, int], path: str | None = None) -> None:
        classes = {name: f"{{D0C7000{number}-0000-4000-8000-00000000D0C7}}"
                   for name, number in manners.items()}
        removed = [self.CANARY_KEY + name for name in classes]
        removed += [rf"{self.CLASSES}\{each}" for each in classes.values()]
        self.addCleanup(self.plant, {key: None for key in removed})
        keys: dict[str, dict[str, str] | None] = {}
        for name, clsid in classes.items():
            keys[self.CANARY_KEY + name] = {"CLSID": clsid}
            keys[rf"{self.CLASSES}\{clsid}\InprocServer32"] = {
                "": path or stage.windows_path(self.CANARY), "ThreadingModel": "Apartment"}
        self.plant(keys)


class Registered(RegistryCase):
    """Windows without a sound device."""

    def test_a_registered_driver_has_nothing_to_complain_about(self) -> None:
        answer = self.doctor(code=0)
        wide, narrow = (answer["facts"][f"registration_{bits}"] for bits in (64, 32))
        self.assertEqual(wide["load"]["end"], "fine", wide)
        self.assertEqual((wide["machine"], narrow["machine"]), ("x64", "x86"))
        self.assertEqual(wide["version"], answer["version"])
        self.assertEqual(narrow["version"], answer["version"])

    def test_each_fault_of_the_registration_is_named_first(self) -> None:
        server = self.CLASS_KEY + r"\InprocServer32"
        elsewhere = self.world.folder / "old"
        elsewhere.mkdir()
        copy = elsewhere / "asio-driver.dll"
        shutil.copy2(self.wide, copy)
        text = elsewhere / "text.dll"
        text.write_text("MZ and no more", encoding="utf-8")
        foreign = "{D0C70003-0000-4000-8000-00000000D0C7}"
        user = {self.USER_KEY + r"\InprocServer32": {"": stage.windows_path(copy)}}
        faults: list[tuple[str, dict[str, dict[str, str] | None]]] = [
            ("class_missing", {self.CLASS_KEY: None}),
            ("file_missing", {server: {"": r"C:\Program Files\gone\asio-driver.dll"}}),
            ("path_not_absolute", {server: {"": "asio-driver.dll"}}),
            ("wrong_bitness", {server: {"": stage.windows_path(self.narrow)}}),
            ("wrong_bitness", {server: {"": stage.windows_path(text)}}),
            ("user_override", user),
            ("user_override", {self.USER_KEY + r"\TreatAs": {"": foreign}}),
            ("conflicting_copy", {server: {"": stage.windows_path(copy)}}),
            ("wrong_name", {self.HOST_KEY: None, self.HOST_KEY + " 2": {"CLSID": stage.CLSID}}),
            ("name_taken", {self.HOST_KEY: {"CLSID": foreign}}),
        ]
        for cause, keys in faults:
            with self.subTest(cause=cause):
                self.plant(keys)
                self.assert_first(cause)
                self.register()
        with self.subTest(cause="32-bit programs alone"):
            self.plant({server: {"": stage.windows_path(self.wide)}}, 32)
            answer = self.assert_first("wrong_bitness")
            self.assertIn("32-bit", answer["findings"][0]["detail"])
            self.plant({self.HOST_KEY: None}, 32)
            self.assert_first("not_registered_32")

    def test_a_driver_that_is_not_registered_is_registered_by_fix(self) -> None:
        self.plant({self.HOST_KEY: None, self.CLASS_KEY: None})
        self.assert_first("not_registered")
        # A 64-bit Wine has no tool that registers 32-bit files.
        shutil.rmtree(self.narrow.parent)
        self.plant({self.HOST_KEY: None, self.CLASS_KEY: None}, 32)
        repaired = self.doctor("--fix", code=0)
        self.assertEqual([repair["done"] for repair in repaired["repairs"]], [True], repaired)
        self.assertEqual(repaired["facts"]["registration_64"]["path"],
                         stage.windows_path(self.wide))

    def test_others_are_loaded_on_request_only_and_can_do_no_harm(self) -> None:
        manners = {"crashing": 1, "hanging": 2, "working": 3, "refusing": 4, "crashing late": 5,
                   "leaving": 6, "talking": 7}
        self.register_canaries(manners)
        mark = self.world.folder / "loaded"
        self.world.extra_environment["ASIODRV_CANARY_MARK"] = stage.windows_path(mark)
        quiet = self.doctor(code=0)
        self.assertFalse(mark.exists(), "a driver of others was loaded without being asked for")
        self.assertEqual(len([each for each in quiet["undecided"] if "canary" in each]),
                         len(manners), quiet["undecided"])

        loud = self.doctor("--probe", "--probe-seconds", "3", code=FOUND)
        self.assertTrue(mark.exists())
        found = {finding["detail"].split("'")[1]: finding["id"] for finding in loud["findings"]}
        self.assertEqual(found, {"canary crashing": "other_driver_crashes",
                                 "canary crashing late": "other_driver_crashes",
                                 "canary leaving": "other_driver_crashes",
                                 "canary hanging": "other_driver_hangs"})
        self.assertEqual(loud["facts"]["registration_64"]["load"]["end"], "fine")
        wait_until("no probing process is left", lambda: not probing_processes(), 10)

    def test_a_file_of_others_that_is_missing_is_seen_without_loading_anything(self) -> None:
        self.register_canaries({"lost": 3}, r"C:\Program Files\Gone\gone.dll")
        self.assert_first("other_driver_broken")

    def test_a_disabled_service_and_a_machine_without_sound_are_found(self) -> None:
        self.world.configure("[device]\nbackend = \"wasapi\"\n")
        self.assert_first("no_output")
        path = stage.windows_path(stage.STAGE_X64 / "asio-driver.exe")
        made = stage.wine("sc", "create", "asio-driver", "binPath=", path, "start=", "disabled")
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        self.addCleanup(self.delete_service)
        answer = self.assert_first("service_off")
        self.assertEqual(answer["facts"]["service"]["start_mode"], "disabled")

    def delete_service(self) -> None:
        """Wine's service manager may refuse right after it has made one."""
        def gone() -> bool:
            stage.wine("sc", "delete", "asio-driver")
            key = r"HKLM\SYSTEM\CurrentControlSet\Services\asio-driver"
            return stage.wine("reg", "query", key).returncode != 0
        wait_until("the service is deleted", gone, 30, every=0.5)


class Sounding(RegistryCase):
    """Windows with sound devices: null sinks of a private server."""

    CONSENT = (r"\SOFTWARE\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore"
               r"\microphone")
    USER = "HKEY_CURRENT_USER" + CONSENT
    MACHINE = "HKEY_LOCAL_MACHINE" + CONSENT
    POWER = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Power\User\PowerSchemes"

    def setUp(self) -> None:
        super().setUp()
        if not available():
            self.fail("PulseAudio is not installed: run tools/install-dependencies.sh pulse")
        self.pulse = PrivatePulse()
        self.addCleanup(self.pulse.stop)
        self.pulse.start("asiodrv_a")
        self.world.extra_environment = {
            "PULSE_SERVER": self.pulse.environment()["PULSE_SERVER"]}
        self.world.configure("[device]\nbackend = \"wasapi\"\n[wasapi]\nclocks = \"one\"\n")

    def test_settings_of_windows_that_silence_a_device_are_named_first(self) -> None:
        healthy = self.doctor(code=0)
        self.assertTrue(healthy["facts"]["device"]["open"]["ok"], healthy["facts"]["device"])
        self.assertTrue([each for each in healthy["facts"]["endpoints"]
                         if each["state"] == "active"], healthy["facts"])

        self.addCleanup(self.plant, {self.USER: None, self.MACHINE: None, self.POWER: None})
        with self.subTest("absent is not off: a key without the value denies nothing"):
            self.plant({self.USER + r"\NonPackaged": {}})
            self.doctor(code=0)
        with self.subTest("microphone"):
            self.plant({self.USER + r"\NonPackaged": {"Value": "Deny"}})
            self.assert_first("microphone_denied")
            self.plant({self.USER: None, self.MACHINE: {"Value": "Deny"}})
            self.assert_first("microphone_denied")
        with self.subTest("power"):
            self.plant({self.MACHINE: None, self.POWER: {
                "ActivePowerScheme": "a1841308-3541-4fab-bc81-f71556f20b4a"}})
            self.assert_first("power_saver")
            self.plant({self.POWER: None})
        with self.subTest("a simulated device beside a real one"):
            self.world.configure(SIMULATED)
            self.assert_first("device_silent")
        with self.subTest("exclusive use, which Wine never allows; taken on request only"):
            self.world.configure("[device]\nbackend = \"wasapi\"\n[wasapi]\nmode = \"exclusive\"\n"
                                 "clocks = \"one\"\n")
            answer = self.assert_first("exclusive_disallowed")
            self.assertIn("--probe", answer["facts"]["device"]["open"]["unknown"])
            answer = self.assert_first("exclusive_disallowed", "--probe")
            self.assertFalse(answer["facts"]["device"]["open"]["ok"])
        with self.subTest("a device that is not there"):
            self.world.configure("[device]\nbackend = \"wasapi\"\n[wasapi]\noutput = \"Gone\"\n"
                                 "input = \"\"\n")
            self.assert_first("device_missing")


def texts_of(document: object) -> list[str]:
    """All texts in a JSON document but its keys."""
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        return [text for each in document for text in texts_of(each)]
    return [document] if isinstance(document, str) else []


def probing_processes() -> list[str]:
    """Command lines of processes that load a driver for the doctor."""
    found = []
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if "--probe-child" in line:
            found.append(line)
    return found


if __name__ == "__main__":
    unittest.main()
