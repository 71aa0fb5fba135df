#!/usr/bin/env python3
"""Every static check of the project, one line each. Exit code 0: nothing found.

  tools/lint/lint.py                all checks
  tools/lint/lint.py --fix-format   format the C++ files in place, nothing else
"""

from __future__ import annotations

import sys
import time
import unittest

import check_format
import check_includes
import check_rules
import check_scripts
import check_second_compiler


def canaries() -> int:
    """The checkers must fail on planted violations, or their silence means nothing."""
    suite = unittest.defaultTestLoader.loadTestsFromName("test_lint")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


CHECKS = (
    ("the checkers find planted violations", canaries),
    ("format", check_format.main),
    ("includes", check_includes.main),
    ("rules", check_rules.main),
    ("scripts", check_scripts.main),
    ("clang reads it", check_second_compiler.main),
)


def main() -> int:
    if "--fix-format" in sys.argv[1:]:
        return check_format.main(fix=True)
    failed = []
    for name, check in CHECKS:
        print(f"== lint: {name}", flush=True)
        start = time.monotonic()
        if check() != 0:
            failed.append(name)
            print("   FAILED", flush=True)
        else:
            print(f"   ok, {time.monotonic() - start:.1f} s", flush=True)
    if failed:
        print(f"lint: {len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}")
        return 1
    print(f"lint: all {len(CHECKS)} checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
