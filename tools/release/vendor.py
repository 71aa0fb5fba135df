#!/usr/bin/env python3
"""make vendor PROFILE=vendors/example.toml: a vendor's own signed installer in build/dist/<id>.

  vendor.py PROFILE [--check]     --check: judge the profile, build nothing

Only the identity is compiled; the rest of the product is linked from the objects that are there.
Exit codes: 0 done, 1 failed, 2 the profile is wrong (the message names file, line, key and what is
accepted).
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys

import files
import setup
import signing
from bom import BomError
from vendor_profile import ProfileError, read_profile

ROOT = files.ROOT
TREES = ("windows-x64-dll", "windows-x64", "windows-x86")


def build(profile: pathlib.Path) -> None:
    for tree in TREES:
        for title, command in (
                (f"configure {tree} for the vendor",
                 ["cmake", "--preset", tree, f"-DASIODRV_VENDOR={profile}"]),
                (f"build {tree} for the vendor",
                 ["cmake", "--build", "--preset", tree, "--target", "brand_vendor"])):
            done = subprocess.run(["tools/step.sh", title, *command], cwd=ROOT, check=False)
            if done.returncode != 0:
                raise setup.SetupError(f"{' '.join(command)} failed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    path = arguments.profile.resolve()
    try:
        profile = read_profile(path)
    except ProfileError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.check:
        print(f"{arguments.profile}: {profile.name}, driver \"{profile.driver_name}\"")
        return 0
    try:
        build(path)
        version = profile.version_or(files.source_version())
        folder = ROOT / "build/dist" / profile.id
        signer = signing.identity()
        made = setup.make(setup.Wish(profile, version, "vendor", folder, signer))
        (folder / "SHA256SUMS").write_text(
            files.hash_list([made], folder)
            + (folder / "stage/SHA256SUMS").read_text(encoding="utf-8"), encoding="utf-8")
    except (setup.SetupError, signing.SigningError, BomError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{files.sha256(made)}  {made.relative_to(ROOT)}")
    print(signer.describe())
    return 0


if __name__ == "__main__":
    sys.exit(main())
