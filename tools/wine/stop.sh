#!/bin/bash
# Ends every program of this tree's private Wine prefix, and of no other. Nothing running is fine.
set -eu
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
[ -d "$WINEPREFIX" ] || exit 0
timeout 30 wineserver -k 2>/dev/null || true   # says 1 when none was running
timeout 30 wineserver -w 2>/dev/null || {
  echo "The Wine server of $WINEPREFIX did not end within 30 s." >&2
  exit 1
}
