"""No network, judged from the files: which libraries a Windows binary imports, may import later
(delay imports), or names in its bytes for loading at run time.

Imports are an allow-list. Names in the bytes are judged the other way round, because any text may
be there: no name of a library that can open a connection. The one exception is iphlpapi.dll in
asio-driver.exe: it reads the system's table of connections, opens none, and `asio-driver verify`
alone loads it.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import struct
from collections.abc import Iterable

#: Part of every Windows 10 and later, editions without media features included.
ALLOWED = {"kernel32.dll", "msvcrt.dll", "advapi32.dll", "user32.dll", "ole32.dll", "shell32.dll"}
#: What only the setup's stub asks for besides.
ALLOWED_SETUP = ALLOWED | {"comctl32.dll", "gdi32.dll"}
#: Libraries that open connections, or fetch what is named to them.
NETWORK = ("ws2_32", "wsock32", "mswsock", "winhttp", "wininet", "dnsapi", "urlmon", "webio",
           "httpapi", "websocket", "netapi32", "rasapi32", "wldap32", "mpr", "p2p", "winrnr",
           "nlaapi", "fwpuclnt", "bits", "qmgr", "msxml3", "msxml6", "winscard", "webservices",
           "rpcrt4", "cryptnet", "iphlpapi", "libcurl", "nsi", "xmlhttp", "davclnt")
#: (file name, library): the reason stands above.
EXCEPTIONS = {("asio-driver.exe", "iphlpapi")}


class PeError(Exception):
    """The file is none that this reader understands; nothing may be concluded from it."""


@dataclasses.dataclass(frozen=True)
class Binary:
    """The libraries of one file: names in lower case, "kernel32.dll"."""

    imports: frozenset[str]
    delayed: frozenset[str]
    named: frozenset[str]  # texts in the bytes that are a library's name


class _Image:
    def __init__(self, data: bytes) -> None:
        self.data = data
        if data[:2] != b"MZ":
            raise PeError("no MZ header")
        header = self.number(0x3C, 4)
        if data[header:header + 4] != b"PE\0\0":
            raise PeError("no PE header")
        sections = self.number(header + 6, 2)
        optional = header + 24
        magic = self.number(optional, 2)
        if magic not in (0x10B, 0x20B):
            raise PeError(f"unknown optional header {magic:#x}")
        self.directories = optional + (96 if magic == 0x10B else 112)
        self.directory_count = self.number(self.directories - 4, 4)
        table = optional + self.number(header + 20, 2)
        self.sections = [struct.unpack("<IIII", self.bytes(table + 40 * index + 8, 16))
                         for index in range(sections)]

    def bytes(self, offset: int, size: int) -> bytes:
        if offset < 0 or offset + size > len(self.data):
            raise PeError(f"the file ends before {offset + size}")
        return self.data[offset:offset + size]

    def number(self, offset: int, size: int) -> int:
        return int.from_bytes(self.bytes(offset, size), "little")

    def offset(self, address: int) -> int:
        """The place in the file of a relative virtual address."""
        for virtual_size, start, raw_size, raw in self.sections:
            if start <= address < start + max(virtual_size, raw_size):
                return raw + address - start
        raise PeError(f"address {address:#x} lies in no section")

    def text(self, address: int) -> str:
        start = self.offset(address)
        end = self.data.find(b"\0", start, start + 260)
        if end < 0:
            raise PeError(f"a name at {address:#x} does not end")
        return self.data[start:end].decode("ascii", "replace").lower()

    def libraries(self, directory: int, row: int, name_at: int) -> frozenset[str]:
        """Names in a table of imports: rows of `row` bytes, ended by one without a name."""
        if directory >= self.directory_count:
            return frozenset()
        address = self.number(self.directories + 8 * directory, 4)
        if address == 0:
            return frozenset()
        names = set()
        at = self.offset(address)
        for _ in range(1000):
            name = self.number(at + name_at, 4)
            if name == 0:
                return frozenset(names)
            names.add(self.text(name))
            at += row
        raise PeError("a table of imports does not end")


#: For 8-bit and for 16-bit text: a name that ends where the search ends, and what goes on with one.
_NAME = (re.compile(rb"[0-9a-z_.-]{2,40}\Z"), re.compile(rb"(?:[0-9a-z_.-]\0){2,40}\Z"))
_GOES_ON = (re.compile(rb"[0-9a-z_]"), re.compile(rb"[0-9a-z_]\0"))


def _places(data: bytes, word: bytes) -> Iterable[int]:
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + 1)


def names_in(data: bytes) -> frozenset[str]:
    """Every "something.dll" in the bytes, as 8-bit and as 16-bit text, and every network library
    that is named as a whole text without its ending: the loader appends it. Shorter ones could be
    any text. Without endings, in lower case; what happens to lie before a name may be stuck to it
    ("lws2_32")."""
    lower = data.lower()
    found = set()
    for encoding, size in (("ascii", 1), ("utf-16-le", 2)):
        ending = ".dll".encode(encoding)
        for at in _places(lower, ending):
            name = _NAME[size - 1].search(lower, max(0, at - 40 * size), at)
            if name and not _GOES_ON[size - 1].match(lower, at + len(ending)):
                found.add(name[0].decode(encoding))
        for known in (name for name in NETWORK if len(name) >= 6):
            for at in _places(lower, known.encode(encoding)):
                end = at + len(known) * size
                alone = lower[max(at - 1, 0):at] in (b"", b"\0")
                if alone and lower[end:end + size] == bytes(size):
                    found.add(known)
    return frozenset(found)


def network_library(name: str) -> str | None:
    """The network library that `name`, of names_in, stands for. Short ones only as they are."""
    return next((known for known in NETWORK if name == known
                 or (len(known) >= 6 and name.endswith(known))), None)


def read(path: pathlib.Path) -> Binary:
    """Errors: PeError, OSError."""
    data = path.read_bytes()
    image = _Image(data)
    return Binary(imports=image.libraries(1, 20, 12), delayed=image.libraries(13, 32, 4),
                  named=names_in(data))


def judge(name: str, binary: Binary, allowed: set[str] | None = None) -> list[str]:
    """Sentences, one per violation; none for a binary that can open no connection."""
    allowed = ALLOWED if allowed is None else allowed
    findings = [f"{name} imports {library}"
                for library in sorted(binary.imports - allowed)]
    findings += [f"{name} would import {library} when it is first used"
                 for library in sorted(binary.delayed - allowed)]
    for library in sorted(binary.named):
        known = network_library(library)
        if known is not None and (name, known) not in EXCEPTIONS:
            findings.append(f"{name} names {known}.dll, which can open connections")
    if not binary.imports:
        findings.append(f"{name} imports nothing, which no program can: it was not understood")
    return findings


def judge_setup(name: str, binary: Binary, carried: Iterable[Binary] = ()) -> list[str]:
    """The same for a setup or an uninstaller: what it carries is judged by itself, and its names
    show only where nothing is compressed."""
    inside = frozenset().union(*(each.named for each in carried))
    return judge(name, dataclasses.replace(binary, named=binary.named - inside), ALLOWED_SETUP)


def judge_release(binaries: Iterable[pathlib.Path], setup: pathlib.Path) -> list[str]:
    """Everything that one setup brings. Errors: PeError, OSError."""
    read_binaries = {path: read(path) for path in binaries}
    found = [sentence for path, binary in read_binaries.items()
             for sentence in judge(path.name, binary)]
    return found + judge_setup(setup.name, read(setup), read_binaries.values())
