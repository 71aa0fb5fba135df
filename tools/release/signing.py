#!/usr/bin/env python3
"""Signs Windows binaries with SHA-256 by osslsigncode, in place, and verifies what was signed.

  signing.py FILE...      signs; the installer's script calls it (!finalize, !uninstfinalize)

The certificate comes from the environment; files, never values:
  ASIODRV_SIGN_CERT           certificate chain, PEM; without its root
  ASIODRV_SIGN_KEY            its private key, PEM
  ASIODRV_SIGN_PASSWORD_FILE  the key's password; optional
  ASIODRV_SIGN_CA             what verification trusts, PEM: the chain's root
  ASIODRV_SIGN_TIMESTAMP      address of an RFC 3161 time stamp server; optional. Without it a
                              signature ends with its certificate, which is said aloud
  ASIODRV_SIGN_TIMESTAMP_CA   the root of that server, PEM; default: those of the system
Without them a test certificate is made in build/test-certificate, with a time stamp authority of
its own. It proves that everything is signed, and nothing else: no Windows trusts it.
"""

from __future__ import annotations

import dataclasses
import fcntl
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST_FOLDER = ROOT / "build/test-certificate"
TOOL = "osslsigncode"
PREFIX = "ASIODRV_SIGN_"
REQUIRED = ("CERT", "KEY", "CA")
OPTIONAL = ("PASSWORD_FILE", "TIMESTAMP", "TIMESTAMP_CA")


class SigningError(Exception):
    """The text says which file, and what the tool said."""


@dataclasses.dataclass(frozen=True)
class Identity:
    """Who signs. `is_test`: made here, trusted by nobody."""

    certificate: pathlib.Path
    key: pathlib.Path
    authority: pathlib.Path
    password: pathlib.Path | None = None
    timestamp_url: str | None = None
    timestamp_authority: pathlib.Path | None = None
    timestamp_certificate: pathlib.Path | None = None
    timestamp_key: pathlib.Path | None = None
    is_test: bool = False

    @property
    def has_timestamp(self) -> bool:
        return self.timestamp_url is not None or self.timestamp_certificate is not None

    def describe(self) -> str:
        who = "A TEST CERTIFICATE, which no Windows trusts" if self.is_test else self.certificate
        when = "" if self.has_timestamp else (
            "; WITHOUT A TIME STAMP: the signatures end with the certificate "
            "(ASIODRV_SIGN_TIMESTAMP)")
        return f"signed by {who}{when}"


def _run(*command: str | pathlib.Path) -> str:
    try:  # in a session of its own: with a terminal it would ask that for a password, and wait
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              check=False, errors="replace", timeout=120, stdin=subprocess.DEVNULL,
                              start_new_session=True)
    except subprocess.TimeoutExpired as error:
        raise SigningError(f"{command[0]} {command[1]} has not ended within {error.timeout:.0f} s "
                           f"for {command[-1]}. Does the time stamp server answer?") from error
    except FileNotFoundError as error:
        raise SigningError(f"{command[0]} is missing: run tools/install-dependencies.sh "
                           "installer") from error
    if done.returncode != 0:
        raise SigningError(f"{command[0]} {command[1]} failed for {command[-1]}:\n"
                           f"{done.stdout}{done.stderr}")
    return done.stdout


def _make_certificate(name: str, purpose: str) -> None:
    """Self-signed NAME.pem and NAME.key, for ten years."""
    _run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650",
         "-subj", f"/CN=asio-driver test {name} - trusted by nobody",
         "-addext", "basicConstraints=critical,CA:FALSE",
         "-addext", "keyUsage=critical,digitalSignature",
         "-addext", f"extendedKeyUsage=critical,{purpose}",
         "-keyout", TEST_FOLDER / f"{name}.key", "-out", TEST_FOLDER / f"{name}.pem")
    (TEST_FOLDER / f"{name}.key").chmod(0o600)


