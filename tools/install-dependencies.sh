#!/bin/sh
# Installs the Debian packages that a job needs, and nothing else. Quick when they are all there.
#
#   tools/install-dependencies.sh <set>...
#
# Sets: build windows wine lint bench demo pulse x86 installer
#
# Asks nothing. Exit codes: 0 all there, 1 something could not be installed, 2 wrong usage.
set -eu

packages_of() {
  case "$1" in
    build) echo cmake ninja-build ccache g++ libc6-dev python3 \
             libfmt-dev libspdlog-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev \
             libexpected-dev libxsimd-dev googletest unzip ;;
    # Two thread models for 64 bit: posix for the service, win32 for the DLL (docs/decisions/0001).
    windows) echo g++-mingw-w64-x86-64-posix g++-mingw-w64-x86-64-win32 \
               g++-mingw-w64-i686-win32 binutils-mingw-w64-x86-64 binutils-mingw-w64-i686 ;;
    # The last two make and sign the files that "verify" is tested with.
    wine) echo wine wine64 util-linux osslsigncode openssl ;;
    lint) echo clang-14 clang-format-14 python3 ;;
    bench) echo libzita-resampler-dev libsamplerate0-dev libsoxr-dev ;;
    demo) echo alsa-utils python3 ;;
    pulse) echo pulseaudio pulseaudio-utils ;;
    x86) echo binutils ca-certificates ;;
    installer) echo nsis osslsigncode openssl python3 ;;
    *) return 1 ;;
  esac
}

if [ $# -eq 0 ]; then
  echo "usage: $0 <set>...   sets: build windows wine lint bench demo pulse x86 installer" >&2
  exit 2
fi
wanted=""
for set_name in "$@"; do
  if ! packages=$(packages_of "$set_name"); then
    echo "$0: there is no set named '$set_name'" >&2
    echo "the sets are: build windows wine lint bench demo pulse x86 installer" >&2
    exit 2
  fi
  wanted="$wanted $packages"
done

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "This is no Debian machine (dpkg-query is missing). Install by hand what corresponds to:" >&2
  echo " $wanted" >&2
  exit 1
fi

# One query for everything; a package that was removed but not purged does not count.
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
  awk '$2 == "installed" { print $1 }' || true)
missing=""
for package in $wanted; do
  case "
$installed
" in
    *"
$package
"*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1 || ! sudo -n true 2>/dev/null; then
    echo "Some packages are missing and only root may install them. Run this once:" >&2
    echo "  apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
  as_root="sudo -n"
fi

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/build/logs"
log="$root/build/logs/install-dependencies.log"
echo "== installing$missing"
apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300"
# A source of the machine that is not ours may be unreachable: only the installation must succeed.
$apt update >"$log" 2>&1 || true
if ! $apt install -y --no-install-recommends $missing >>"$log" 2>&1; then
  echo "Installing failed; the end of $log says why:" >&2
  tail -n 30 "$log" >&2
  exit 1
fi
