"""The configuration through the real command line and service: files, layers, changes under way."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import unittest
from typing import Any

from harness import BUILD, ROOT, Case
from programs import DRIVER, Build, Finished, Running, World

import stage

DOCUMENT = ROOT / "docs/configuration.md"


def documented_keys(text: str) -> dict[str, tuple[str, str, str, str, str]]:
    """{key: (type and unit, default, accepted, holds, meaning)} of the tables in `text`."""
    keys: dict[str, tuple[str, str, str, str, str]] = {}
    section = None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        title = re.match(r"\| \*\*\[+(\w+)\]+\*\* \|", line)
        if title:
            section = title[1]
        elif not line.startswith("| `"):
            section = None
        elif section is not None and len(cells) == 6:
            name = f"{section}.{cells[0].strip('`')}"
            if name in keys:
                raise AssertionError(f"{name} is documented twice")
            keys[name] = (cells[1], cells[2].strip("`"), cells[3], cells[4], cells[5])
    return keys


def toml(value: Any) -> str:
    """Short enough for defaults: numbers, booleans, plain texts, lists."""
    return json.dumps(value, ensure_ascii=False)


class Config(Case):
    def driver(self, *arguments: str, code: int = 0) -> Finished:
        finished = self.world.run(DRIVER, *arguments, seconds=20)
        self.assertEqual(finished.code, code, str(finished))
        return finished

    def start_service(self) -> None:
        self.world.start(DRIVER, "run")
        self.world.wait_for_service()

    def in_force(self, section: str, key: str) -> Any:
        return self.world.ask("config")["values"][section][key]

    def listed(self) -> dict[str, Any]:
        document = self.driver("config", "list", "--json").json()
        return {entry["key"]: entry for entry in document["keys"]}

    def test_a_changed_key_holds_in_the_running_service_and_the_file_keeps_its_words(self) -> None:
        self.world.configure("# my studio\n[service]\nidle_seconds = 3  # short\n")
        self.start_service()
        said = self.driver("config", "set", "driver.preferred_frames", "128").out
        self.assertIn("The running service uses it now.", said)
        self.assertEqual(self.in_force("driver", "preferred_frames"), 128)
        self.assertEqual(self.driver("config", "get", "driver.preferred_frames").out.strip(), "128")
        self.assertEqual(self.world.config.read_text(encoding="utf-8"),
                         "# my studio\n[service]\nidle_seconds = 3  # short\n"
                         "\n[driver]\npreferred_frames = 128\n")
        probed = self.assert_ok(self.world.host("probe", "--json"))
        self.assertRegex(probed.out, r'"preferred_frames":\s*128\b')
        said = self.driver("config", "unset", "driver.preferred_frames").out
        self.assertIn("64 now, from the defaults", said)
        self.assertEqual(self.in_force("driver", "preferred_frames"), 64)

    def test_a_wrong_value_leaves_file_and_service_as_they_were(self) -> None:
        self.start_service()
        before = self.world.config.read_bytes()
        for arguments, part in ((("driver.max_frames", "100"), "a power of two from 16 to 8192"),
                                (("driver.preferred_frames", "4096"), "max_frames (2048)"),
                                (("driver.max_frame", "128"), "driver.max_frames")):
            finished = self.world.run(DRIVER, "config", "set", *arguments, seconds=20)
            self.assertEqual(finished.code, 1 if "4096" in arguments else 2, str(finished))
            self.assertIn(part, finished.err)
        self.assertEqual(self.world.config.read_bytes(), before)
        self.assertEqual(self.in_force("driver", "max_frames"), 2048)
        self.assertIsNone(self.world.ask("config")["error"])

    def test_what_the_device_refuses_is_taken_back(self) -> None:
        self.world.configure("[device]\nbackend = \"simulated\"\n")
        self.start_service()
        before = self.world.config.read_bytes()
        finished = self.driver("config", "set", "simulated.player", "missing.wav", code=1)
        self.assertIn("the file is as it was", finished.err)
        self.assertEqual(self.world.config.read_bytes(), before)
        self.assertEqual(self.in_force("simulated", "player"), "")
        self.assertIsNotNone(self.world.status())

    def test_list_agrees_with_the_running_service(self) -> None:
        self.world.configure("[engine]\nspin_us = 7\n[hosts]\ndeferred = [\"a.exe\"]\n"
                             "[[member]]\noutput = \"A\"\n[[member]]\nbackend = \"simulated\"\n")
        self.start_service()
        running = self.world.ask("config")
        listed = self.listed()
        for key, entry in listed.items():
            section, *member, name = key.split(".")
            values = running["values"][section]
            if member:
                values = values[int(member[0]) - 1]
            self.assertEqual(entry["value"], values[name], key)
            origin = running["origins"].get("member" if member else key)
            self.assertEqual(entry["file"], origin, key)
        self.assertEqual(listed["engine.spin_us"]["layer"], "named")
        self.assertEqual(listed["member.2.backend"]["value"], "simulated")
        parts = [part for keys in running["values"].values()
                 for part in (keys if isinstance(keys, list) else [keys])]
        self.assertEqual(sum(len(part) for part in parts), len(listed))

    def test_the_document_lists_exactly_the_keys_that_there_are(self) -> None:
        self.world.configure("[[member]]\n")
        documented = documented_keys(DOCUMENT.read_text(encoding="utf-8"))
        known = {re.sub(r"\.\d\.", ".", key): entry for key, entry in self.listed().items()}
        self.assertEqual(sorted(documented), sorted(known))
        for key, entry in known.items():
            kind = entry["type"] + (f", {entry['unit']}" if entry["unit"] else "")
            self.assertEqual(documented[key][:4],
                             (kind, toml(entry["default"]), entry["accepted"], entry["effect"]),
                             key)
            self.assertTrue(documented[key][4].startswith(entry["meaning"]), key)

    def test_a_document_that_lacks_or_repeats_a_key_is_noticed(self) -> None:
        text = DOCUMENT.read_text(encoding="utf-8")
        row = next(line for line in text.splitlines() if line.startswith("| `spin_us`"))
        self.assertNotIn("engine.spin_us", documented_keys(text.replace(row + "\n", "")))
        with self.assertRaises(AssertionError):
            documented_keys(text.replace(row, row + "\n" + row))

    def test_reset_and_validate_tell_where_things_are(self) -> None:
        self.world.configure("[service]\nidle_seconds = 3\n[engine]\nspin_us = \"x\"\n")
        wrong = self.driver("config", "validate", code=1).out
        self.assertIn("config.toml:4: engine.spin_us must be a whole number", wrong)
        self.assertIn("config.toml.bak-1", self.driver("config", "reset").out)
        self.driver("config", "validate")
        self.assertTrue((self.world.folder / "config.toml.bak-1").exists())

    def test_a_host_gets_its_driver_whatever_is_wrong_in_a_file(self) -> None:
        self.world.configure("[service]\nidle_seconds = 3\n[driver]\nmin_frames = 17\n")
        self.assert_ok(self.world.host("measure", "--seconds", "1", "--json"))
        shown = self.world.ask("config")
        self.assertIn("config.toml:4: driver.min_frames", shown["error"])
        self.assertFalse(shown["loaded"])
        self.assertEqual([file["state"] for file in shown["files"] if file["layer"] == "named"],
                         ["refused"])


class OpenWorld(World):
    """A world whose programs may be told of other files, or of none."""

    overrides: dict[str, str] = {}

    def environment(self) -> dict[str, str]:
        return super().environment() | self.overrides


class Layers(unittest.TestCase):
    """A program of its own, so that a vendor's file can lie beside it."""

    def setUp(self) -> None:
        self.world = OpenWorld(BUILD, self.id().rpartition(".")[2])
        self.addCleanup(self.world.close)
        bin_folder = self.world.folder / "bin"
        bin_folder.mkdir()
        name = DRIVER + (".exe" if BUILD.windows else "")
        shutil.copy2(BUILD.bin / name, bin_folder / name)
        self.world.build = Build(bin=bin_folder, windows=BUILD.windows, slow=BUILD.slow)
        self.vendor = bin_folder / "vendor.toml"

    def run_at(self, folder: pathlib.Path, *arguments: str) -> Finished:
        """With the machine's and the user's files below `folder`, and no named one."""
        world = self.world
        world.overrides = {"ASIODRV_CONFIG": ""}
        if not BUILD.windows:
            world.overrides |= {"XDG_CONFIG_DIRS": str(folder / "machine"),
                                "XDG_CONFIG_HOME": str(folder / "user")}
            return world.run(DRIVER, *arguments, seconds=20)
        # Wine sets these two itself when a program starts; a shell inside can change them.
        script = world.folder / "run.cmd"
        script.write_text(f"@set PROGRAMDATA={world.build.path(folder / 'machine')}\r\n"
                          f"@set LOCALAPPDATA={world.build.path(folder / 'user')}\r\n"
                          f"@\"{world.build.path(world.build.bin)}\\{DRIVER}.exe\" "
                          f"{' '.join(arguments)}\r\n", encoding="utf-8", newline="")
        command = (str(stage.WINE), "cmd.exe", "/c", world.build.path(script))
        return Running(command, world.environment(), world.folder, BUILD.slow).wait(20)

    def test_vendor_machine_and_user_lie_above_each_other(self) -> None:
        folder = self.world.folder
        self.vendor.write_text("[driver]\nmin_frames = 16\nmax_frames = 512\n", encoding="utf-8")
        files = {}
        for layer, text in (("machine", "[driver]\nmax_frames = 1024\n"),
                            ("user", "[engine]\nspin_us = 5\n")):
            files[layer] = folder / layer / "asio-driver/config.toml"
            files[layer].parent.mkdir(parents=True)
            files[layer].write_text(text, encoding="utf-8")
        document = self.run_at(folder, "config", "list", "--json").json()
        self.assertEqual([(file["layer"], file["state"]) for file in document["files"]],
                         [("vendor", "used"), ("machine", "used"), ("user", "used")], document)
        said = {entry["key"]: (entry["value"], entry["layer"]) for entry in document["keys"]}
        self.assertEqual(said["driver.min_frames"], (16, "vendor"))
        self.assertEqual(said["driver.max_frames"], (1024, "machine"))
        self.assertEqual(said["engine.spin_us"], (5, "user"))
        self.assertEqual(said["service.idle_seconds"], (10, "default"))
        self.assertEqual(self.run_at(folder, "config", "set", "driver.min_frames", "64").code, 0)
        self.assertIn("min_frames = 64", files["user"].read_text(encoding="utf-8"))
        files["machine"].write_text("[driver]\nmax_frames = 1\n", encoding="utf-8")
        wrong = self.run_at(folder, "config", "validate")
        self.assertEqual(wrong.code, 1, str(wrong))
        self.assertIn("config.toml:2: driver.max_frames must be", wrong.out)

    def test_a_vendors_file_lies_below_a_named_one_in_the_running_service(self) -> None:
        self.vendor.write_text("[engine]\nspin_us = 9\n[driver]\nmin_frames = 16\n",
                               encoding="utf-8")
        self.world.configure("[driver]\nmin_frames = 64\n")
        self.world.start(DRIVER, "run")
        self.world.wait_for_service()
        values = self.world.ask("config")["values"]
        self.assertEqual(values["engine"]["spin_us"], 9)
        self.assertEqual(values["driver"]["min_frames"], 64)


if __name__ == "__main__":
    unittest.main()
