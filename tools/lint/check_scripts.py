"""Reads every script without running it: shell syntax, Python syntax, the executable bit."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

from sources import ROOT, Finding, SourceFile, text_files


def check(file: SourceFile) -> list[Finding]:
    shebang = file.text.partition("\n")[0] if file.text.startswith("#!") else ""
    if file.path.endswith(".py"):
        try:
            ast.parse(file.text)
        except SyntaxError as error:
            return [Finding(file.path, error.lineno or 1, f"not Python: {error.msg}")]
    if file.path.endswith(".sh") or shebang.endswith(("/sh", "/bash")):
        shell = "sh" if shebang.endswith("/sh") else "bash"
        result = subprocess.run([shell, "-n"], input=file.text, capture_output=True, text=True,
                                check=False)
        if result.returncode != 0:
            return [Finding(file.path, 1, f"not a script of {shell}: {result.stderr.strip()}")]
    if shebang and not os.access(ROOT / file.path, os.X_OK):
        return [Finding(file.path, 1, "begins with #! and is not executable")]
    return []


def main() -> int:
    findings = [finding for file in text_files() for finding in check(file)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
