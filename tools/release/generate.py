#!/usr/bin/env python3
"""Writes what a build needs of a profile. CMake calls it (cmake/product.cmake).

  generate.py PROFILE VERSION OUT.cpp                  the identity: core/base/product.hpp
  generate.py PROFILE VERSION OUT.rc FILE DESCRIPTION  a version resource for FILE
"""

from __future__ import annotations

import pathlib
import sys

from vendor_profile import Profile, ProfileError, read_profile

SOURCE = """\
// Made from the profile of {id}; do not edit.
#include "core/base/product.hpp"

namespace asiodrv {{

constinit const Product kProduct{{
    .name = "{name}",
    .id = "{id}",
    .driver_name = "{driver_name}",
    .class_id_text = "{class_id}",
    .class_id = {{{bytes}}},
    .company = "{company}",
    .signers = "{signers}",
    .version = "{version}",
    .version_number = {number}}};

}}  // namespace asiodrv
"""

RESOURCE = """\
#include <winver.h>
{icon}
VS_VERSION_INFO VERSIONINFO
 FILEVERSION {commas},0
 PRODUCTVERSION {commas},0
 FILEFLAGSMASK VS_FFI_FILEFLAGSMASK
 FILEFLAGS 0
 FILEOS VOS_NT_WINDOWS32
 FILETYPE {kind}
 FILESUBTYPE VFT2_UNKNOWN
{{
  BLOCK "StringFileInfo"
  {{
    BLOCK "040904B0"
    {{
      VALUE "CompanyName", "{company}"
      VALUE "FileDescription", "{name}: {description}"
      VALUE "FileVersion", "{version}"
      VALUE "InternalName", "{stem}"
      VALUE "LegalCopyright", "Apache-2.0"
      VALUE "OriginalFilename", "{file}"
      VALUE "ProductName", "{name}"
      VALUE "ProductVersion", "{version}"
    }}
  }}
  BLOCK "VarFileInfo"
  {{
    VALUE "Translation", 0x0409, 0x04B0
  }}
}}
"""


def class_id_bytes(class_id: str) -> str:
    """The members of a ClassId as C++ writes them."""
    one, two, three, four, five = class_id.strip("{}").split("-")
    tail = four + five
    last = ", ".join(f"0x{tail[i:i + 2]}" for i in range(0, 16, 2))
    return f"0x{one}, 0x{two}, 0x{three}, {{{last}}}"


def identity(profile: Profile, version: str) -> str:
    major, minor, patch = (int(part) for part in version.split("."))
    return SOURCE.format(name=profile.name, id=profile.id, driver_name=profile.driver_name,
                         class_id=profile.class_id, bytes=class_id_bytes(profile.class_id),
                         company=profile.company, signers="|".join(profile.signers),
                         version=version, number=major * 10000 + minor * 100 + patch)


def resource(profile: Profile, version: str, file: str, description: str) -> str:
    kind = "VFT_DLL" if file.endswith(".dll") else "VFT_APP"
    icon = ""
    if profile.icon is not None and kind == "VFT_APP":
        icon = f'\n1 ICON "{profile.icon.as_posix()}"\n'
    return RESOURCE.format(icon=icon, commas=version.replace(".", ","), kind=kind, version=version,
                           company=profile.company, name=profile.name, description=description,
                           stem=file.rpartition(".")[0], file=file)


def main(arguments: list[str]) -> int:
    try:
        profile = read_profile(pathlib.Path(arguments[0]))
    except ProfileError as error:
        print(error, file=sys.stderr)
        return 1
    version = profile.version_or(arguments[1])
    out = pathlib.Path(arguments[2])
    if out.suffix == ".rc":
        text = resource(profile, version, arguments[3], arguments[4])
    else:
        text = identity(profile, version)
    out.write_text(text, encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
