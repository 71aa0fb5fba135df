"""What the setup's script must never do, read from its text (the rules in docs/installation.md),
and vendor profiles. Needs no Windows; canaries make each check fail."""

from __future__ import annotations

import hashlib
import json
import pathlib
import re
import sys
import tempfile
import tomllib
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/release"))

import bom  # noqa: E402  (found through the path above)
import generate  # noqa: E402
from vendor_profile import (OWN, ProfileError, read_profile,  # noqa: E402
                            vendor_toml)

SCRIPTS = ("installer/asio-driver.nsi", "installer/transaction.nsh")

#: Lines after a command that can fail, within which its error flag must be looked at.
CHECK_WITHIN = 14
PLUGIN_CALL = re.compile(r"^\s*[A-Za-z]\w*::\w+")
INCLUDES = {"LogicLib.nsh", "Sections.nsh", "FileFunc.nsh", "WordFunc.nsh",
            "${__FILEDIR__}/transaction.nsh"}


def code_lines(text: str) -> list[str]:
    """One string per line; comments and continued lines folded away, numbers kept."""
    lines = [re.sub(r"(^|\s);.*$", "", line) for line in text.split("\n")]
    for index in range(len(lines) - 1, 0, -1):
        if lines[index - 1].endswith("\\"):
            lines[index - 1] = lines[index - 1][:-1] + " " + lines[index].strip()
            lines[index] = ""
    return lines


def findings(text: str) -> list[str]:
    """Sentences with line numbers."""
    found = []
    lines = code_lines(text)
    for number, line in enumerate(lines, 1):
        words = line.split()
        command = words[0] if words else ""
        if command in ("Exec", "ExecShell", "ExecShellWait") or PLUGIN_CALL.match(line):
            found.append(f"{number}: {command}: a plug-in, or a program that nobody waits for")
        if command == "ExecWait" and not re.match(r"""\s*ExecWait '"\$INSTDIR\\""", line):
            found.append(f"{number}: runs a program that is not the installed one by its full path")
        if command == "MessageBox" and "/SD" not in words:
            found.append(f"{number}: MessageBox without /SD would wait in a silent setup")
        if command in ("Rename", "File", "CopyFiles", "WriteUninstaller", "FileOpen") and not any(
                "Errors" in later for later in lines[number:number + CHECK_WITHIN]):
            found.append(f"{number}: {command} and no look at the error flag")
        if command == "RMDir" and "/r" in words:
            found.append(f"{number}: RMDir /r takes what is not ours, and follows links to it")
        if command == "!include" and words[1].strip('"') not in INCLUDES:
            found.append(f"{number}: includes {words[1]}, which may bring plug-ins")
        if re.search(r"wow6432node", line, re.IGNORECASE):
            found.append(f"{number}: Wow6432Node; use SetRegView 32")
        if re.search(r"\bHK(CU|EY_CURRENT_USER)\b|SetShellVarContext\s+user", line):
            found.append(f"{number}: the account that installs is not the one that plays")
        if re.search(r"\$TEMP\b|\$PLUGINSDIR|\$EXEDIR", line):
            found.append(f"{number}: a folder that users can write to")
    return found


def views(text: str, macro: str) -> set[str]:
    return set(re.findall(rf"!insertmacro {macro} (32|64)\b", text))


