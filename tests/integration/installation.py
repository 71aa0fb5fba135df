"""A machine to install on: a Wine prefix of its own, looked at as a whole before and after."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time

from harness import ROOT

import files
import setup
import signing
import stage
from programs import Build
from vendor_profile import OWN, Profile, read_profile

PREFIX = ROOT / "build/wine/installer-prefix"
DRIVE = PREFIX / "drive_c"
OUTPUT = ROOT / "build/installer-test"
EXAMPLE = ROOT / "vendors/example.toml"

#: Files that Windows and its users make by themselves, and the settings and logs that belong to the
#: person and stay (docs/installation.md).
NOT_OURS = re.compile(r"windows/temp/|windows/.*\.log$|users/[^/]+/(AppData/Local/)?Temp/|"
                      r"users/[^/]+/AppData/Local/(asio-driver|example-audio)(/|$)|"
                      r"windows/(Prefetch|system32/catroot)")


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """Files with their hashes, and lines of the registry with the key that they belong to."""

    files: dict[str, str]
    registry: frozenset[tuple[str, str]]

    def changes_to(self, later: "Snapshot") -> list[str]:
        names = self.files.keys() | later.files.keys()
        changed = [f"file {name}" for name in sorted(names)
                   if self.files.get(name) != later.files.get(name)]
        return changed + [f"{sign} [{key}] {line}" for sign, entries in
                          (("-", self.registry - later.registry),
                           ("+", later.registry - self.registry))
                          for key, line in sorted(entries)]


def registry_lines(text: str, hive: str) -> set[tuple[str, str]]:
    """Keys and values of an exported file, or of a file that Wine keeps; without its times."""
    key, lines = "", set()
    for line in text.splitlines():
        if line.startswith("["):
            key = hive + line[:line.rindex("]") + 1]
            lines.add((key, ""))
        elif line.strip() and not line.startswith(("#", '"DriverDateData"')):  # times
            lines.add((key, line))
    return lines


class Machine:
    """The prefix. One at a time; `close` ends what runs in it."""

    def __init__(self) -> None:
        self.environment = {"ASIODRV_WINE_PREFIX": str(PREFIX)}
        os.environ |= self.environment  # for tools/wine/run.sh, wherever it is started from
        # Wine writes keys about sound devices when they are first asked for, whoever asks.
        self.run(str(ROOT / "build/windows-x64/bin/asio-driver.exe"), "doctor", "--json")

    def stop(self) -> None:
        """The next program starts it again."""
        subprocess.run([str(ROOT / "tools/wine/stop.sh")], check=False, timeout=60,
                       capture_output=True)

    def close(self) -> None:
        self.stop()
        os.environ.pop("ASIODRV_WINE_PREFIX", None)

    def run(self, *command: str, timeout: float = 120,
            environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        return subprocess.run([str(stage.WINE), *command], capture_output=True, text=True,
                              check=False, errors="replace", timeout=timeout,
                              stdin=subprocess.DEVNULL, env=os.environ | (environment or {}))

    # --- looking ----------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """All files and the whole registry. Ends what runs: Wine then writes its registry down."""
        self.stop()
        found = set()
        for hive in ("system.reg", "user.reg", "userdef.reg"):
            text = (PREFIX / hive).read_text(encoding="utf-8", errors="replace")
            found |= registry_lines(text, hive)
        return Snapshot(self.files(), frozenset(found))

    def near_snapshot(self) -> Snapshot:
        """All files, and the keys that a setup touches, while programs run. Compare with its like
        only."""
        return Snapshot(self.files(), self.entries(OURS))

    def entries(self, product: "Product") -> frozenset[tuple[str, str]]:
        """Keys and values of `product` in the registry, as reg.exe writes them."""
        folder = files.fresh_folder(OUTPUT / "registry")
        target = stage.windows_path(folder)
        lines = [f'reg.exe export "{root}" {target}\\{number}.reg /y'
                 for number, root in enumerate(product.keys())]
        (folder / "export.bat").write_text("\r\n".join(lines) + "\r\n", encoding="ascii")
        self.run("cmd.exe", "/c", f"{target}\\export.bat")
        found = set()
        for path in folder.glob("*.reg"):  # what is missing is no key
            found |= registry_lines(path.read_text(encoding="utf-16"), "")
        return frozenset(found)

    def files(self) -> dict[str, str]:
        found = {}
        for folder, _, names in os.walk(DRIVE):
            base = os.path.relpath(folder, DRIVE)
            if not NOT_OURS.match(base + "/"):
                found[base + "/"] = ""
            for name in names:
                path = pathlib.Path(folder) / name
                relative = os.path.normpath(os.path.join(base, name))
                if NOT_OURS.match(relative) or path.is_symlink():
                    continue
                # The system's own files do not change; their sizes will do.
                ours = relative.startswith("Program Files")
                found[relative] = (hashlib.sha256(path.read_bytes()).hexdigest() if ours
                                   else str(path.stat().st_size))
        return found

    def value(self, key: str, name: str | None = None) -> str | None:
        """A registry value as text; None when it is not there."""
        done = self.run("reg.exe", "query", key, *(["/v", name] if name else ["/ve"]))
        match = re.search(r"REG_\w+ +(.*?)\s*$", done.stdout.strip())
        return match[1] if match else None

    def set_value(self, key: str, name: str, text: str) -> None:
        done = self.run("reg.exe", "add", key, "/v", name, "/d", text, "/f")
        if done.returncode != 0:
            raise AssertionError(f"reg add {key}: {done.stdout}{done.stderr}")

    # --- setups -----------------------------------------------------------------------------------

    def setup(self, program: pathlib.Path, *switches: str,
              environment: dict[str, str] | None = None) -> "Outcome":
        """Runs a setup silently. Its sentences come back through /LOG. A switch with blanks is
        given in pieces: Wine would put it in quotes, which NSIS does not take for a folder."""
        log = OUTPUT / "setup.log"
        log.unlink(missing_ok=True)
        folder = [switch for switch in switches if switch.startswith("/D=")]  # must be the last
        others = [switch for switch in switches if not switch.startswith("/D=")]
        start = time.monotonic()
        words = " ".join([*others, *folder]).split()
        done = self.run(str(program), "/S", f"/LOG={stage.windows_path(log)}", *words,
                        timeout=180, environment=environment)
        said = log.read_bytes().decode("utf-16-le", "replace") if log.exists() else ""
        return Outcome(done.returncode & 0xFFFF, said, time.monotonic() - start)

    def remove(self, folder: pathlib.Path, *switches: str,
               environment: dict[str, str] | None = None) -> "Outcome":
        """Runs a copy of the uninstaller, as only so its exit code comes back."""
        copy = OUTPUT / "uninstall-copy.exe"
        shutil.copyfile(folder / "uninstall.exe", copy)
        inside = "C:\\" + str(folder.relative_to(DRIVE)).replace("/", "\\")
        outcome = self.setup(copy, *switches, f"_?={inside}", environment=environment)
        copy.unlink()
        return outcome


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a setup ended. `code`: Wine hands on the low byte of an exit code to Linux, so that is
    what there is to compare; `is_code` does."""

    code: int
    said: str
    seconds: float

    def is_code(self, expected: int) -> bool:
        return self.code == expected & 0xFF

    def __str__(self) -> str:
        return f"code {self.code} after {self.seconds:.1f} s: {self.said}"


