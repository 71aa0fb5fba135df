"""docs/windows-rules.md names tests and steps that exist, one row for each of the 46 rules; and two
rules that the sources themselves must hold."""

from __future__ import annotations

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from sources import ROOT, SourceFile, text_files

RULES = 46
QUESTIONS = "abcdefg"


class Sources:
    """What tests, torture cases and lines of code there are."""

    def __init__(self, files: list[SourceFile]) -> None:
        self.files = files
        self.names: set[str] = set()
        for file in files:
            if file.is_cpp and file.is_test:
                self.names |= {f"{suite}.{claim}" for suite, claim in re.findall(
                    r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", file.text, re.MULTILINE)}
            if file.path.startswith("host/torture/"):
                self.names |= {f"torture.{case}" for case in re.findall(
                    r'^\s*\{"([a-z0-9-]+)",', file.text, re.MULTILINE)}
            folder = {"tests/windows/": "windows", "tests/integration/": "integration",
                      "tools/": "tools", "tests/": "tests"}
            prefix = next((name for start, name in folder.items()
                           if file.path.startswith(start)), None)
            if file.path.endswith(".py") and prefix is not None:
                self.names |= {f"{prefix}.{claim}" for claim in re.findall(
                    r"^    def test_(\w+)", file.text, re.MULTILINE)}

    def has_line(self, name: str, word: str) -> bool:
        return any(file.path.endswith("/" + name) and word in file.text for file in self.files)

    def has_target(self, name: str) -> bool:
        return any(file.path == "Makefile" and f"\n{name}:" in file.text for file in self.files)


def problems(table: str, checklist: str, sources: Sources) -> list[str]:
    """What is wrong with the table, a sentence each."""
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ((?:[^|]|\\\|)+) \|$", table, re.MULTILINE)
    steps = {int(step) for step in re.findall(r"^\| (\d+) \|", checklist, re.MULTILINE)}
    found = []
    if [int(number) for number, _, _ in rows] != list(range(1, RULES + 1)):
        found.append(f"the rows are not 1 to {RULES}: {[number for number, _, _ in rows]}")
    for number, _, held in rows:
        proofs = 0
        for name in re.findall(r"`([^`]+)`", held):
            proofs += 1
            file, colon, word = name.replace("\\|", "|").partition(": ")
            known = sources.has_line(file, word) if colon else name in sources.names
            if name.startswith("make "):
                known = sources.has_target(name.removeprefix("make "))
            if not known:
                found.append(f"rule {number}: there is no {name}")
        for words in re.findall(r"\bsteps? ([\d, ]*\d)", held):
            for step in words.split(","):
                proofs += 1
                if int(step) not in steps:
                    found.append(f"rule {number}: the checklist has no step {step}")
        if proofs == 0:
            found.append(f"rule {number}: nothing holds it")
    asked = re.findall(r"\(([a-g])\) step\s+(\d+)", table)
    if [letter for letter, _ in asked] != list(QUESTIONS):
        found.append(f"the questions are not (a) to (g): {asked}")
    for letter, step in asked:
        row = re.search(rf"^\| {step} \|.*", checklist, re.MULTILINE)
        if row is None or not re.search(rf"[Qq]uestion {letter}\b", row[0]):
            found.append(f"step {step} does not ask question {letter}")
    return found


_COMMENT_OR_LITERAL = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def without_comments(text: str) -> str:
    """Literals stay, and every line keeps its number."""
    return _COMMENT_OR_LITERAL.sub(
        lambda found: found[0] if found[0][0] == '"' else re.sub(r"[^\n]", " ", found[0]), text)


def code_lines_with(files: list[SourceFile], pattern: str) -> list[str]:
    """Places in product code, literals included, where `pattern` matches."""
    return [f"{file.path}:{number}: {line.strip()}"
            for file in files if file.is_cpp and not file.is_test
            for number, line in enumerate(without_comments(file.text).split("\n"), 1)
            if re.search(pattern, line)]


def global_names(files: list[SourceFile]) -> list[str]:
    return code_lines_with(files, r'"Global\\')


def registry_by_hand(files: list[SourceFile]) -> list[str]:
    return code_lines_with(files, r"(?i)wow6432node")


class WindowsRules(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.files = text_files()
        cls.sources = Sources(cls.files)
        cls.table = (ROOT / "docs/windows-rules.md").read_text(encoding="utf-8")
        cls.checklist = (ROOT / "docs/real-windows-checklist.md").read_text(encoding="utf-8")

    def test_every_rule_is_held_by_something_that_exists(self) -> None:
        self.assertEqual(problems(self.table, self.checklist, self.sources), [])

    def test_what_does_not_exist_is_noticed(self) -> None:
        for planted, wanted in (
                (("driver_shell.exceptions_become_numbers", "driver_shell.gone"), "rule 22"),
                (("windows.the_service_shows", "windows.nobody_shows"), "rule 1"),
                (("torture.fpu-control", "torture.gone"), "rule 20"),
                (("PIPE_REJECT_REMOTE_CLIENTS", "PIPE_TAKE_ANYBODY"), "rule 15"),
                (("make reproducible", "make nothing"), "rule 41"),
                (("step 12 |", "step 99 |"), "rule 24"),
                (("step 12 |", "somebody |"), "rule 24"),
                (("| 30 |", "| 300 |"), "the rows"),
                (("(c) step 25", "(c) step 24"), "step 24")):
            table = self.table.replace(*planted)
            self.assertNotEqual(table, self.table, planted)
            found = problems(table, self.checklist, self.sources)
            self.assertTrue(any(wanted in problem for problem in found), (planted, found))

    def test_no_code_names_a_global_object(self) -> None:
        self.assertEqual(global_names(self.files), [])
        self.assertEqual(len(global_names([
            SourceFile("service/a.cpp", 'auto n = L"Global\\\\asio";\n'),
            SourceFile("service/b.cpp", '// not "Global\\\\asio"\n'),
            SourceFile("service/b_test.cpp", 'auto n = "Global\\\\x";\n')])), 1)

    def test_no_code_names_the_32_bit_registry_by_hand(self) -> None:
        self.assertEqual(registry_by_hand(self.files), [])
        self.assertEqual(len(registry_by_hand([
            SourceFile("service/a.cpp", 'auto k = L"SOFTWARE\\\\WOW6432Node\\\\ASIO";\n'),
            SourceFile("service/b.cpp", "// Wow6432Node is reserved\n")])), 1)


if __name__ == "__main__":
    unittest.main()