class Rules(unittest.TestCase):
    def setUp(self) -> None:
        self.texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in SCRIPTS}

    def test_the_script_follows_the_rules(self) -> None:
        for name, text in self.texts.items():
            self.assertEqual(findings(text), [], name)

    def test_both_views_of_the_registry_are_written_and_cleaned(self) -> None:
        whole = "\n".join(self.texts.values())
        for macro in ("RegisterIn", "UnregisterIn", "SnapshotIn", "RestoreIn", "CheckName"):
            self.assertEqual(views(whole, macro), {"32", "64"}, macro)

    def test_every_file_of_a_version_is_unpacked_and_exchanged(self) -> None:
        """A file that only one of the two lists knows would be left behind, or never arrive."""
        script, transaction = self.texts.values()
        unpacked = set(re.findall(r'File "\$\{STAGE\}\\(.+?)"', script)) | {"uninstall.exe"}
        body = transaction.partition("!macro EachFile DO")[2].partition("!macroend")[0]
        self.assertEqual(set(re.findall(r'\{DO\} "(.+?)"', body)), unpacked)

    def test_the_documented_exit_codes_are_the_scripts(self) -> None:
        given = set(re.findall(r"^!define [A-Z]+ (\d+)\b", self.texts[SCRIPTS[0]], re.MULTILINE))
        self.assertIn("1618", given)
        text = (ROOT / "docs/installation.md").read_text(encoding="utf-8")
        table = text.partition("| exit code |")[2].partition("\n\n")[0]
        self.assertEqual(set(re.findall(r"^\| (\d+) \|", table, re.MULTILINE)), given)

    def test_planted_violations_are_found(self) -> None:
        for planted in (
                'ExecWait "taskkill /F /IM x.exe"', 'Exec "$INSTDIR\\a.exe"',
                'nsExec::Exec "net stop x"', 'MessageBox MB_OK "Hello"',
                'Rename "$INSTDIR\\a" "$INSTDIR\\b"\n' + "Nop\n" * 20 + "${If} ${Errors}",
                'File "a.dll"', 'RMDir /r "$INSTDIR"', '!include "MUI2.nsh"',
                'WriteRegStr HKCU "x" "y" "z"', 'Delete "$TEMP\\x"',
                'WriteRegStr HKLM "SOFTWARE\\Wow6432Node\\x" "" ""'):
            self.assertEqual(len(findings(planted)), 1, planted)
        self.assertEqual(findings('Rename "$INSTDIR\\a" "$INSTDIR\\b"\n${If} ${Errors}\n'
                                  '; Exec "x"\nMessageBox MB_OK "Hello" /SD IDOK'), [])


GOOD = (ROOT / "vendors/example.toml").read_text(encoding="utf-8")


