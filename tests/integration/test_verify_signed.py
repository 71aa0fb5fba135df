"""verify on real files under Wine: signatures that openssl and osslsigncode made, judged by the
system's own check.

What Wine cannot say (who may change a folder) is "not known" there: a file with which nothing else
is wrong comes to "could not decide", and is genuine once that one fact is put into its record, as
a Windows machine would have written it.
"""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import tempfile
import unittest
from typing import Any

import signed_files
from harness import BUILD
import stage  # found through the path that the harness sets
from programs import DRIVER
from test_verify import (DANGEROUS, DRIVE_C, GENUINE, PROTECTED, SUSPICIOUS, UNDECIDED, Verify,
                         example_facts, finding_ids, named)


class SignedFiles(Verify):
    """Under Wine: real signatures, judged by the system's own check."""

    folder: pathlib.Path
    authority: signed_files.Authority
    good: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="asiodrv-verify-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.authority = signed_files.Authority(cls.folder)
        cls.pin = cls.authority.key_sha256("vendor")
        # In the prefix's own Program Files, where a driver belongs.
        cls.installed = DRIVE_C / "Program Files" / cls.folder.name
        cls.installed.mkdir(parents=True)
        cls.addClassCleanup(shutil.rmtree, cls.installed, ignore_errors=True)
        cls.unsigned = BUILD.bin / "asio-driver.dll"
        cls.good = cls.authority.sign("vendor", cls.unsigned, cls.installed / "asio-driver.dll")

    def made(self, how: Any) -> pathlib.Path:
        """The good file, damaged by `how`, in a folder of its own beside it."""
        folder = self.installed / how.__name__
        folder.mkdir(exist_ok=True)
        return how(self.good, folder / "asio-driver.dll")

    def signed_by(self, name: str, *options: str) -> pathlib.Path:
        folder = self.installed / f"by-{name}"
        folder.mkdir(exist_ok=True)
        return self.authority.sign(name, self.unsigned, folder / "asio-driver.dll", *options)

    def judge(self, path: pathlib.Path, code: int, *arguments: str) -> Any:
        """With the vendor's key accepted, as one who builds this product would."""
        return self.subject(code, named(path), "--signer", self.pin, *arguments)

    def test_a_genuine_file_lacks_one_fact_under_wine_and_none_in_its_record(self) -> None:
        subject = self.judge(self.good, UNDECIDED)
        self.assertEqual(finding_ids(subject, "unknown", "suspicious", "dangerous"),
                         {"writable_unknown"})
        self.assertIn("signer_expected", finding_ids(subject, "good"))
        facts = subject["facts"]
        signature = facts["file"]["signature"]
        self.assertEqual(signature["code"], 0)
        self.assertEqual(signature["signer"]["common_name"], "Example Audio GmbH")
        self.assertEqual(signature["signer"]["organization"], "Example Audio GmbH")
        self.assertEqual(signature["signer"]["issuer"], "Test Root of verify")
        self.assertEqual(signature["signer"]["public_key_sha256"], self.pin)
        self.assertEqual(facts["file"]["place"]["kind"], "program_files")
        facts["file"]["place"]["writable"] = PROTECTED
        self.judge_record(facts, GENUINE, "--signer", self.pin)
        facts["file"]["place"]["writable"] = dict(PROTECTED, answer="yes", where="C:\\x",
                                                  who="S-1-5-11", how="add files")
        self.assertIn("user_writable",
                      finding_ids(self.judge_record(facts, SUSPICIOUS, "--signer", self.pin)))

    def test_a_root_that_nobody_trusts_is_told_although_wine_accepts_it(self) -> None:
        subject = self.subject(SUSPICIOUS, named(self.good))
        self.assertIn("signer_not_provable", finding_ids(subject, "suspicious"))
        self.assertNotEqual(subject["facts"]["file"]["signature"]["chain_errors"], 0)

    def test_what_is_not_signed_or_was_changed_since_is_told(self) -> None:
        unsigned = signed_files.copied(self.unsigned, self.installed / "plain/asio-driver.dll")
        self.assertIn("unsigned",
                      finding_ids(self.subject(SUSPICIOUS, named(unsigned)), "suspicious"))
        self.assertIn("ours_unsigned", finding_ids(self.judge(unsigned, DANGEROUS), "dangerous"))
        self.assertIn("modified_after_signing",
                      finding_ids(self.judge(self.made(signed_files.tampered), DANGEROUS)))
        self.assertIn("bytes_after_signature",
                      finding_ids(self.judge(self.made(signed_files.appended), DANGEROUS)))

    def test_what_is_added_around_a_signature_is_told(self) -> None:
        for how, ident in ((signed_files.doubled, "several_certificates"),
                           (signed_files.truncated, "certificate_table_broken"),
                           (signed_files.padded, "data_in_padding"),
                           (signed_files.overlapping, "sections_broken")):
            with self.subTest(ident):
                finished = self.verify(named(self.made(how)), "--signer", self.pin, "--json")
                self.assertIn(finished.code, (SUSPICIOUS, DANGEROUS), str(finished))
                [subject] = finished.json()["subjects"]
                self.assertIn(ident, finding_ids(subject, "suspicious"))
        blob = self.signed_by("vendor", "-addUnauthenticatedBlob")
        self.assertIn("extra_unsigned_data",
                      finding_ids(self.judge(blob, SUSPICIOUS), "suspicious"))

    def test_signatures_of_others_and_of_the_wrong_kind_are_told(self) -> None:
        self.assertIn("foreign_signer",
                      finding_ids(self.judge(self.signed_by("stranger"), DANGEROUS), "dangerous"))
        self_signed = self.subject(SUSPICIOUS, named(self.signed_by("self")))
        self.assertIn("self_signed", finding_ids(self_signed, "suspicious"))
        expired = self.subject(SUSPICIOUS, named(self.signed_by("expired")))
        self.assertIn("certificate_expired", finding_ids(expired, "suspicious"))

    def test_a_good_signature_in_the_wrong_place_or_under_a_wrong_name_is_told(self) -> None:
        temp = signed_files.copied(
            self.good, DRIVE_C / "windows/temp" / self.folder.name / "asio-driver.dll")
        self.addCleanup(shutil.rmtree, temp.parent, ignore_errors=True)
        self.assertIn("wrong_place", finding_ids(self.judge(temp, SUSPICIOUS), "suspicious"))
        renamed = signed_files.copied(self.good, self.installed / "renamed/reverb.dll")
        self.assertIn("renamed_program", finding_ids(self.judge(renamed, SUSPICIOUS), "suspicious"))

    def test_a_release_list_decides_by_hash(self) -> None:
        path = self.world.folder / "SHA256SUMS"
        digest = hashlib.sha256(self.good.read_bytes()).hexdigest()
        path.write_text(f"{digest}  asio-driver.dll\n", encoding="ascii")
        option = ("--release-hashes", named(path))
        self.assertIn("hash_listed", finding_ids(self.judge(self.good, UNDECIDED, *option)))
        path.write_text(f"{'0' * 64}  asio-driver.dll\n", encoding="ascii")
        self.assertIn("hash_differs", finding_ids(self.judge(self.good, DANGEROUS, *option)))

    def test_registered_drivers_are_found_and_their_likes_and_helpers_told(self) -> None:
        name, other = f"Verify {self.folder.name}", f"Ver1fy {self.folder.name}"
        copy_path = signed_files.copied(self.unsigned, self.installed / "like/asio-driver.dll")
        self.register(name, "{AAAAAAAA-0000-4000-8000-000000000001}", named(self.good))
        self.register(other, "{AAAAAAAA-0000-4000-8000-000000000002}", named(copy_path))
        run = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
        self.reg("add", run, "/v", name, "/d", f'rundll32 "{named(self.good)}",Go')
        self.addCleanup(self.reg, "delete", run, "/v", name)
        finished = self.verify("--all", "--json", "--signer", self.pin)
        self.assertEqual(finished.code, DANGEROUS, str(finished))
        subjects = {each["facts"]["subject"]: each for each in finished.json()["subjects"]}
        self.assertTrue({name, other} <= set(subjects), str(set(subjects)))
        self.assertTrue({"look_alike_name", "other_persistence"} <= finding_ids(subjects[name]))
        self.assertEqual(subjects[name]["facts"]["registrations"][0]["view_32"], False)
        self.assertIn("ours_unsigned", finding_ids(subjects[other]))

    def test_what_leads_a_class_elsewhere_is_told_of_the_driver_itself(self) -> None:
        clsid, away = (f"{{AAAAAAAA-0000-4000-8000-00000000000{digit}}}" for digit in "34")
        other = signed_files.copied(self.unsigned, self.installed / "away/elsewhere.dll")
        # The same file, spelled in another way.
        odd = named(self.good).replace("C:\\", "C:\\windows\\..\\", 1)
        self.register(f"Led {self.folder.name}", clsid, odd)
        self.register(f"Away {self.folder.name}", away, named(other))
        before = self.verify(named(self.good), "--signer", self.pin, "--json")
        [subject] = before.json()["subjects"]
        self.assertEqual([each["clsid"] for each in subject["facts"]["registrations"]], [clsid])
        self.assertNotIn("class_overridden", finding_ids(subject))
        own = f"HKCU\\Software\\Classes\\CLSID\\{clsid}"
        self.addCleanup(self.reg, "delete", own)
        for key, text in (("InprocServer32", named(other)), ("TreatAs", away)):
            with self.subTest(key):
                self.reg("add", f"{own}\\{key}", "/ve", "/d", text)
                subject = self.judge(self.good, DANGEROUS)
                self.assertIn("class_overridden", finding_ids(subject, "dangerous"))
                self.reg("delete", f"{own}\\{key}")

    def register(self, name: str, clsid: str, path: str) -> None:
        key, server = f"HKLM\\SOFTWARE\\ASIO\\{name}", f"HKLM\\SOFTWARE\\Classes\\CLSID\\{clsid}"
        self.reg("add", key, "/v", "CLSID", "/d", clsid)
        self.addCleanup(self.reg, "delete", key)
        self.reg("add", f"{server}\\InprocServer32", "/ve", "/d", path)
        self.addCleanup(self.reg, "delete", server)

    def reg(self, *arguments: str) -> None:
        done = stage.wine("reg", *arguments, "/f")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_running_service_is_looked_into_and_judged_by_what_is_known(self) -> None:
        self.world.start(DRIVER, "run")
        service = self.world.wait_for_service()["service"]["process_id"]
        finished = self.verify(str(service), "--json", "--seconds", "1")
        self.assertIn(finished.code, (SUSPICIOUS, DANGEROUS, UNDECIDED), str(finished))
        [subject] = finished.json()["subjects"]
        [process] = subject["facts"]["process"]
        self.assertEqual(process["id"], service)
        self.assertEqual(process["clients"], 0)
        self.assertGreaterEqual(process["processor"]["sample_ms"], 900)
        paths = {module["path"].lower().rpartition("\\")[2] for module in process["modules"]}
        self.assertTrue({"asio-driver.exe", "kernel32.dll"} <= paths, str(paths))
        self.assertEqual(paths & {"wintrust.dll", "crypt32.dll", "iphlpapi.dll", "ws2_32.dll"},
                         set(), "the service carries what only verify needs")
        self.assertEqual(process["connections"], {"not_known": "Wine does not say whose they are"})
        # As recorded on a machine that says all of it: once good, once with a connection.
        facts = subject["facts"]
        facts["file"]["signature"] = example_facts()["file"]["signature"]
        facts["file"]["structure"]["version"]["company"] = (
            facts["file"]["signature"]["signer"]["common_name"])
        facts["file"]["place"] = {"kind": "program_files", "writable": PROTECTED}
        process["modules"] = []
        process["connections"] = []
        process["processor"]["percent"] = 0.0
        self.judge_record(facts, GENUINE)
        process["connections"] = [{"protocol": "TCP", "local": "10.0.0.2:50000",
                                   "remote": "9.9.9.9:443", "listening": False}]
        self.assertIn("network_use", finding_ids(self.judge_record(facts, DANGEROUS)))
        process["connections"] = []
        process["processor"]["percent"] = 12.0
        self.assertIn("busy_while_idle", finding_ids(self.judge_record(facts, SUSPICIOUS)))


if __name__ == "__main__":
    unittest.main()
