"""verify on every system: recorded facts, and what a file says without its signature. Real
signatures are in test_verify_signed.py.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pathlib
import re
import unittest
from typing import Any

from harness import BUILD, ROOT, Case
from programs import DRIVER, Finished

GENUINE, FAILED, WRONG_USAGE, SUSPICIOUS, DANGEROUS, UNDECIDED = 0, 1, 2, 10, 11, 12

#: The prefix that tools/wine/run.sh runs programs in.
PREFIX = pathlib.Path(os.environ.get("ASIODRV_WINE_PREFIX", ROOT / "build/wine/prefix"))
DRIVE_C = PREFIX / "drive_c"

PROTECTED = {"answer": "no", "where": "", "who": "", "how": ""}


def named(path: pathlib.Path) -> str:
    """`path` as the programs name it; what lies in the prefix is on its drive C."""
    if BUILD.windows and path.is_relative_to(DRIVE_C):
        return "C:\\" + str(path.relative_to(DRIVE_C)).replace("/", "\\")
    return BUILD.path(path)


def finding_ids(subject: Any, *severities: str) -> set[str]:
    return {finding["id"] for finding in subject["findings"]
            if not severities or finding["severity"] in severities}


class Verify(Case):
    def verify(self, *arguments: str) -> Finished:
        return self.world.run(DRIVER, "verify", *arguments, seconds=60)

    def subject(self, code: int, *arguments: str) -> Any:
        """The one subject of a run that ends with `code`."""
        finished = self.verify(*arguments, "--json")
        self.assertEqual(finished.code, code, str(finished))
        [subject] = finished.json()["subjects"]
        return subject

    def judge_record(self, facts: Any, code: int, *arguments: str) -> Any:
        path = self.world.folder / "record.json"
        path.write_text(json.dumps({"subjects": [{"facts": facts}]}), encoding="utf-8")
        return self.subject(code, "--facts", named(path), *arguments)


class Records(Verify):
    """On every system: the record of another machine, and a file without its signature."""

    def test_a_record_is_judged_and_its_report_can_be_judged_again(self) -> None:
        facts = example_facts()
        self.assertIn("signature_valid", finding_ids(self.judge_record(facts, GENUINE)))
        worse = copy.deepcopy(facts)
        worse["file"]["signature"]["code"] = 0x800B010C
        subject = self.judge_record(worse, DANGEROUS)
        self.assertIn("certificate_revoked", finding_ids(subject, "dangerous"))
        again = self.judge_record(subject["facts"], DANGEROUS)
        self.assertEqual(again, subject)
        del worse["file"]["signature"]
        self.assertIn("signature_unknown", finding_ids(self.judge_record(worse, UNDECIDED)))
        text = self.verify("--facts", named(self.world.folder / "record.json"))
        self.assertEqual(text.code, UNDECIDED)
        self.assertIn("Verdict: could not decide", text.out)
        self.assertIn("Do:", text.out)

    def test_what_cannot_be_looked_at_is_an_error_and_no_verdict(self) -> None:
        nothing = self.verify(named(self.world.folder / "nothing.dll"))
        self.assertEqual(nothing.code, FAILED, str(nothing))
        self.assertIn("There is no file", nothing.err)
        broken = self.world.folder / "broken.json"
        broken.write_text('{"file": {"path": 5}}', encoding="ascii")
        record = self.verify("--facts", named(broken))
        self.assertEqual(record.code, FAILED, str(record))
        self.assertIn("file.path must be a text", record.err)
        hashes = self.verify("--release-hashes", named(broken), named(broken))
        self.assertEqual(hashes.code, FAILED, str(hashes))
        self.assertIn("Line 1 of the hash list", hashes.err)
        self.assertEqual(self.verify().code, WRONG_USAGE)

    def test_every_finding_stands_in_the_manual(self) -> None:
        made = set()
        for source in (ROOT / "trust").glob("judge*.cpp"):
            text = "" if source.name.endswith("_test.cpp") else source.read_text(encoding="utf-8")
            made |= set(re.findall(r"findings\.add\([^;]*?\"([a-z_]+)\"", text))
        self.assertGreater(len(made), 50)
        manual = (ROOT / "docs/verify.md").read_text(encoding="utf-8")
        part = manual.partition("## Findings")[2].partition("\n## ")[0]
        listed = re.findall(r"`([a-z_]+)`", part)
        self.assertEqual(sorted(made), sorted(listed))

    def test_a_file_is_looked_into_on_every_system(self) -> None:
        library = BUILD.bin / "asio-driver.dll" if BUILD.windows else pathlib.Path(__file__)
        finished = self.verify(named(library), "--json")
        # Unsigned; and where Wine takes the drive for another computer's, worse.
        expected = (SUSPICIOUS, DANGEROUS) if BUILD.windows else (UNDECIDED,)
        self.assertIn(finished.code, expected, str(finished))
        [subject] = finished.json()["subjects"]
        self.assertEqual(subject["facts"]["file"]["sha256"],
                         hashlib.sha256(library.read_bytes()).hexdigest())
        if not BUILD.windows:
            self.assertEqual(subject["facts"]["file"]["signature"],
                             {"not_known": "not known here, only on Windows"})


def example_facts() -> Any:
    return {"subject": "Example", "recorded_on": "Windows 10.0.19045",
            "recorded_at_s": 1_800_000_000,
            "file": {"path": "C:\\Program Files\\Example\\example.dll", "exists": True,
                     "size_bytes": 1000, "sha256": "a" * 64,
                     "structure": {"machine": 0x8664, "is_64": True, "is_library": True,
                                   "exports_com_server": True, "sections_overlap": False,
                                   "sections_beyond_end": False, "tables_damaged": False,
                                   "several_makers": False,
                                   "version": {"company": "Example Audio", "product": "Example",
                                               "original_name": "example.dll"},
                                   "certificates": {
                                       "entries": 1, "truncated": False, "misaligned": False,
                                       "bytes_after_table": 0, "unknown_type": False,
                                       "unreadable": False, "data_in_padding": False,
                                       "unknown_attributes": []}},
                     "signature": {"code": 0, "chain_errors": 0, "root": "Root",
                                   "signer": {"common_name": "Example Audio GmbH"}},
                     "place": {"kind": "program_files", "writable": PROTECTED}},
            "registrations": [], "duplicates": [], "persistence": {"found": [], "not_seen": []}}


if __name__ == "__main__":
    unittest.main()