@dataclasses.dataclass(frozen=True)
class Product:
    """An installation of one profile."""

    profile: Profile

    @property
    def folder(self) -> pathlib.Path:
        return DRIVE / "Program Files" / self.profile.id

    @property
    def build(self) -> Build:
        return Build(bin=self.folder, windows=True)

    @property
    def uninstall_key(self) -> str:
        return rf"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\{self.profile.id}"

    def class_keys(self) -> tuple[str, str]:
        return (rf"HKLM\Software\Classes\CLSID\{self.profile.class_id}\InprocServer32",
                rf"HKLM\Software\Classes\Wow6432Node\CLSID\{self.profile.class_id}\InprocServer32")

    def keys(self) -> tuple[str, ...]:
        """What a setup touches."""
        return (r"HKLM\Software\ASIO", r"HKLM\Software\Wow6432Node\ASIO", *self.class_keys(),
                self.uninstall_key)


def entry(key: str, name: str | None, text: str) -> tuple[str, str]:
    """As in Machine.entries; without a name the key's default value."""
    quoted = text.replace("\\", "\\\\")
    return (f"[{key.replace('HKLM', 'HKEY_LOCAL_MACHINE')}]",
            f'{"@" if name is None else chr(34) + name + chr(34)}="{quoted}"')


OURS = Product(read_profile(OWN))
VENDOR = Product(read_profile(EXAMPLE))


def make_setup(name: str, product: Product, version: str, brand: str | None,
               faults: bool = False) -> setup.Wish:
    """The real setup, signed, but not compressed: compressing takes longer than all the rest. One
    with faults is no real one, and is not signed."""
    wish = setup.Wish(product.profile, version, brand, OUTPUT / name,
                      None if faults else signing.identity(), quick=True, faults=faults)
    setup.make(wish)
    return wish


def base_version() -> str:
    return files.source_version()


def next_version() -> str:
    return files.next_version()
