#!/bin/bash
# Runs one step of a larger job quietly: one line when it starts, one when it ends, everything
# else in build/logs/NAME.log, whose end is shown when the step fails.
#
#   tools/step.sh NAME COMMAND [argument...]
#
# The exit code is the command's.
set -u
if [ $# -lt 2 ]; then
  echo "usage: $0 NAME COMMAND [argument...]" >&2
  exit 2
fi
name=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/build/logs"
log=$root/build/logs/${name// /-}.log
printf '== %s\n' "$name"
start=$SECONDS
if "$@" >"$log" 2>&1 </dev/null; then
  printf '   done in %d s\n' $((SECONDS - start))
  exit 0
else
  code=$?
  printf '   FAILED after %d s with exit code %d; the end of %s:\n' $((SECONDS - start)) "$code" \
    "${log#"$root"/}"
  tail -n 60 "$log" | sed 's/^/   | /'
  exit "$code"
fi
