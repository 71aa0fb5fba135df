"""The bill of materials: what is linked into the binaries, as CycloneDX 1.5 JSON, and the notices
that its licences want with every copy.

All libraries come from the distribution, so their versions are the packages', and their licences
are those of the packages' copyright files. What is read there is checked against what we know: a
library that changes its licence stops the release.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import subprocess
import uuid
from collections.abc import Iterable

import files


DOCUMENTATION = pathlib.Path("/usr/share/doc")
#: The product's own licence, as the distribution brings it.
OWN_LICENCE = pathlib.Path("/usr/share/common-licenses/Apache-2.0")


class BomError(Exception):
    """The text names the package and what is wrong with it."""


@dataclasses.dataclass(frozen=True)
class Component:
    """`package`: Debian's, whose version counts. `debian`: the licence's name in its copyright file
    (first paragraph); None: the file is no machine-readable one. `spdx`: the same as an SPDX
    expression."""

    name: str
    package: str
    debian: str | None
    spdx: str
    linked_into: str


COMPONENTS = (
    Component("fmt", "libfmt-dev", "Expat with embedded exception", "MIT", "all"),
    Component("tl::expected", "libexpected-dev", "CC0-1.0", "CC0-1.0", "all"),
    Component("nlohmann-json", "nlohmann-json3-dev", "Expat", "MIT", "all"),
    Component("CLI11", "libcli11-dev", "BSD-3-clause", "BSD-3-Clause", "programs"),
    Component("spdlog", "libspdlog-dev", "Expat", "MIT", "asio-driver.exe"),
    Component("toml++", "libtomlplusplus-dev", "Expat", "MIT", "asio-driver.exe"),
    Component("xsimd", "libxsimd-dev", "BSD-3-clause", "BSD-3-Clause", "asio-driver.exe"),
    Component("GCC runtime, posix threads", "gcc-mingw-w64-x86-64-posix-runtime", None,
              "GPL-3.0-or-later WITH GCC-exception-3.1", "x64 programs"),
    Component("GCC runtime, win32 threads", "gcc-mingw-w64-x86-64-win32-runtime", None,
              "GPL-3.0-or-later WITH GCC-exception-3.1", "asio-driver.dll"),
    Component("GCC runtime, 32 bit", "gcc-mingw-w64-i686-win32-runtime", None,
              "GPL-3.0-or-later WITH GCC-exception-3.1", "x86"),
    Component("mingw-w64 runtime", "mingw-w64-x86-64-dev", "ZPL-2.1", "ZPL-2.1", "x64"),
    Component("mingw-w64 runtime, 32 bit", "mingw-w64-i686-dev", "ZPL-2.1", "ZPL-2.1", "x86"),
    Component("NSIS", "nsis", "Zlib", "Zlib", "setup, uninstall.exe"),
)


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """By package. Errors: BomError for one that is not installed."""
    wanted = set(packages)
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *sorted(wanted)],
                          capture_output=True, text=True, check=False)
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    for package in sorted(wanted):
        if not found.get(package):
            raise BomError(f"The package {package} is not installed, so its version is unknown.")
    return found


def licence_in(copyright_text: str) -> str | None:
    """The licence of the paragraph "Files: *" of a machine-readable copyright file."""
    match = re.search(r"^Files:\s*\*\s*\n(?:.+\n)*?License:\s*(.+)$", copyright_text, re.MULTILINE)
    return match[1].strip() if match else None


def licence_text(path: pathlib.Path, name: str) -> str:
    if not path.exists():
        raise BomError(f"{path} is missing; the licence of {name} is not known without it.")
    return path.read_text(encoding="utf-8", errors="replace")


def copyright_file(component: Component) -> pathlib.Path:
    return DOCUMENTATION / component.package / "copyright"


def check_licence(component: Component) -> None:
    path = copyright_file(component)
    found = licence_in(licence_text(path, component.name))
    if component.debian is not None and found != component.debian:
        raise BomError(f"{component.name}: {path} says \"{found}\", expected "
                       f"\"{component.debian}\". Look at the licence, then change COMPONENTS.")


def notices(name: str) -> str:
    """The licence of the product `name`, then the copyright file of each library; those that share
    one have it once."""
    texts = {licence_text(OWN_LICENCE, name).strip(): [f"{name}: Apache-2.0"]}
    for component in COMPONENTS:
        text = licence_text(copyright_file(component), component.name).strip()
        texts.setdefault(text, []).append(
            f"{component.name}: {component.spdx}, in: {component.linked_into}")
    return "\n".join("\n".join([*heads, "=" * 80, "", text, "", ""])
                     for text, heads in texts.items())


def component_json(component: Component, version: str) -> dict:
    check_licence(component)
    known = {"expression": component.spdx} if " " in component.spdx else {
        "license": {"id": component.spdx}}
    quoted = version.replace("+", "%2B").replace(":", "%3A")
    return {"type": "library", "bom-ref": component.package, "name": component.name,
            "version": version, "licenses": [known],
            "purl": f"pkg:deb/debian/{component.package}@{quoted}",
            "properties": [{"name": "linked-into", "value": component.linked_into}]}


def document(name: str, company: str, version: str, binaries: Iterable[pathlib.Path],
             base: pathlib.Path) -> str:
    """JSON text. The same input gives the same text: the serial number is made of it."""
    versions = versions_of(component.package for component in COMPONENTS)
    components = [component_json(component, versions[component.package])
                  for component in COMPONENTS]
    hashed = [{"type": "file", "bom-ref": f"file:{path.relative_to(base).as_posix()}",
               "name": path.relative_to(base).as_posix(), "version": version,
               "hashes": [{"alg": "SHA-256", "content": files.sha256(path)}]}
              for path in sorted(binaries)]
    product = {"type": "application", "bom-ref": "product", "name": name, "version": version,
               "supplier": {"name": company}, "licenses": [{"license": {"id": "Apache-2.0"}}]}
    body = {"metadata": {"component": product}, "components": components + hashed,
            "dependencies": [{"ref": "product",
                              "dependsOn": [entry["bom-ref"] for entry in components]}]}
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(body, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{serial}",
            "version": 1}
    return json.dumps(head | body, indent=1) + "\n"
