#!/usr/bin/env python3
"""Packs what users get: build/dist/asio-driver-VERSION-windows.zip and -linux.zip.

The same sources and compilers give the same archives, byte for byte: files in a fixed order, one
fixed time stamp, no machine paths in them (-ffile-prefix-map, --no-insert-timestamp).
"""

from __future__ import annotations

import hashlib
import pathlib
import re
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
TIME = (2026, 1, 1, 0, 0, 0)  # an archive has to say something; this says nothing

WINDOWS = {
    "x64/asio-driver.exe": "build/windows-x64/bin/asio-driver.exe",
    "x64/asio-host.exe": "build/windows-x64/bin/asio-host.exe",
    "x64/asio-driver.dll": "build/windows-x64-dll/bin/asio-driver.dll",
    "x86/asio-host.exe": "build/windows-x86/bin/asio-host.exe",
    "x86/asio-driver.dll": "build/windows-x86/bin/asio-driver.dll",
}
LINUX = {name: f"build/release/bin/{name}"
         for name in ("asio-driver", "asio-host", "libasio-driver.so")}
DOCUMENTS = {"README.md": "README.md", "CHANGELOG.md": "CHANGELOG.md", "LICENSE": "LICENSE",
             "configuration.md": "docs/configuration.md", "exit-codes.md": "docs/exit-codes.md"}


def version() -> str:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(r"project\(asio-driver VERSION ([0-9.]+)", text)[1]


def pack(archive: pathlib.Path, folder: str, parts: dict[str, str]) -> str:
    """Writes `archive` with everything below `folder`; its SHA-256."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, source in sorted(parts.items()):
            path = ROOT / source
            if not path.exists() and name == "LICENSE":
                continue  # a working tree may not have it yet
            entry = zipfile.ZipInfo(f"{folder}/{name}", TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            executable = name.endswith((".exe", ".dll", ".so")) or "." not in name
            entry.external_attr = (0o755 if executable else 0o644) << 16
            packed.writestr(entry, path.read_bytes())
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def main() -> int:
    missing = [source for source in (WINDOWS | LINUX | DOCUMENTS).values()
               if source != "LICENSE" and not (ROOT / source).exists()]
    if missing:
        print("missing: " + ", ".join(missing) + "; run make dist", file=sys.stderr)
        return 1
    for system, parts in (("windows", WINDOWS), ("linux", LINUX)):
        folder = f"asio-driver-{version()}-{system}"
        archive = ROOT / f"build/dist/{folder}.zip"
        print(f"{pack(archive, folder, parts | DOCUMENTS)}  {archive.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
