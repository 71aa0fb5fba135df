"""Makes the files that `verify` judges: a test authority, certificates of it, and drivers signed
with them by osslsigncode. Nothing of it is a secret, and nothing outside of its folder trusts it.
"""

from __future__ import annotations

import pathlib
import shutil
import struct
import subprocess

VENDOR = "/C=DE/O=Example Audio GmbH/CN=Example Audio GmbH"
CODE_SIGNING = ("keyUsage=critical,digitalSignature", "extendedKeyUsage=codeSigning")


def run(*command: str | pathlib.Path, data: bytes | None = None) -> bytes:
    done = subprocess.run([str(word) for word in command], input=data, capture_output=True,
                          check=False, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stderr.decode()}")
    return done.stdout


class Authority:
    """Keys and certificates in `folder`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._new_key("root")
        run("openssl", "req", "-x509", "-new", "-key", folder / "root.key", "-out",
            folder / "root.pem", "-days", "3650", "-subj", "/O=Test/CN=Test Root of verify",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.issue("vendor", VENDOR)
        self.issue("stranger", "/C=US/O=Stranger LLC/CN=Stranger LLC")
        self.issue("expired", VENDOR, expired=True)
        self._new_key("self")
        run("openssl", "req", "-x509", "-new", "-key", folder / "self.key", "-out",
            folder / "self.pem", "-days", "365", "-subj", VENDOR, "-addext", CODE_SIGNING[1])

    def issue(self, name: str, subject: str, expired: bool = False) -> None:
        folder = self.folder
        self._new_key(name)
        request = run("openssl", "req", "-new", "-key", folder / f"{name}.key", "-subj", subject)
        (folder / f"{name}.ext").write_text("\n".join(CODE_SIGNING) + "\n", encoding="ascii")
        (folder / f"{name}.csr").write_bytes(request)
        if expired:  # "openssl x509" knows no start date: the small authority does
            self._issue_for_the_past(name)
            return
        run("openssl", "x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "root.pem",
            "-CAkey", folder / "root.key", "-CAcreateserial", "-days", "365", "-extfile",
            folder / f"{name}.ext", "-out", folder / f"{name}.pem")

    def _issue_for_the_past(self, name: str) -> None:
        folder = self.folder
        (folder / "index.txt").write_text("", encoding="ascii")
        (folder / "serial.txt").write_text("1000\n", encoding="ascii")
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=small\n[small]\n"
            f"database={folder}/index.txt\nserial={folder}/serial.txt\nnew_certs_dir={folder}\n"
            "default_md=sha256\npolicy=any\n[any]\ncountryName=optional\n"
            "organizationName=optional\ncommonName=supplied\n", encoding="ascii")
        run("openssl", "ca", "-batch", "-config", folder / "ca.cnf", "-in", folder / f"{name}.csr",
            "-cert", folder / "root.pem", "-keyfile", folder / "root.key", "-startdate",
            "20200101000000Z", "-enddate", "20210101000000Z", "-extfile", folder / f"{name}.ext",
            "-notext", "-out", folder / f"{name}.pem")

    def _new_key(self, name: str) -> None:
        # Wine's crypt32 can check signatures of RSA keys, and of no others.
        run("openssl", "genrsa", "-out", self.folder / f"{name}.key", "2048")

    def sign(self, name: str, source: pathlib.Path, target: pathlib.Path,
             *options: str) -> pathlib.Path:
        target.unlink(missing_ok=True)
        run("osslsigncode", "sign", "-certs", self.folder / f"{name}.pem", "-key",
            self.folder / f"{name}.key", "-h", "sha256", *options, "-in", source, "-out", target)
        return target

    def key_sha256(self, name: str) -> str:
        """As `verify --signer` takes it: of the public key."""
        public = run("openssl", "pkey", "-in", self.folder / f"{name}.key", "-pubout", "-outform",
                     "DER")
        return run("openssl", "dgst", "-sha256", "-r", data=public).split()[0].decode()


# --- damage ---------------------------------------------------------------------------------------

def _directory_at(image: bytes) -> int:
    """Where the header keeps offset and size of the certificate table."""
    header = struct.unpack_from("<I", image, 0x3C)[0]
    is_64 = struct.unpack_from("<H", image, header + 24)[0] == 0x20B
    return header + 24 + (112 if is_64 else 96) + 8 * 4


def tampered(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """One bit of the code, somewhere in its first section."""
    image = bytearray(source.read_bytes())
    image[0x1400] ^= 1
    target.write_bytes(image)
    return target


def appended(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    target.write_bytes(source.read_bytes() + b"\0" * 8)
    return target


def doubled(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """The certificate table with its entry twice."""
    image = bytearray(source.read_bytes())
    at = _directory_at(image)
    offset, size = struct.unpack_from("<II", image, at)
    image += image[offset:offset + size]
    struct.pack_into("<II", image, at, offset, 2 * size)
    target.write_bytes(image)
    return target


def truncated(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    target.write_bytes(source.read_bytes()[:-64])
    return target


def padded(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """Sixteen bytes inside the table's entry, behind the signature."""
    image = bytearray(source.read_bytes())
    at = _directory_at(image)
    offset, size = struct.unpack_from("<II", image, at)
    image += b"hidden in here .."[:16]
    struct.pack_into("<II", image, at, offset, size + 16)
    struct.pack_into("<I", image, offset, size + 16)
    target.write_bytes(image)
    return target


def overlapping(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """The second section begins in the file where the first does."""
    image = bytearray(source.read_bytes())
    header = struct.unpack_from("<I", image, 0x3C)[0]
    table = header + 24 + struct.unpack_from("<H", image, header + 20)[0]
    image[table + 40 + 20:table + 40 + 24] = image[table + 20:table + 24]
    target.write_bytes(image)
    return target


def copied(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target
