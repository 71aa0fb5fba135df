#!/bin/bash
# Builds every tree that has tests, then runs all their tests in one ctest, whose summary is the
# last thing printed. The report is in build/test-reports/all.xml.
#
#   tools/test.sh [ctest argument...]      for example: tools/test.sh -R engine
#
# ASIODRV_TEST_TREES chooses the trees (default: debug asan tsan windows-x64).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
trees=${ASIODRV_TEST_TREES:-debug asan tsan windows-x64}

# The installer's tests need a second vendor's programs and those of the next version.
brands=all,brand_example,brand_next
builds=
for tree in $trees; do
  case $tree in
    windows-x64) builds="windows-x64-dll:$brands windows-x86:$brands $builds windows-x64:$brands" ;;
    *) builds="$builds $tree" ;;
  esac
done
# shellcheck disable=SC2086  # lists of words
tools/build.sh $builds

# One test tree made of the trees of all presets.
mkdir -p build/all build/logs build/test-reports
{
  for tree in $trees; do
    printf 'subdirs("%s/build/%s")\n' "$root" "$tree"
  done
} >build/all/CTestTestfile.cmake

skipped=""
case " $trees " in
  *" windows-x64 "*)
    stop_wine() {  # the installer's tests have a prefix of their own
      tools/wine/stop.sh >&2 || true
      ASIODRV_WINE_PREFIX=$root/build/wine/installer-prefix tools/wine/stop.sh >&2 || true
    }
    trap stop_wine EXIT  # however it ends
    tools/step.sh "wine prefix" tools/wine/run.sh cmd.exe /c ver
    tools/step.sh "32-bit wine" tools/wine/make-x86-root.sh || {
      [ $? -eq 3 ] || exit 1
      skipped="SKIPPED: the 32-bit tests, because there is no 32-bit Wine: $(
        tail -n 1 build/logs/32-bit-wine.log)"
    } ;;
esac
code=0
ctest --test-dir build/all --parallel "${ASIODRV_JOBS:-$(nproc)}" --output-on-failure \
  --no-label-summary --no-tests=error --output-junit "$root/build/test-reports/all.xml" "$@" |
  tee build/logs/ctest.log || code=$?
# Where a whole suite is one ctest, ctest does not hear of a test that was skipped: its log has it.
# Nor of a claim that a test which passed could not look into.
tr -d '\r' <build/all/Testing/Temporary/LastTest.log | awk '
  /^[0-9]+\/[0-9]+ Testing: / { test = $3 }
  /^NOT JUDGED: / { print $0 " (" test ")" }
  /^REPEATED: / { print }
  /: Skipped$/ { getline reason }
  /^\[  SKIPPED \] .* ms\)$/ { print "SKIPPED: " test ", " $4 ": " reason }'
[ -z "$skipped" ] || echo "$skipped"
# ctest lists skipped tests after its summary; the summary comes last all the same.
grep -E '^[0-9]+% tests passed' build/logs/ctest.log | tail -n 1 || true
exit $code
