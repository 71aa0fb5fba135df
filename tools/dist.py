#!/usr/bin/env python3
"""Packs what users get into build/dist:

  asio-driver-VERSION-setup.exe     the installer, with all binaries in it signed
  asio-driver-VERSION-windows.zip   the same signed binaries to try without installing
  asio-driver-VERSION-linux.zip
  bom.cdx.json                      bill of materials, CycloneDX 1.5
  SHA256SUMS                        of all of the above, and of the binaries inside

  tools/dist.py [--unsigned]

Signing is explained in tools/release/signing.py. The same sources, compilers and certificate-less
build (--unsigned) give the same files, byte for byte.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/release"))

import files  # noqa: E402  (found through the path above)
import setup  # noqa: E402
import signing  # noqa: E402
from bom import BomError  # noqa: E402
from vendor_profile import OWN, ProfileError, read_profile  # noqa: E402

DIST = ROOT / "build/dist"
LINUX = {name: ROOT / f"build/release/bin/{name}"
         for name in ("asio-driver", "asio-host", "libasio-driver.so")}
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")


def documents() -> dict[str, pathlib.Path]:
    """By the names that they have in the tree: they lead to each other."""
    paths = [*map(ROOT.joinpath, DOCUMENTS), *(ROOT / "docs").rglob("*.md")]
    return {path.relative_to(ROOT).as_posix(): path for path in paths}


def make(signer: signing.Identity | None) -> list[pathlib.Path]:
    version = files.source_version()
    missing = [str(path.relative_to(ROOT)) for path in LINUX.values() if not path.exists()]
    if missing:
        raise setup.SetupError("missing: " + ", ".join(missing) + "; run make dist")
    wish = setup.Wish(read_profile(OWN), version, None, DIST / "work", signer)
    DIST.mkdir(parents=True, exist_ok=True)
    for path in DIST.iterdir():
        if path.is_file():  # of an earlier run; folders are those of make vendor
            path.unlink()
    program = DIST / setup.make(wish).name
    wish.setup.replace(program)
    notices = {"notices.txt": wish.stage / "notices.txt"}
    windows = {name: wish.stage / name for name in files.WINDOWS}  # as they lie when installed
    made = [program]
    for system, parts in (("windows", windows), ("linux", LINUX)):
        folder = f"asio-driver-{version}-{system}"
        archive = DIST / f"{folder}.zip"
        files.pack(archive, folder, parts | documents() | notices)
        made.append(archive)
    shutil.copyfile(wish.stage / "bom.cdx.json", DIST / "bom.cdx.json")
    made.append(DIST / "bom.cdx.json")
    inside = [wish.stage / name for name in files.WINDOWS]
    (DIST / "SHA256SUMS").write_text(
        files.hash_list(made, DIST) + files.hash_list(inside, wish.stage), encoding="utf-8")
    shutil.rmtree(wish.folder)
    return [*made, DIST / "SHA256SUMS"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unsigned", action="store_true", help="sign nothing, for comparisons")
    arguments = parser.parse_args()
    try:
        signer = None if arguments.unsigned else signing.identity()
        made = make(signer)
    except (setup.SetupError, signing.SigningError, BomError, ProfileError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in made:
        print(f"{files.sha256(path)}  {path.relative_to(ROOT)}")
    print("UNSIGNED" if signer is None else
          f"{signer.describe()}; every binary, the uninstaller and the setup, then verified")
    return 0


if __name__ == "__main__":
    sys.exit(main())