class Profiles(unittest.TestCase):
    def read(self, text: str):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "p.toml"
            path.write_text(text, encoding="utf-8")
            return read_profile(path)

    def test_the_example_and_our_own_profile_are_good(self) -> None:
        example = self.read(GOOD)
        self.assertEqual(example.driver_name, "Example Audio ASIO")
        defaults = tomllib.loads(vendor_toml(example))
        self.assertEqual(defaults["wasapi"]["output"], "usb:1234:5678")
        self.assertEqual(defaults["channels"]["input_names"][0], "Mic 1")
        self.assertIsNone(vendor_toml(read_profile(OWN)))

    def test_a_wrong_profile_is_refused_with_file_line_key_and_what_is_accepted(self) -> None:
        def line(key: str) -> int:
            return next(number for number, text in enumerate(GOOD.split("\n"), 1)
                        if text.startswith(key))
        for key, value, says in (
                ("name", '""', "must be letters"), ("name", '"Ends "', "no blank last"),
                ("driver_name", '"$INSTDIR"', "must be letters"),
                ("company", '"A\\nB"', "must be letters"),
                ("company", '"A\\\\"', "must be letters"),
                ("signers", '"A"', "a list of names"), ("signers", '["A|B"]', "a list of names"),
                ("id", '"con"', "is taken"), ("id", '"work"', "is taken"),
                ("id", '"../x"', "lower"),
                ("version", '"1.2.3\\n"', "three numbers"),
                ("version", '"01.2.3"', "three numbers"),
                ("class_id", '"{7d1b2c54-3a0e-4f6b-9c81-52e8a9d0f417}"', "upper case"),
                ("name", '"A \\"B\\""', "must be letters"),
                ("id", '"Upper"', "lower-case"), ("id", '"asio-driver"', "choose another"),
                ("driver_name", '"' + "x" * 32 + '"', "at most 31"),
                ("class_id", '"7D1B2C54"', "uuidgen"),
                ("class_id", '"{5E0C7B0A-93D4-4C1F-8B62-1FA47D2E9C35}"', "choose another"),
                ("version", '"1.2"', "three numbers"), ("company", "7", "must be letters"),
                ("start_mode", '"always"', "demand, logon, machine, off"),
                ("usb_vendor", "0", "0x0001"), ("usb_product", "70000", "0xFFFF"),
                ("usb_product", "true", "a number"),
                ("preferred_frames", "2026-01-01", "a text, a number")):
            text = re.sub(rf"^{key} = .*$", lambda _, k=key, v=value: f"{k} = {v}", GOOD, count=1,
                          flags=re.MULTILINE)
            with self.assertRaises(ProfileError) as caught:
                self.read(text)
            with self.subTest(key=key, value=value):
                message = str(caught.exception)
                self.assertIn(f"p.toml:{line(key)}: ", message)
                self.assertIn(key, message)
                self.assertIn(says, message)

    def test_unknown_and_missing_keys_are_named(self) -> None:
        for text, says in ((GOOD.replace("company =", "compnay ="), "company: is missing"),
                           (GOOD.replace("[installer]", "[installer]\ncolour = 1"), "colour"),
                           (GOOD + "\n[surprise]\na = 1\n", "surprise: is unknown"),
                           (GOOD.replace("[configuration.driver]", "[configuration.drivers]"),
                            "no section of the configuration"),
                           (GOOD + '\n[configuration.engine]\n"a = 1\\n[service]\\nb" = 1\n',
                            "is no key"),
                           (GOOD.replace("preferred_frames =", "prefered_frames ="),
                            "driver.prefered_frames: is no key of the configuration; the keys are"),
                           (GOOD.replace("[installer]", '[installer]\nicon = "/etc/x.ico"'),
                            "beside the profile"),
                           ("[product", "is no TOML"), ('icon = "a"', "icon: is unknown"),
                           (GOOD.replace("[installer]", '[installer]\nicon = "no.ico"'), ".ico")):
            with self.assertRaises(ProfileError) as caught:
                self.read(text)
            self.assertIn(says, str(caught.exception))

    def test_an_identity_is_written_as_cpp_reads_it(self) -> None:
        profile = read_profile(OWN)
        text = generate.identity(profile, "1.2.3")
        self.assertIn(".version_number = 10203}", text)
        self.assertIn("{0x5E0C7B0A, 0x93D4, 0x4C1F, {0x8B, 0x62, 0x1F", text)

    def test_a_bill_of_materials_is_what_its_readers_expect(self) -> None:
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(bom, "versions_of", lambda packages: dict.fromkeys(
                    packages, "1:9.1.0+ds1-2")), \
                mock.patch.object(bom, "check_licence"):
            base = pathlib.Path(folder)
            names = ("a.exe", "x86/a.dll")
            for name in names:
                (base / name).parent.mkdir(exist_ok=True)
                (base / name).write_text(name, encoding="ascii")
            text, again, other = (
                bom.document("N", "C", version, [base / name for name in names], base)
                for version in ("1.2.3", "1.2.3", "1.2.4"))
        self.assertEqual(text, again)
        document = json.loads(text)
        self.assertEqual((document["bomFormat"], document["specVersion"], document["version"]),
                         ("CycloneDX", "1.5", 1))
        self.assertRegex(document["serialNumber"], r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-"
                                                   r"[0-9a-f]{12}$")
        self.assertNotEqual(document["serialNumber"], json.loads(other)["serialNumber"])
        parts = {part["bom-ref"]: part for part in document["components"]}
        self.assertEqual(len(parts), len(document["components"]), "a reference twice")
        known = {*parts, document["metadata"]["component"]["bom-ref"]}
        for row in document["dependencies"]:
            self.assertLessEqual({row["ref"], *row["dependsOn"]}, known)
        hashed = {part["name"]: part["hashes"][0] for part in parts.values() if "hashes" in part}
        self.assertEqual(hashed, {name: {"alg": "SHA-256", "content": hashlib.sha256(
            name.encode()).hexdigest()} for name in names})
        for component in bom.COMPONENTS:
            part = parts[component.package]
            self.assertEqual(part["purl"],
                             f"pkg:deb/debian/{component.package}@1%3A9.1.0%2Bds1-2")
            (licence,) = part["licenses"]
            said = licence.get("expression") or licence["license"]["id"]
            self.assertEqual((said, "expression" in licence), (component.spdx, " " in said))

    def test_a_licence_that_changed_stops_the_release(self) -> None:
        self.assertEqual(bom.licence_in("Files: *\nCopyright: x\nLicense: Expat\n"), "Expat")
        self.assertIsNone(bom.licence_in("Copyright x"))
        wrong = bom.Component("fmt", "libfmt-dev", "GPL-3", "GPL-3.0-only", "all")
        with self.assertRaises(bom.BomError):
            bom.component_json(wrong, "9.1.0")

    def test_the_notices_have_the_licence_of_every_library_once(self) -> None:
        text = bom.notices("N")
        self.assertTrue(text.startswith("N: Apache-2.0\n"))
        for component in bom.COMPONENTS:
            self.assertIn(f"{component.name}: {component.spdx}, in: ", text)
            whole = bom.copyright_file(component).read_text(encoding="utf-8", errors="replace")
            self.assertEqual(text.count(whole.strip()), 1, component.name)
        unknown = bom.Component("Nobody's", "libnobody-dev", None, "MIT", "all")
        with mock.patch.object(bom, "COMPONENTS", (*bom.COMPONENTS, unknown)), \
                self.assertRaises(bom.BomError):
            bom.notices("N")


if __name__ == "__main__":
    unittest.main()
