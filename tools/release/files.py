"""The files of a release: what is in it, where builds leave it, hashes, and archives that are the
same whenever they are made."""

from __future__ import annotations

import hashlib
import pathlib
import re
import shutil
import zipfile
from collections.abc import Iterable

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIME = (2026, 1, 1, 0, 0, 0)  # an archive has to say something; this says nothing

#: name in an installation: (build tree, file in it)
WINDOWS = {
    "asio-driver.exe": ("windows-x64", "asio-driver.exe"),
    "asio-host.exe": ("windows-x64", "asio-host.exe"),
    "asio-driver.dll": ("windows-x64-dll", "asio-driver.dll"),
    "x86/asio-driver.dll": ("windows-x86", "asio-driver.dll"),
    "x86/asio-host.exe": ("windows-x86", "asio-host.exe"),
}


def source_version() -> str:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    match = re.search(r"project\(asio-driver VERSION ([0-9.]+)", text)
    assert match is not None
    return match[1]


def next_version() -> str:
    """Of the brand "next" (cmake/product.cmake)."""
    major, minor, patch = source_version().split(".")
    return f"{major}.{minor}.{int(patch) + 1}"


def built(name: str, brand: str | None = None) -> pathlib.Path:
    """Where the build of `brand` leaves the file that an installation calls `name`."""
    tree, file = WINDOWS[name]
    return ROOT / "build" / tree / (f"brands/{brand}" if brand else "bin") / file


def sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hash_list(paths: Iterable[pathlib.Path], base: pathlib.Path) -> str:
    """As sha256sum writes and checks it."""
    return "".join(f"{sha256(path)}  {path.relative_to(base).as_posix()}\n"
                   for path in sorted(paths))


def pack(archive: pathlib.Path, folder: str, parts: dict[str, pathlib.Path]) -> str:
    """Writes `archive` with everything below `folder`, in a fixed order; its SHA-256."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, path in sorted(parts.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            executable = name.endswith((".exe", ".dll", ".so")) or "." not in name
            entry.external_attr = (0o755 if executable else 0o644) << 16
            packed.writestr(entry, path.read_bytes())
    return sha256(archive)


def fresh_folder(path: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
