"""Lets clang read what GCC builds: other warnings, and the C++ that static analysis needs.

Only the portable and POSIX half, syntax and semantics only. What passed once is remembered by
content in build/lint, so that a second run reads changed files only.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from sources import ROOT, SourceFile, text_files

FLAGS = ("clang++-14", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
         "-Wthread-safety", "-Wimplicit-fallthrough", "-Wno-unknown-warning-option",
         # Each of these would be noise: a private field kept for layout, and GCC's own pragmas.
         "-Wno-unused-private-field", "-Wno-unknown-pragmas",
         "-DSPDLOG_FMT_EXTERNAL", "-DJSON_USE_IMPLICIT_CONVERSIONS=0",
         '-DASIODRV_VERSION="0"',
         f"-I{ROOT}")


def read_by_clang(file: SourceFile) -> bool:
    return (file.path.endswith(".cpp") and not file.is_test
            and not file.in_folder("bench", "tests")
            and "windows" not in file.path.split("/")
            and file.path != "asio/dll/registration.cpp"  # its header is Windows' already
            and "<windows.h>" not in file.text)


def main() -> int:
    files = text_files()
    headers = hashlib.sha256(" ".join(FLAGS).encode())
    for file in files:
        if file.path.endswith((".hpp", ".h")):
            headers.update(file.path.encode() + file.text.encode())
    passed_folder = ROOT / "build/lint"
    passed_folder.mkdir(parents=True, exist_ok=True)

    def run(file: SourceFile) -> int:
        key = headers.copy()
        key.update(file.path.encode() + file.text.encode())
        stamp = pathlib.Path(passed_folder, key.hexdigest()[:32])
        if stamp.exists():
            return 0
        result = subprocess.run([*FLAGS, file.path], cwd=ROOT, check=False, capture_output=True,
                                text=True)
        sys.stdout.write(result.stderr)
        if result.returncode == 0:
            stamp.touch()
        return result.returncode

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        codes = list(pool.map(run, filter(read_by_clang, files)))
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
