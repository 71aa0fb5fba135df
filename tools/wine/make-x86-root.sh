#!/bin/bash
# Makes build/wine/x86-root: a folder with a Wine for 32 and 64-bit programs in it, for a chroot.
# Installing wine32 beside wine64 on Debian 12 would remove half of the system, so the 32-bit
# packages are downloaded (about 150 MB) and unpacked into a folder of their own; the machine's own
# package state is neither used nor changed. The 64-bit half is this machine's own: its loader is
# copied, its libraries are mounted in by run-x86.sh.
#
# Where the kernel runs no 32-bit programs (many virtual machines), the 32-bit half runs on QEMU's
# emulated processor (60 MB more to download), and the 64-bit half as ever.
#
# Needs root for the chroot. Exit codes: 0 the root is there, 3 it cannot be made here (the reason
# is the last line on stderr).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
target=$root/build/wine/x86-root
state=$root/build/wine/x86-packages
[ -e "$target/.both-halves" ] && exit 0
give_up() {
  echo "$1" >&2
  exit 3
}
[ "$(id -u)" -eq 0 ] || give_up "The 32-bit Wine runs in a chroot, and only root may enter one."
unshare --mount true 2>/dev/null ||
  give_up "This machine does not let root make mounts of its own."
ours=$(dpkg-query -W -f '${Version}' wine64 2>/dev/null) ||
  give_up "The 64-bit Wine is not installed: run tools/install-dependencies.sh wine"
rm -rf "$target" "$state"  # what an earlier attempt left
mkdir -p "$state"/{lists/partial,archives/partial,preferences.d,apt.conf.d} "$target"
: >"$state/status"
apt=(apt-get -q -y -o APT::Architecture=i386 -o APT::Architectures::=i386
  -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status"
  -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives"
  -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::sourcelist="$state/sources.list"
  -o Dir::Etc::preferencesparts="$state/preferences.d"
  -o APT::Install-Recommends=0 -o APT::Sandbox::User=root -o Debug::NoLocking=1)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# The mirror that this machine uses itself: the first address in its sources that is not a
# security mirror.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  grep -v '^[[:space:]]*#' | grep -oE 'https?://[^[:space:]]+' | grep -v security |
  grep -m 1 debian) || true
[ -n "$mirror" ] || give_up "The package sources of this machine name no mirror of Debian."
echo "deb [arch=i386 signed-by=$keyring] $mirror bookworm main" >"$state/sources.list"
wanted=(wine32 libc-bin dash bash coreutils)
if ! "${apt[@]}" update || ! "${apt[@]}" install --download-only "${wanted[@]}"; then
  give_up "The 32-bit packages could not be downloaded."
fi
theirs=$(dpkg-deb -f "$state"/archives/libwine_*.deb Version)
[ "$theirs" = "$ours" ] ||
  give_up "The 32-bit Wine of the mirror is $theirs, the 64-bit one here $ours: not the same."

# Debian's root has bin, sbin, lib and lib64 as links into usr; packages unpack through them.
mkdir -p "$target"/usr/{bin,sbin,lib,lib64}
for name in bin sbin lib lib64; do
  [ -e "$target/$name" ] || ln -s "usr/$name" "$target/$name"
done
for package in "$state"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$target" --keep-directory-symlink
done
mkdir -p "$target"/{tmp,proc,dev,root,stage} "$target/usr/lib/x86_64-linux-gnu"
chmod 1777 "$target/tmp"

# The 64-bit half, and a shell that every kernel here can run.
cp /usr/lib/wine/wine64 /usr/lib/wine/wineserver64 "$target/usr/lib/wine/"
ln -sf /lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$target/usr/lib64/"
cp --remove-destination /usr/bin/dash "$target/usr/bin/sh"

# What the package's script would have done: it marks a library of another package as Wine's own.
zlib=$target/usr/i686-w64-mingw32/lib/zlib1.dll
{
  head -c 64 "$zlib"
  printf 'Wine builtin DLL'
  head -c 16 /dev/zero
  tail -c +97 "$zlib"
} >"$target/usr/lib/i386-linux-gnu/wine/i386-windows/zlib1.dll"

if ! "$target/usr/lib/i386-linux-gnu/ld-linux.so.2" --version >/dev/null 2>&1; then
  echo "This kernel runs no 32-bit programs: that half is emulated."
  (cd "$state" && apt-get -q download qemu-user-static) ||
    give_up "This kernel runs no 32-bit programs, and QEMU could not be downloaded."
  dpkg-deb --fsys-tarfile "$state"/qemu-user-static_*.deb |
    tar -x -C "$target" --keep-directory-symlink ./usr/bin/qemu-i386-static
  # Each half finds the other by its name: "wine" and "wine64" of one folder.
  mkdir -p "$target/usr/lib/wine-i386"
  mv "$target/usr/lib/wine/wine" "$target/usr/lib/wine-i386/wine"
  ln -sf ../wine/wine64 "$target/usr/lib/wine-i386/wine64"
  gcc -m32 -O1 -ffreestanding -fno-stack-protector -nostdlib -shared -fPIC \
    -o "$target/usr/lib/wine/x86-mmap.so" "$root/tools/wine/x86-mmap.c" ||
    give_up "This kernel runs no 32-bit programs, and the compiler makes none for the emulation."
  printf '#!/bin/sh\nexec %s -E LD_PRELOAD=%s %s "$@"\n' /usr/bin/qemu-i386-static \
    /usr/lib/wine/x86-mmap.so /usr/lib/wine-i386/wine >"$target/usr/lib/wine/wine"
  chmod +x "$target/usr/lib/wine/wine"
fi

ASIODRV_X86_SECONDS=400 "$root/tools/wine/run-x86.sh" "$state" wineboot.exe -i ||
  give_up "The Wine for both halves could not make its prefix."
said=$("$root/tools/wine/run-x86.sh" "$state" 'C:\windows\syswow64\cmd.exe' /c \
  'echo %PROCESSOR_ARCHITECTURE%' | tr -d '\r')
"$root/tools/wine/run-x86.sh" --stop
[ "$said" = x86 ] || give_up "The Wine for both halves runs no 32-bit program."
rm -rf "$state"
: >"$target/.both-halves"
