"""Makes a setup program: stages the files of a profile, signs them, and compiles the script."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

import bom
import files
import network
import signing
from vendor_profile import PATH, Profile, vendor_toml

ROOT = files.ROOT
SCRIPT = ROOT / "installer/asio-driver.nsi"


class SetupError(Exception):
    """The text says what is missing and how to get it."""


@dataclasses.dataclass(frozen=True)
class Wish:
    """What to make. `brand`: of cmake/product.cmake, None for the product itself. `signer`: None
    leaves everything unsigned. `quick`: uncompressed. `faults`: for tests, takes /FAULT=n."""

    profile: Profile
    version: str
    brand: str | None
    folder: pathlib.Path
    signer: signing.Identity | None
    quick: bool = False
    faults: bool = False

    @property
    def stage(self) -> pathlib.Path:
        return self.folder / "stage"

    @property
    def setup(self) -> pathlib.Path:
        name = "-faults" if self.faults else ""
        return self.folder / f"{self.profile.id}-{self.version}{name}-setup.exe"


def stage(wish: Wish) -> list[pathlib.Path]:
    """Copies and signs; returns the binaries. Errors: SetupError, SigningError, BomError."""
    folder = files.fresh_folder(wish.stage)
    binaries = []
    for name in files.WINDOWS:
        source = files.built(name, wish.brand)
        if not source.exists():
            raise SetupError(f"{source.relative_to(ROOT)} is missing; run make dist, or make "
                             "vendor")
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755)
        if wish.signer is not None:
            signing.sign(target, wish.signer)
        binaries.append(target)
    defaults = vendor_toml(wish.profile)
    listed = list(binaries)
    if defaults is not None:
        (folder / "vendor.toml").write_text(defaults, encoding="utf-8")
        listed.append(folder / "vendor.toml")
    (folder / "bom.cdx.json").write_text(
        bom.document(wish.profile.name, wish.profile.company, wish.version, binaries, folder),
        encoding="utf-8")
    (folder / "notices.txt").write_text(bom.notices(wish.profile.name), encoding="utf-8")
    listed += folder / "bom.cdx.json", folder / "notices.txt"
    (folder / "SHA256SUMS").write_text(files.hash_list(listed, folder), encoding="utf-8")
    return binaries


def compile_script(wish: Wish) -> None:
    profile = wish.profile
    for path in (ROOT, wish.folder, sys.executable):
        if not PATH.fullmatch(str(path)):
            raise SetupError(f"{path}: makensis would misread this path; work in a folder whose "
                             "name has letters, digits, blanks and . _ + @ = - only")
    sign = "true" if wish.signer is None else f'"{sys.executable}" -B "{signing.__file__}"'
    defines = {"PRODUCT_NAME": profile.name, "PRODUCT_ID": profile.id,
               "DRIVER_NAME": profile.driver_name, "CLASS_ID": profile.class_id,
               "COMPANY": profile.company, "VERSION": wish.version,
               "START_MODE": profile.start_mode, "STAGE": str(wish.stage), "OUT": str(wish.setup),
               "SIGN": sign}
    if profile.icon is not None:
        defines["ICON"] = str(profile.icon)
    if (wish.stage / "vendor.toml").exists():
        defines["VENDOR_TOML"] = "1"
    for flag, name in ((wish.quick, "QUICK"), (wish.faults, "FAULTS")):
        if flag:
            defines[name] = "1"
    command = ["makensis", "-WX", "-V2", "-NOCD", "-NOCONFIG",
               *(f"-D{name}={value}" for name, value in defines.items()), str(SCRIPT)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600,
                              errors="replace", env=os.environ | {"LC_ALL": "C.UTF-8"})
    except FileNotFoundError as error:
        raise SetupError("makensis is missing: run tools/install-dependencies.sh "
                         "installer") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"makensis has not ended within {error.timeout:.0f} s") from error
    if done.returncode != 0:
        raise SetupError(f"makensis failed ({done.returncode}):\n{done.stdout}{done.stderr}")


def make(wish: Wish) -> pathlib.Path:
    """The setup program. Everything signed in it was verified afterwards, and nothing in it can
    open a connection."""
    if wish.signer is not None:
        signing.check_signer(wish.signer, wish.profile.signers)
    binaries = stage(wish)
    compile_script(wish)
    try:
        found = network.judge_release(binaries, wish.setup)
    except network.PeError as error:
        raise SetupError(f"{wish.setup}: {error}") from error
    if found:
        raise SetupError("\n".join(found))
    if wish.signer is not None:
        for path in [*binaries, wish.setup]:
            signing.verify(path, wish.signer)
    return wish.setup
