"""Vendor profiles: reads one, checks every key, and says what is wrong with file, line and key.

A profile is TOML (vendors/*.toml, docs/vendor-kit.md). What it holds beyond the product's names
becomes the product's default configuration, `vendor.toml` beside the service, which the service
reads below the user's own file.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re
import tomllib
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
OWN = ROOT / "vendors/asio-driver.toml"
START_MODES = ("demand", "logon", "machine", "off")
CLASS_ID = re.compile(r"\{[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\}")
ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
VERSION = re.compile(r"(0|[1-9][0-9]?)\.(0|[1-9][0-9]?)\.(0|[1-9][0-9]?)")
#: What file names, registry keys, resource scripts and the setup's script all take as it is.
TEXT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 .,()+&_-]*[A-Za-z0-9.,()+&_-])?")
#: The same for the path of a file, whose folder's name the vendor's machine gives.
PATH = re.compile(r"[A-Za-z0-9 ._/+@=~,()-]+")
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 ._/-]*\.ico")
#: Windows has no folder of such a name; the last is where a release is made.
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]|work)")
DRIVER_NAME_LENGTH = 31
KEYS = ROOT / "docs/configuration.md"


class ProfileError(Exception):
    """The text names file, line, key and what is accepted."""


@dataclasses.dataclass(frozen=True)
class Device:
    """An interface that the driver is for, by its numbers on USB."""

    usb_vendor: int
    usb_product: int
    name: str


@dataclasses.dataclass(frozen=True)
class Profile:
    """Whose driver to build."""

    path: pathlib.Path
    name: str
    id: str
    driver_name: str
    class_id: str
    company: str
    signers: tuple[str, ...]  # names in the certificates that sign it; empty: not said
    version: str | None  # None: that of the sources
    start_mode: str
    icon: pathlib.Path | None
    devices: tuple[Device, ...]
    configuration: dict[str, Any]

    def version_or(self, other: str) -> str:
        return self.version or other


def line_of(text: str, table: str, key: str) -> int:
    """The line of `key` in `table`, or of the table, or 1: tomllib does not keep them."""
    found, current = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        header = re.match(r"\s*\[\[?\s*([A-Za-z0-9_.\"-]+)\s*\]\]?", line)
        if header:
            current = header[1]
            if current == table:
                found = number
        elif current == table and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return number
    return found


class _Reader:
    """Takes the keys of one table out one by one; what is left over is unknown."""

    def __init__(self, path: pathlib.Path, text: str, table: str, values: Any) -> None:
        self.path, self.text, self.table = path, text, table
        if not isinstance(values, dict):
            raise self.error("", "a table")
        self.left = dict(values)

    def error(self, key: str, accepted: str) -> ProfileError:
        place = f"{self.path}:{line_of(self.text, self.table, key)}"
        return ProfileError(f"{place}: {self.table}{'.' if key else ''}{key}: {accepted}")

    def take(self, key: str, kind: type, accepted: str, default: Any = ...) -> Any:
        value = self.left.pop(key, default)
        if value is ...:
            raise self.error(key, f"is missing; {accepted}")
        if value is not default and (not isinstance(value, kind) or isinstance(value, bool)):
            raise self.error(key, f"must be {accepted}")
        return value

    def match(self, key: str, pattern: re.Pattern[str], accepted: str, default: Any = ...) -> Any:
        value = self.take(key, str, accepted, default)
        if value is not default and not pattern.fullmatch(value):
            raise self.error(key, f"\"{value}\" is not accepted; must be {accepted}")
        return value

    def done(self, known: str) -> None:
        for key in self.left:
            raise self.error(key, f"is unknown; the keys are {known}")


@functools.cache
def known_keys() -> dict[str, list[str]]:
    """The configuration's keys by section. A test holds the document to what the service knows."""
    keys: dict[str, list[str]] = {}
    section: list[str] | None = None
    for line in KEYS.read_text(encoding="utf-8").splitlines():
        title = re.match(r"\| \*\*\[+(\w+)\]+\*\* \|", line)
        row = re.match(r"\| `(\w+)` \|", line)
        if title:
            section = keys.setdefault(title[1], [])
        elif row and section is not None:
            section.append(row[1])
        else:
            section = None
    return keys


def check_configuration(path: pathlib.Path, text: str, tables: Any) -> dict[str, Any]:
    """Sections by name; values are the service's to judge (`asio-driver config validate`)."""
    reader = _Reader(path, text, "configuration", tables)
    for name in reader.left:
        if name not in known_keys():
            raise reader.error(name, "is no section of the configuration; the sections are "
                               + ", ".join(known_keys()))
        for table in reader.left[name] if name == "member" else [reader.left[name]]:
            if not isinstance(table, dict):
                raise reader.error(name, "must be a section with keys")
            inside = _Reader(path, text, f"configuration.{name}", table)
            for key, value in table.items():
                if key not in known_keys()[name]:
                    raise inside.error(key, "is no key of the configuration; the keys are "
                                       + ", ".join(known_keys()[name]))
                if not _is_plain(value):
                    raise inside.error(
                        key, "must be a text, a number, true or false, or a list of these")
    return reader.left


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(item) and not isinstance(item, list) for item in value)
    return isinstance(value, (str, int, float, bool))


