#!/bin/bash
# The 32-bit driver and host in a 32-bit Wine of their own: registers, lists and probes. There is
# no 32-bit service, so the probe must end in a plain sentence about it, not in a crash; what the
# driver does with a service is tested with the 64-bit programs.
#
# Exit codes: 0 passed, or skipped aloud when the 32-bit Wine cannot be had here; 1 failed.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
stage=build/stage/windows-x86
mkdir -p "$stage" build/logs
cp build/windows-x86/bin/asio-driver.dll build/windows-x86/bin/asio-host.exe "$stage/" || exit 1

tools/step.sh "32-bit wine" tools/wine/make-x86-root.sh
case $? in
  0) ;;
  3) echo "SKIPPED: the 32-bit tests did not run, because there is no 32-bit Wine (see above)."
     exit 0 ;;
  *) exit 1 ;;
esac

class_id=$(sed -n 's/^class_id = "\(.*\)"$/\1/p' vendors/asio-driver.toml)
passed=0
failed=0
# claim TEXT PATTERN COMMAND...: the command's output must match; its exit code proves nothing.
claim() {
  local text=$1 pattern=$2 output
  shift 2
  output=$(tools/wine/run-x86.sh "$stage" "$@" 2>&1 | tr -d "\r")
  if grep -Eq "$pattern" <<<"$output"; then
    printf 'ok      %s\n' "$text"
    passed=$((passed + 1))
  else
    printf 'FAILED  %s\n        wanted: %s\n' "$text" "$pattern"
    sed 's/^/        | /' <<<"$output"
    failed=$((failed + 1))
  fi
}

claim "the 32-bit DLL registers" '^registered$' \
  cmd.exe /c 'regsvr32 /s Z:\stage\asio-driver.dll && echo registered'
claim "the registration names it" 'asio-driver\.dll' \
  reg.exe query "HKCR\\CLSID\\$class_id\\InprocServer32" /ve
claim "the 32-bit host lists it" 'asio-driver' asio-host.exe list
claim "a probe loads it and explains that no service can be started" 'asio-driver\.exe|service' \
  asio-host.exe probe --like juce
claim "the 32-bit DLL unregisters" '^unregistered$' \
  cmd.exe /c 'regsvr32 /s /u Z:\stage\asio-driver.dll && echo unregistered'
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
