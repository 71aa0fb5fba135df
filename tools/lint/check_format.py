"""Runs clang-format over every C++ file: reports what it would change, or changes it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from sources import ROOT, text_files

PROGRAM = "clang-format-14"
BATCH = 20  # files per process: starting the program costs more than reading a file


#: A divider, "// --- name -----", whole or as the formatter broke it into two lines.
DIVIDER = re.compile(r"^([ ]*)// --- (.+?)(?: |\n[ ]*// )-{10,}$", re.MULTILINE)
COLUMNS = 100


def even_dividers(text: str) -> str:
    """Dividers on one line each, all of one width: the formatter would wrap longer ones."""
    return DIVIDER.sub(lambda match: f"{match[1]}// --- {match[2]} ".ljust(COLUMNS, "-"), text)


def main(fix: bool = False) -> int:
    files = [file for file in text_files() if file.is_cpp]
    if fix:
        for file in files:
            evened = even_dividers(file.text)
            if evened != file.text:
                (ROOT / file.path).write_text(evened, encoding="utf-8")
    paths = [file.path for file in files]
    mode = ["-i"] if fix else ["--dry-run", "-Werror", "--ferror-limit=3"]

    def run(batch: list[str]) -> int:
        result = subprocess.run([PROGRAM, *mode, "--style=file", *batch], cwd=ROOT, check=False,
                                capture_output=True, text=True)
        sys.stdout.write(result.stderr)
        return result.returncode

    batches = [paths[first:first + BATCH] for first in range(0, len(paths), BATCH)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        codes = list(pool.map(run, batches))
    if any(codes):
        print("make format puts every file into shape")
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main("--fix" in sys.argv[1:]))