def read_devices(path: pathlib.Path, text: str, tables: Any) -> tuple[Device, ...]:
    if not isinstance(tables, list):
        raise ProfileError(f"{path}:{line_of(text, 'device', '')}: device: write [[device]], once "
                           "for each interface")
    devices = []
    for table in tables:
        reader = _Reader(path, text, "device", table)
        numbers = []
        for key in ("usb_vendor", "usb_product"):
            number = reader.take(key, int, "a number from 0x0001 to 0xFFFF")
            if not 0 < number <= 0xFFFF:
                raise reader.error(key, f"{number} is not accepted; must be from 0x0001 to 0xFFFF")
            numbers.append(number)
        name = reader.match("name", TEXT, "the interface's name, letters and digits")
        reader.done("usb_vendor, usb_product, name")
        devices.append(Device(*numbers, name))
    return tuple(devices)


def read_profile(path: pathlib.Path) -> Profile:
    """Errors: ProfileError, for a missing or unreadable file as well."""
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: is no UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise ProfileError(f"{path}:{line[1] if line else 1}: is no TOML: {error}") from error

    product = _Reader(path, text, "product", tables.pop("product", {}))
    installer = _Reader(path, text, "installer", tables.pop("installer", {}))
    devices = read_devices(path, text, tables.pop("device", []))
    configuration = check_configuration(path, text, tables.pop("configuration", {}))
    for name in tables:
        raise ProfileError(f"{path}:{line_of(text, name, '')}: {name}: is unknown; the sections "
                           "are product, installer, device, configuration")

    plain = "letters, digits, blanks and . , ( ) + & _ -; a letter or digit first, no blank last"
    name = product.match("name", TEXT, plain)
    driver_name = product.match("driver_name", TEXT, plain)
    if len(driver_name) > DRIVER_NAME_LENGTH:
        raise product.error("driver_name", f"has {len(driver_name)} characters; hosts show at most "
                            f"{DRIVER_NAME_LENGTH}")
    mode = installer.take("start_mode", str, "one of " + ", ".join(START_MODES), "demand")
    if mode not in START_MODES:
        raise installer.error("start_mode", f"\"{mode}\" is not accepted; must be one of "
                              + ", ".join(START_MODES))
    icon = installer.match("icon", FILE, "the name of an .ico file beside the profile or below: "
                           "letters, digits, blanks and . / _ -", None)
    if icon is not None:
        icon = (path.parent / icon).resolve()
        if not icon.is_file() or icon.read_bytes()[:4] != b"\0\0\1\0":
            raise installer.error("icon", f"{icon} is no .ico file")
        if not PATH.fullmatch(str(icon)):
            raise installer.error("icon", f"{icon} cannot be handed to the compilers; move the "
                                  "profile to a folder of letters, digits, blanks and . _ + @ = -")
    profile = Profile(
        path=path, name=name, driver_name=driver_name,
        id=product.match("id", ID, "1 to 32 lower-case letters, digits and -, with no - first or "
                         "last"),
        class_id=product.match("class_id", CLASS_ID,
                               "{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX} in upper case; uuidgen "
                               "makes one"),
        company=product.match("company", TEXT, plain),
        signers=_signers(product, plain),
        version=product.match("version", VERSION, "three numbers below 100, as 1.2.0", None),
        start_mode=mode, icon=icon, devices=devices, configuration=configuration)
    if RESERVED.fullmatch(profile.id):
        raise product.error("id", f"\"{profile.id}\" is taken; choose another")
    product.done("name, id, driver_name, class_id, company, signers, version")
    installer.done("start_mode, icon")
    if path.resolve() != OWN:
        _check_apart(product, profile, read_profile(OWN))
    return profile


def _signers(product: _Reader, plain: str) -> tuple[str, ...]:
    accepted = "a list of names, as [\"Example Audio Ltd\"], each of " + plain
    names = product.take("signers", list, accepted, [])
    for name in names:
        if not isinstance(name, str) or not TEXT.fullmatch(name):
            raise product.error("signers", f"must be {accepted}")
    return tuple(names)


def _check_apart(product: _Reader, profile: Profile, own: Profile) -> None:
    """Two drivers that share one of these would take each other's place on a machine."""
    for key in ("id", "driver_name", "class_id"):
        if getattr(profile, key) == getattr(own, key):
            raise product.error(key, f"\"{getattr(own, key)}\" belongs to {own.name}; choose "
                                "another")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\u{ord(c[0]):04x}", quoted) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return repr(value)


def vendor_toml(profile: Profile) -> str | None:
    """The text of vendor.toml; None when the profile sets nothing."""
    if not profile.devices and not profile.configuration:
        return None
    lines = [f"# The defaults of {profile.name}, below the user's own configuration."]
    tables = {name: dict(table) if name != "member" else table
              for name, table in profile.configuration.items()}
    if profile.devices:
        choice = "usb:" + ",".join(f"{device.usb_vendor:04x}:{device.usb_product:04x}"
                                   for device in profile.devices)
        tables["wasapi"] = {"output": choice, "input": choice} | tables.get("wasapi", {})
    for name, table in tables.items():
        for header, values in ([(f"[[{name}]]", row) for row in table] if name == "member"
                               else [(f"[{name}]", table)]):
            lines += ["", header, *(f"{key} = {_toml(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"
