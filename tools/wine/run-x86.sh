#!/bin/bash
# Runs a 32 or 64-bit Windows program under the Wine of build/wine/x86-root, which knows both.
#   tools/wine/run-x86.sh FOLDER PROGRAM.exe [argument...]
#   tools/wine/run-x86.sh --stop          ends everything that runs there
# FOLDER appears inside as Z:\stage and is the working directory; all programs that run there at
# once must have the same one, for Wine's server opens their files. PROGRAM is a name in it (with /
# or \), or one of Wine's own programs. ASIODRV_INSTANCE and ASIODRV_CONFIG are passed on. Needs
# root.
# The exit code is the program's (124: it was ended after ASIODRV_X86_SECONDS, default 120), but a
# program that could not start may print nothing and give 0: look at the output.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
inside=$root/build/wine/x86-root
if [ "${1:-}" = --stop ]; then
  [ -e "$inside/usr/lib/wine/wine64" ] || exit 0
  set -- "$inside" wineserver -k
elif [ $# -lt 2 ]; then
  echo "usage: $0 FOLDER PROGRAM.exe [argument...] | --stop" >&2
  exit 2
fi
if ! [ -e "$inside/usr/lib/wine/wine64" ]; then
  echo "There is no Wine for 32-bit programs yet: run tools/wine/make-x86-root.sh" >&2
  exit 1
fi
stage=$(cd "$1" && pwd)
shift
mkdir -p "$inside/stage" "$inside/tmp/home"
program=$1
shift
[ -e "$stage/${program//\\//}" ] && program="Z:\\stage\\${program//\//\\}"
loader=/usr/lib/wine/wine64
if [ "$program" = wineserver ]; then
  loader=/usr/lib/wine/wineserver64
  program=$1
  shift
fi

# A mount namespace of our own: the mounts vanish with the last process in it.
exec timeout --kill-after=5 "${ASIODRV_X86_SECONDS:-120}" \
  unshare --mount --propagation private bash -c '
    inside=$1 stage=$2
    shift 2
    mount --bind "$stage" "$inside/stage"
    mount --bind /usr/lib/x86_64-linux-gnu "$inside/usr/lib/x86_64-linux-gnu"
    mount -t proc proc "$inside/proc"
    mount --rbind /dev "$inside/dev"
    exec "$@"
  ' bash "$inside" "$stage" env -i \
  HOME=/tmp/home PATH=/usr/bin LANG=C.UTF-8 WINEPREFIX=/tmp/home/both WINEARCH=win64 \
  WINESERVER=/usr/lib/wine/wineserver64 \
  WINEDEBUG="${WINEDEBUG:--all}" WINEDLLOVERRIDES="mscoree,mshtml,winedbg.exe=" \
  ASIODRV_INSTANCE="${ASIODRV_INSTANCE:-}" ASIODRV_CONFIG="${ASIODRV_CONFIG:-}" \
  unshare --root="$inside" --wd=/stage "$loader" "$program" "$@"