def _test_identity() -> Identity:
    TEST_FOLDER.mkdir(parents=True, exist_ok=True)
    with (TEST_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, purpose in (("signer", "codeSigning"), ("timestamp", "timeStamping")):
            if not (TEST_FOLDER / f"{name}.pem").exists():
                _make_certificate(name, purpose)
    return Identity(certificate=TEST_FOLDER / "signer.pem", key=TEST_FOLDER / "signer.key",
                    authority=TEST_FOLDER / "signer.pem", is_test=True,
                    timestamp_authority=TEST_FOLDER / "timestamp.pem",
                    timestamp_certificate=TEST_FOLDER / "timestamp.pem",
                    timestamp_key=TEST_FOLDER / "timestamp.key")


def identity() -> Identity:
    """From the environment. Errors: SigningError when only a part of it is set, a name is unknown
    or a file is missing: a slip must not end in a release that the test certificate has signed."""
    wishes = {name.removeprefix(PREFIX): value for name, value in os.environ.items()
              if name.startswith(PREFIX) and value}
    if not wishes:
        return _test_identity()
    for name in wishes:
        if name not in (*REQUIRED, *OPTIONAL):
            raise SigningError(f"{PREFIX}{name} is unknown; there are "
                               + ", ".join(PREFIX + known for known in (*REQUIRED, *OPTIONAL)))
    for name in REQUIRED:
        if name not in wishes:
            raise SigningError(f"{PREFIX}{name} is missing; signing needs "
                               + ", ".join(PREFIX + known for known in REQUIRED))
    timestamp_url = wishes.pop("TIMESTAMP", None)
    files = {name: pathlib.Path(value).resolve() for name, value in wishes.items()}
    for name, path in files.items():
        if not path.is_file():
            raise SigningError(f"{PREFIX}{name}: there is no file {path}")
    return Identity(certificate=files["CERT"], key=files["KEY"], authority=files["CA"],
                    password=files.get("PASSWORD_FILE"), timestamp_url=timestamp_url,
                    timestamp_authority=files.get("TIMESTAMP_CA"))


def check_signer(who: Identity, accepted: tuple[str, ...]) -> None:
    """Errors: SigningError, when a release that accepts files of `accepted` only would be signed by
    somebody else: its own verify would call it a forgery. The test certificate passes, for no
    machine accepts it anyway."""
    if not accepted or who.is_test:
        return
    said = _run("openssl", "x509", "-noout", "-subject", "-nameopt", "multiline,utf8,-esc_msb",
                "-in", who.certificate)
    names = [line.partition("=")[2].strip() for line in said.splitlines()
             if line.partition("=")[0].strip() in ("commonName", "organizationName")]
    if not set(names) & set(accepted):
        raise SigningError(f"{who.certificate} is the certificate of {' or '.join(names)}, but the "
                           f"profile's product.signers has {', '.join(accepted)}")


def sign(path: pathlib.Path, who: Identity) -> None:
    """Replaces `path` by its signed copy. A signature that it has is replaced."""
    signed = path.with_name(path.name + ".signed")
    signed.unlink(missing_ok=True)
    options: list[str | pathlib.Path] = []
    if who.password is not None:
        options += ["-readpass", who.password]
    if who.timestamp_url is not None:
        options += ["-ts", who.timestamp_url]
    elif who.timestamp_certificate is not None:
        assert who.timestamp_key is not None
        options += ["-TSA-certs", who.timestamp_certificate, "-TSA-key", who.timestamp_key]
    try:
        _run(TOOL, "sign", "-h", "sha256", "-certs", who.certificate, "-key", who.key, *options,
             "-in", path, "-out", signed)
        signed.chmod(path.stat().st_mode)
        signed.replace(path)
    finally:
        signed.unlink(missing_ok=True)


def verify(path: pathlib.Path, who: Identity) -> None:
    """Errors: SigningError, when `path` is not signed by `who`, was changed since, uses another
    digest, or has no time stamp although `who` gives one."""
    command: list[str | pathlib.Path] = [TOOL, "verify", "-CAfile", who.authority]
    if who.timestamp_authority is not None:
        command += ["-TSA-CAfile", who.timestamp_authority]
    said = _run(*command, "-in", path)
    # The tool's exit code says nothing about the time stamp.
    expected = ["Message digest algorithm  : SHA256", "Signature verification: ok"]
    if who.has_timestamp:
        expected.append("Timestamp Server Signature verification: ok")
    for text in expected:
        if text not in said:
            raise SigningError(f"{path} is not signed as it should be, \"{text}\" is missing:\n"
                               f"{said}")


def main(paths: list[str]) -> int:
    try:
        who = identity()
        for path in paths:
            sign(pathlib.Path(path), who)
    except SigningError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
