#!/bin/bash
# Runs a Windows program under this tree's private Wine prefix.
#
#   tools/wine/run.sh PROGRAM.exe [argument...]
#
# Makes the prefix on first use (about 10 s), and keeps one small process in it, so that the next
# program starts quickly and services live on between programs. Needs no display. The exit code is
# the program's. Clean up with tools/wine/stop.sh.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

if [ $# -eq 0 ]; then
  echo "usage: $0 PROGRAM.exe [argument...]" >&2
  exit 2
fi

if ! [ -e "$WINEPREFIX/.complete" ]; then
  mkdir -p "$(dirname "$WINEPREFIX")"
  (
    flock -w 300 8 || {
      echo "Another process has been making $WINEPREFIX for 5 minutes." >&2
      exit 1
    }
    if ! [ -e "$WINEPREFIX/.complete" ]; then
      timeout 240 "${realtime[@]}" wine wineboot -i </dev/null >"$WINEPREFIX.log" 2>&1 8>&- || {
        echo "Making the Wine prefix failed; see $WINEPREFIX.log" >&2
        exit 1
      }
      # What the first start leaves behind would go on beside the next one's: two service managers,
      # each of which knows half of the services.
      timeout 30 wineserver -k 8>&- || true
      timeout 30 wineserver -w 8>&- || true
      : >"$WINEPREFIX/.complete"
    fi
  ) 8>"$WINEPREFIX.lock"
fi

# When the last ordinary process of a prefix ends, Wine ends its services too. The keeper is a
# shell that waits for input which never comes; its lock says that it lives. It leaves by itself
# after two hours, so a forgotten one does no harm.
if flock -n "$keeper_lock" true; then
  [ -p "$WINEPREFIX/keeper-input" ] || mkfifo "$WINEPREFIX/keeper-input" 2>/dev/null || true
  setsid flock -n -o "$keeper_lock" timeout 2h "${realtime[@]}" wine cmd.exe /q \
    <>"$WINEPREFIX/keeper-input" >/dev/null 2>&1 &
  disown
  # Wine's server and services must not be started by the program below: they would hold its
  # standard output open, and whoever reads that to its end would wait for them.
  timeout 120 "${realtime[@]}" wine cmd.exe /c ver </dev/null >/dev/null 2>&1 || true
fi

# Now and then Wine ends a program before it has begun. A list of tests costs nothing to ask for
# again, and one that is lost would end a whole test run.
if [ "${!#}" = --gtest_list_tests ]; then
  for _ in 1 2 3; do
    list=$("${realtime[@]}" wine "$@") && break
    list=
  done
  [ -n "$list" ] || exit 1
  printf '%s\n' "$list"
  exit 0
fi

# Nor does a suite of tests: GoogleTest says at once what it was asked for, so one that failed
# without a word was never there.
if [[ $* == *--gtest_filter=* ]]; then
  said=$(mktemp)
  trap 'rm -f "$said"' EXIT
  for _ in 1 2 3; do
    code=0
    "${realtime[@]}" wine "$@" | tee "$said" || code=$?
    [ $code -ne 0 ] && ! [ -s "$said" ] || break
    echo "REPEATED: wine ended before it had begun (exit code $code): $(basename "$1") ${!#}" >&2
  done
  exit $code
fi

exec "${realtime[@]}" wine "$@"
