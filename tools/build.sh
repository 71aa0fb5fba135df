#!/bin/bash
# Configures and builds presets of CMakePresets.json, one after the other.
#
#   tools/build.sh PRESET[:target,target...]...
#
# Without targets it builds all of the preset. Configures only when a build tree is new; CMake
# itself notices changed project files.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
jobs=${ASIODRV_JOBS:-$(nproc)}
for wish in "$@"; do
  preset=${wish%%:*}
  targets=()
  if [ "$preset" != "$wish" ]; then
    IFS=, read -r -a targets <<<"${wish#*:}"
    targets=(--target "${targets[@]}")
  fi
  if ! [ -e "build/$preset/build.ninja" ]; then
    tools/step.sh "configure $preset" cmake --preset "$preset"
  fi
  tools/step.sh "build $preset" cmake --build --preset "$preset" -j "$jobs" \
    "${targets[@]}"
done
