#!/bin/bash
# Makes build/wine/x86-root: a folder with a Wine for 32 and 64-bit programs in it, for a chroot.
# Installing wine32 beside wine64 on Debian 12 would remove half of the system, so the 32-bit
# packages are downloaded (about 150 MB) and unpacked into a folder of their own; the machine's own
# package state is neither used nor changed. The 64-bit half is this machine's own: its loader is
# copied, its libraries are mounted in by run-x86.sh. Needs root for the chroot later on.
#
# Exit codes: 0 the root is there, 3 it cannot be made here (the reason is on stderr).
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
unshare --mount true 2>/dev/null || give_up "This machine does not let root make mounts of its own."
ours=$(dpkg-query -W -f '${Version}' wine64 2>/dev/null) ||
  give_up "The 64-bit Wine is not installed: run tools/install-dependencies.sh wine"
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
  give_up "The mirror's 32-bit Wine is $theirs, this machine's 64-bit one $ours: not the same."

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
# The 64-bit half.
cp /usr/lib/wine/wine64 /usr/lib/wine/wineserver64 "$target/usr/lib/wine/"
ln -sf /lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$target/usr/lib64/"
# What the packages' scripts would have set up.
ln -sf ../lib/wine/wine ../lib/wine/wineserver "$target/usr/bin/"
# This one marks a library of another package as Wine's own, which must be a copy, not a link.
dpkg-deb --ctrl-tarfile "$state"/archives/libwine_*.deb | tar -x -C "$target/tmp" ./postinst
chroot "$target" sh /tmp/postinst configure
chroot "$target" ldconfig
ASIODRV_X86_SECONDS=240 "$root/tools/wine/run-x86.sh" "$state" wineboot.exe -i ||
  give_up "The Wine for both halves could not make its prefix."
rm -rf "$state"
: >"$target/.both-halves"
