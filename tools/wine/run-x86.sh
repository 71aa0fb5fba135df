#!/bin/bash
# Runs a 32-bit Windows program under the 32-bit Wine of build/wine/x86-root.
#
#   tools/wine/run-x86.sh FOLDER PROGRAM.exe [argument...]
#
# FOLDER appears inside as Z:\stage and is the working directory; PROGRAM is a name in it, or one of
# Wine's own programs. Needs root. The exit code is the program's (124: it was ended after
# ASIODRV_X86_SECONDS, default 120), but a 32-bit program that could not start may print nothing
# and give 0: look at the output.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
inside=$root/build/wine/x86-root
if [ $# -lt 2 ]; then
  echo "usage: $0 FOLDER PROGRAM.exe [argument...]" >&2
  exit 2
fi
if ! [ -e "$inside/usr/lib/wine/wine" ]; then
  echo "There is no 32-bit Wine yet: run tools/wine/make-x86-root.sh" >&2
  exit 1
fi
stage=$(cd "$1" && pwd)
shift
mkdir -p "$inside/stage" "$inside/tmp/home"
program=$1
shift
[ -e "$stage/$program" ] && program="Z:\\stage\\$program"

# A mount namespace of our own: the mounts vanish with the last process in it.
exec timeout --kill-after=5 "${ASIODRV_X86_SECONDS:-120}" \
  unshare --mount --propagation private bash -c '
    inside=$1 stage=$2
    shift 2
    mount --bind "$stage" "$inside/stage"
    mount -t proc proc "$inside/proc"
    mount --rbind /dev "$inside/dev"
    exec chroot "$inside" env -i -C /stage HOME=/tmp/home PATH=/usr/bin LANG=C.UTF-8 \
      WINEPREFIX=/tmp/home/prefix WINEARCH=win32 WINEDEBUG="${WINEDEBUG:--all}" \
      WINEDLLOVERRIDES="mscoree,mshtml,winedbg.exe=" \
      ASIODRV_INSTANCE="${ASIODRV_INSTANCE:-}" wine "$@"
  ' bash "$inside" "$stage" "$program" "$@"
