"""A small table of bans, each naming what to use instead, and a few shapes that files must have."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable

from check_includes import is_dll_code
from sources import CPP_FOLDERS, Finding, SourceFile, code_only, line_of, text_files

MAX_LINES = 600
MAX_COLUMNS = 100


@dataclasses.dataclass(frozen=True)
class Ban:
    """`pattern` must not match where `applies` says; `code` = comments and literals are skipped."""

    pattern: re.Pattern[str]
    instead: str
    applies: Callable[[SourceFile], bool]
    code: bool = True


def library_code(file: SourceFile) -> bool:
    """What programs link; a file with a main is a program, cli and host are nothing else."""
    return (file.is_cpp and not file.is_test and not file.in_folder("cli", "host", "tools")
            and not re.search(r"\bint w?main\(", file.text))


def product_code(file: SourceFile) -> bool:
    return file.is_cpp and not file.is_test


def cpp(file: SourceFile) -> bool:
    return file.is_cpp


def test_code(file: SourceFile) -> bool:
    return file.is_cpp and file.is_test


def anything(_file: SourceFile) -> bool:
    return True


BANS = (
    Ban(re.compile(r"\bstd::(jthread|thread)\b(?!::id)"), "ports::Threads (core/ports/thread.hpp)",
        is_dll_code),
    Ban(re.compile(r"\bstd::(recursive_|shared_|timed_)?mutex\b|\bstd::condition_variable\w*"),
        "ports::Mutex or ports::Signal (core/ports)", is_dll_code),
    Ban(re.compile(r"\bthread_local\b"),
        "a member, or a value passed in: hosts load and unload the DLL on foreign threads",
        lambda file: is_dll_code(file) and file.path != "core/base/rt.cpp"),  # test builds
    Ban(re.compile(r"\bstd::(cout|cerr|clog|cin)\b|(?<![\w:])(std::)?(printf|puts|putchar)\s*\("),
        "an Error or a value that the caller prints (cli, host)", library_code),
    Ban(re.compile(r"\bsleep_(for|until)\s*\(\s*(std::chrono|[0-9])|\b(usleep|nanosleep)\s*\(|"
                   r"\bSleep\s*\(|\bstd::this_thread::sleep_\w+"),
        "a condition with a generous deadline: ports::Signal, Doorbell::wait_change",
        # The trap's own test calls what the trap forbids; a bench measures sleeps.
        lambda file: test_code(file) and not file.in_folder("tests/support", "bench")),
    Ban(re.compile(r"\bstd::this_thread::sleep_\w+|\b(usleep|nanosleep)\s*\("),
        "ports::Clock::sleep_until or a Signal with a deadline",
        lambda file: library_code(file) and not file.in_folder("platform")),
    Ban(re.compile(r"\b(steady|system|high_resolution)_clock::now\b"),
        "ports::Clock::now: a simulation must be able to replace time",
        lambda file: library_code(file) and not file.in_folder("platform")),
    Ban(re.compile(r"\bs?rand\s*\(|\bstd::random_device\b"),
        "platform::random_bytes, or a seeded generator passed in", product_code),
    Ban(re.compile(r"\busing\s+namespace\s+std\s*;"), "the qualified name", cpp),
    Ban(re.compile(r"\b(strcpy|strcat|sprintf|gets|wcscpy|wcscat)\s*\("),
        "std::string, or fmt::format_to_n", cpp),
    Ban(re.compile(r"\bstd::expected\b"), "tl::expected: clang 14 must read every file", cpp),
    Ban(re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"),
        "the work itself, or a line in the README's list of what is planned",
        lambda file: not file.path.startswith("tools/lint/"), code=False),
    Ban(re.compile(r"/w[o]rk/|(?<!tmp)/h[o]me/[a-z]|/r[o]ot/|/tmp/[a-z]*bri[e]f|"
                   r"\b[C-Z]:\\Users\\[a-z]"),
        "a path relative to the repository", anything, code=False),
    Ban(re.compile(r'"(?:\\\\|/)asio-driver(?:\\\\|/)'),
        "kProduct.id: another vendor's product has folders of its own", product_code, code=False),
    Ban(re.compile(r"\t"), "spaces",
        lambda file: not file.path.endswith(("Makefile", ".def")), code=False),
    Ban(re.compile(r"[ \t]+$", re.MULTILINE), "no blanks at the end of a line", anything,
        code=False),
)

TRADEMARK = re.compile(r"Stein[b]erg")


def check_bans(file: SourceFile) -> list[Finding]:
    findings = []
    code = code_only(file.text) if file.is_cpp else file.text
    for ban in BANS:
        if not ban.applies(file):
            continue
        text = code if ban.code else file.text
        for match in ban.pattern.finditer(text):
            shown = match.group(0).strip() or "blanks"
            findings.append(Finding(file.path, line_of(text, match.start()),
                                    f"'{shown}' is banned here; use {ban.instead}"))
    return findings


def block_end(code: str, open_brace: int) -> int:
    """The offset of the brace that closes the one at `open_brace`, or the end of the text."""
    depth = 0
    for offset in range(open_brace, len(code)):
        depth += {"{": 1, "}": -1}.get(code[offset], 0)
        if depth == 0:
            return offset
    return len(code)


def check_error_switches(file: SourceFile) -> list[Finding]:
    """A switch over ErrorCode lists every code, so that a new one is a build failure there."""
    findings = []
    if not file.is_cpp:
        return findings
    code = code_only(file.text)
    for match in re.finditer(r"\bswitch\s*\([^;{]*\)\s*\{", code):
        body = code[match.end() - 1:block_end(code, match.end() - 1)]
        default = re.search(r"\bdefault\s*:", body)
        if default and re.search(r"\bcase\s+(\w+::)*ErrorCode::", body):
            line = line_of(code, match.end() - 1 + default.start())
            findings.append(Finding(file.path, line, "'default:' in a switch over ErrorCode is "
                                    "banned; use one case per code"))
    return findings


def check_shape(file: SourceFile) -> list[Finding]:
    """Length, width, header guards, file names."""
    findings = []
    lines = file.text.split("\n")
    is_code = file.is_cpp or file.path.endswith((".py", ".sh"))
    if is_code and len(lines) - 1 > MAX_LINES:
        findings.append(Finding(file.path, MAX_LINES + 1, f"{len(lines) - 1} lines; split the file "
                                f"(at most {MAX_LINES})"))
    if is_code:
        findings += [Finding(file.path, number, f"{len(line)} columns; at most {MAX_COLUMNS}")
                     for number, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS]
    if file.path.endswith((".hpp", ".h")) and "#pragma once" not in file.text:
        findings.append(Finding(file.path, 1, "no '#pragma once'"))
    if file.is_cpp and not re.fullmatch(r"[a-z0-9_]+\.(cpp|hpp|h)", file.path.rpartition("/")[2]):
        findings.append(Finding(file.path, 1, "the file's name is not snake_case"))
    if file.is_cpp and not file.in_folder(*CPP_FOLDERS):
        findings.append(Finding(file.path, 1, "C++ outside the folders that ARCHITECTURE.md names"))
    if file.text and not file.text.endswith("\n"):
        findings.append(Finding(file.path, len(lines), "no newline at the end of the file"))
    return findings


def check_trademark(files: list[SourceFile]) -> list[Finding]:
    """The trademark's owner is named exactly once, in README.md."""
    places = [(file.path, line_of(file.text, match.start()))
              for file in files for match in TRADEMARK.finditer(file.text)]
    wrong = [place for place in places if place[0] != "README.md"] + \
        [place for place in places if place[0] == "README.md"][1:]
    findings = [Finding(path, line, "the trademark sentence belongs into README.md, once")
                for path, line in wrong]
    if not any(path == "README.md" for path, _ in places):
        findings.append(Finding("README.md", 1, "the trademark sentence is missing"))
    return findings


def check_links(files: list[SourceFile], known: set[str]) -> list[Finding]:
    """A relative link in a Markdown file names a file or folder of the repository."""
    findings = []
    folders = {path[:offset] for path in known
               for offset in range(len(path)) if path[offset] == "/"}
    for file in files:
        if not file.path.endswith(".md"):
            continue
        here = file.path.rpartition("/")[0]
        for match in re.finditer(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)]*)?\)", file.text):
            parts = [part for part in here.split("/") if part]
            for part in match.group(1).split("/"):
                if part == "..":
                    parts = parts[:-1]
                elif part not in ("", "."):
                    parts.append(part)
            target = "/".join(parts)
            if target not in known and target not in folders:
                findings.append(Finding(file.path, line_of(file.text, match.start()),
                                        f"the link leads nowhere: {match.group(1)}"))
    return findings


def check(files: list[SourceFile], known: set[str] | None = None) -> list[Finding]:
    findings = []
    for file in files:
        findings += check_bans(file) + check_error_switches(file) + check_shape(file)
    if known is not None:
        findings += check_trademark(files) + check_links(files, known)
    return findings


def main() -> int:
    files = text_files()
    findings = check(files, {file.path for file in files})
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
