"""Which files the lint reads, and small readers for C++ text. Standard library only."""

from __future__ import annotations

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

#: Folders that hold our C++ code. Anything else with C++ in it is a finding of its own.
CPP_FOLDERS = ("core", "platform", "devices", "ipc", "asio", "service", "doctor", "cli", "trust",
               "panel", "host", "installer", "simulation", "tests", "fuzz", "bench", "tools")
SKIPPED_FOLDERS = {"build", ".git", ".cache", "__pycache__"}
TEXT_SUFFIXES = {".cpp", ".hpp", ".h", ".py", ".sh", ".md", ".cmake", ".txt", ".toml", ".json",
                 ".def", ".rc", ".yml", ".nsi", ".nsh"}
TEXT_NAMES = {"Makefile", ".clang-format", ".gitignore", "run"}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One violation; prints as a compiler's message does, so that editors can jump to it."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """A file of the tree: `path` relative to the root with forward slashes, and its text."""

    path: str
    text: str

    @property
    def is_cpp(self) -> bool:
        return self.path.endswith((".cpp", ".hpp", ".h"))

    @property
    def is_test(self) -> bool:
        """Test and benchmark programs: they are mains of their own and ship to nobody."""
        return (self.path.startswith(("tests/", "bench/", "fuzz/"))
                or re.search(r"_(test|bench|fuzz)\.(cpp|hpp)$", self.path) is not None
                or re.search(r"(^|/)test_(?!signal\.)[a-z_]+\.(cpp|hpp)$", self.path) is not None
                or "/testing/" in self.path)

    def in_folder(self, *folders: str) -> bool:
        return any(self.path.startswith(folder + "/") for folder in folders)


def text_files(root: pathlib.Path = ROOT) -> list[SourceFile]:
    """Every text file of the tree, sorted by path."""
    found = []
    pending = [root]
    while pending:
        for entry in sorted(pending.pop().iterdir()):
            if entry.is_symlink():
                continue
            if entry.is_dir():
                if entry.name not in SKIPPED_FOLDERS:
                    pending.append(entry)
            elif entry.suffix in TEXT_SUFFIXES or entry.name in TEXT_NAMES:
                text = entry.read_text(encoding="utf-8", errors="replace")
                found.append(SourceFile(entry.relative_to(root).as_posix(), text))
    return sorted(found, key=lambda file: file.path)


_LITERALS = re.compile(
    r"""//[^\n]*                                  # a line comment
      | /\*.*?\*/                                 # a block comment
      | R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"        # a raw string
      | "(?:\\.|[^"\\\n])*"                       # a string
      | (?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'      # a character, not a digit separator
    """, re.VERBOSE | re.DOTALL)


def code_only(text: str) -> str:
    """`text` with comments and literals blanked out; every line keeps its number."""
    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group(0))
    return _LITERALS.sub(blank, text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
