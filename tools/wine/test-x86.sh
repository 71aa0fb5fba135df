#!/bin/bash
# The 32-bit driver and host with the 64-bit service, in a Wine of their own that knows both: the
# tests of tests/integration/test_x86.py, which ctest runs too.
#
# Exit codes: 0 passed, or skipped aloud when that Wine cannot be had here; 1 failed.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
tools/step.sh "32-bit wine" tools/wine/make-x86-root.sh
case $? in
  0) ;;
  3) echo "SKIPPED: the 32-bit tests did not run, because there is no 32-bit Wine (see above)."
     exit 0 ;;
  *) exit 1 ;;
esac
cd tests/integration && exec python3 -B -m unittest -v test_x86
