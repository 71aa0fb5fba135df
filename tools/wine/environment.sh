# Sourced by the scripts of this folder: the private Wine prefix of this working tree.
#
#   ASIODRV_WINE_PREFIX     where the prefix is (default build/wine/prefix)
#   ASIODRV_WINE_REALTIME   0 = never ask for real-time scheduling
wine_tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
wine_state=$(cd "$wine_tools/../.." && pwd)/build/wine
export WINEPREFIX=${ASIODRV_WINE_PREFIX:-$wine_state/prefix}
export WINEARCH=win64
export WINEDEBUG=${WINEDEBUG:--all}
# No .NET, no browser engine, no crash dialog: each would wait for a person.
export WINEDLLOVERRIDES="mscoree,mshtml,winedbg.exe="
unset DISPLAY WAYLAND_DISPLAY
keeper_lock=$WINEPREFIX.keeper-lock

# Everything, the Wine server first of all, runs under one real-time policy where the system allows
# it: a wake-up between two processes then takes 15 us instead of 70.
realtime=()
if [ "${ASIODRV_WINE_REALTIME:-1}" != 0 ] && chrt -f 50 true 2>/dev/null; then
  realtime=(chrt -f 50)
fi

if ! command -v wine >/dev/null 2>&1; then
  echo "Wine is not installed: run tools/install-dependencies.sh wine" >&2
  exit 1
fi
