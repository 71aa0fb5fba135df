"""Checks who includes whom: the arrows of cmake/modules.cmake, and the homes of system headers."""

from __future__ import annotations

import re
import sys

from sources import ROOT, Finding, SourceFile, line_of, text_files

#: Modules in a folder of a folder; every other module is a folder of its own name.
NESTED = ("core", "devices", "ipc", "service")

#: Files that compose a program out of concrete parts. Only they may name a platform besides the
#: modules whose edges say so.
MAINS = {
    "asio": {"platform", "service/manager"},  # of the latter the names alone
}
MAIN_FILE = re.compile(r"(^|/)([a-z0-9_]*main|entry|[a-z0-9_]+_entry)\.cpp$")

#: Test programs are mains of their own: what they may include besides their module's edges. "ipc"
#: is both ends of a conversation and the transport in memory.
TEST_EXTRAS = {"tests/support", "platform", "simulation", "ipc"}

#: Doubles for tests and the simulation that lie beside modules: what they may include, and who
#: besides tests may include them.
DOUBLES = {"ipc": {"core/base", "core/ports", "core/wire"}}
DOUBLES_USERS = {"simulation": {"ipc"}}

#: Folders that compile into the DLL with the win32 thread model (docs/decisions/0001).
DLL_FOLDERS = ("core/base", "core/ports", "core/audio", "core/wire", "platform", "ipc/client",
               "asio", "host")

WINDOWS_HEADERS = re.compile(
    r"windows\.h|win[a-z0-9]+\.h|ole[a-z0-9]*\.h|obj[a-z]+\.h|combaseapi\.h|unknwn\.h|"
    r"avrt\.h|mm[a-z]+\.h|timeapi\.h|sddl\.h|aclapi\.h|accctrl\.h|tlhelp32\.h|psapi\.h|"
    r"processthreadsapi\.h|synchapi\.h|bcrypt\.h|ntsecapi\.h|userenv\.h|shl[a-z]+\.h|"
    r"shellapi\.h|io\.h|process\.h|rpc[a-z]*\.h|initguid\.h|"
    r"audio[a-z]+\.h|prop[a-z]+\.h|devpkey\.h|functiondiscoverykeys_devpkey\.h|"
    r"guiddef\.h|mscat\.h|versionhelpers\.h|xmllite\.h|tchar\.h|ks[a-z]*\.h")
WINDOWS_FOLDERS = ("platform/windows", "devices/wasapi", "service", "doctor/windows",
                   "doctor/testing", "cli", "host", "asio", "trust", "panel", "tests", "bench")

POSIX_HEADERS = re.compile(
    r"(sys|linux|netinet|arpa|bits)/[a-z_0-9]+\.h|unistd\.h|pthread\.h|sched\.h|fcntl\.h|"
    r"signal\.h|poll\.h|dlfcn\.h|pwd\.h|spawn\.h|execinfo\.h|ucontext\.h|semaphore\.h|"
    r"malloc\.h|link\.h|alloca\.h|time\.h|errno\.h|stdlib\.h|limits\.h")
POSIX_FOLDERS = ("platform/posix", "simulation/posix", "doctor/posix", "service", "cli", "host",
                 "tests", "bench")

NETWORK_HEADERS = re.compile(
    r"(netinet|arpa)/.*|netdb\.h|winsock2?\.h|ws2tcpip\.h|wininet\.h|winhttp\.h|iphlpapi\.h|"
    r"curl/.*")

SIMD_HEADERS = re.compile(r"[a-z]*mmintrin\.h|immintrin\.h|x86intrin\.h|cpuid\.h|intrin\.h")
SIMD_FOLDERS = ("core/audio", "core/base", "asio", "host", "platform", "tests", "bench")

#: Libraries: first path component, and the folders that may use them. "*" is everywhere.
LIBRARIES = {
    "fmt": ("*",),
    "tl": ("*",),
    "nlohmann": ("core/wire", "ipc", "asio", "service", "doctor", "trust", "cli", "host",
                 "simulation", "tests"),
    "spdlog": ("service", "cli"),
    "CLI": ("service", "cli", "host"),
    "toml++": ("service",),
    "xsimd": ("core/audio",),
    "gtest": ("tests",),
    "gmock": ("tests",),
    "benchmark": ("bench",),
    "zita-resampler": ("bench",),  # a peer to measure against, as the two headers below
}
PEER_HEADERS = {"samplerate.h", "soxr.h"}

#: Single files that may include what their folder may not, each with its reason.
EXCEPTIONS = {
    ("simulation/virtual_day.cpp", "malloc.h"),  # a main that watches its own memory for a day
    ("simulation/combined_day.cpp", "malloc.h"),  # the same
    ("simulation/simulate_main.cpp", "malloc.h"),  # the same
    ("simulation/posix/context.cpp", "cxxabi.h"),  # what a stack switch must take along
    ("simulation/posix/context.cpp", "sanitizer/common_interface_defs.h"),  # and must announce
}

#: Standard headers that the win32 thread model lacks, or that drag static objects into hosts.
DLL_BANS = {
    "thread": "core/ports/thread.hpp",
    "mutex": "core/ports/mutex.hpp",
    "shared_mutex": "core/ports/mutex.hpp",
    "condition_variable": "ports::Signal (core/ports/thread.hpp)",
    "future": "ports::Threads (core/ports/thread.hpp)",
    "iostream": "fmt/format.h, or an Error that the caller prints",
    "regex": "a small parser by hand",
    "random": "platform::random_bytes, or a generator passed in",
}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"(?P<ours>[^"\n]+)"|<(?P<system>[^>\n]+)>)',
                      re.MULTILINE)


def is_dll_code(file: SourceFile) -> bool:
    """True for what the win32 thread model compiles; the POSIX half of a folder is not."""
    return (file.is_cpp and file.in_folder(*DLL_FOLDERS) and not file.is_test
            and "/posix/" not in file.path)


def read_edges(modules_cmake: str) -> dict[str, set[str]]:
    """The table of cmake/modules.cmake as {folder: folders that it may include}."""
    block = re.search(r"set\(ASIODRV_EDGES\n(.*?)\n\)", modules_cmake, re.DOTALL)
    if block is None:
        raise ValueError("cmake/modules.cmake: no set(ASIODRV_EDGES ...) found")
    edges = {}
    for name, targets in re.findall(r'"([a-z_0-9]+):([a-z_0-9 ]*)"', block.group(1)):
        edges[folder_of_module(name)] = {folder_of_module(target) for target in targets.split()}
    if not edges:
        raise ValueError("cmake/modules.cmake: the table ASIODRV_EDGES is empty")
    for user, doubles in DOUBLES_USERS.items():
        edges.setdefault(user, set()).update(doubles)
    return edges | DOUBLES


def folder_of_module(name: str) -> str:
    head, _, tail = name.partition("_")
    return f"{head}/{tail}" if head in NESTED and tail else name


def module_of(path: str, edges: dict[str, set[str]]) -> str | None:
    """The folder of `edges` that holds `path`, the longest one."""
    owners = [folder for folder in edges if path.startswith(folder + "/")]
    return max(owners, key=len, default=None)


def allowed_for(file: SourceFile, module: str | None,
                edges: dict[str, set[str]]) -> set[str] | None:
    """Folders that `file` may include from; None means every folder of ours."""
    if file.in_folder("tests", "bench", "fuzz", "tools"):
        return None
    if module is None:
        return set()
    allowed = {module} | edges[module]
    if file.is_test:
        allowed |= TEST_EXTRAS
    if MAIN_FILE.search(file.path):
        allowed |= MAINS.get(module, set())
    return allowed


def check_ours(file: SourceFile, include: str, edges: dict[str, set[str]],
               known: set[str]) -> str | None:
    if include.startswith(".") or "/../" in include:
        return f'#include "{include}": give the path from the root of the repository'
    if known and include not in known:
        return f'#include "{include}": there is no such file; paths start at the root'
    module = module_of(file.path, edges)
    allowed = allowed_for(file, module, edges)
    if allowed is None:
        return None
    target = module_of(include, edges) or include.rpartition("/")[0]
    if any(target == folder or target.startswith(folder + "/") for folder in allowed):
        return None
    names = ", ".join(sorted(allowed)) or "nothing: add it to cmake/modules.cmake"
    return (f'#include "{include}": {module or "this folder"} must not include {target}; '
            f"allowed: {names}")


def check_system(file: SourceFile, header: str) -> str | None:
    library = header.partition("/")[0] if "/" in header else None
    if (file.path, header) in EXCEPTIONS:
        return None
    if header in PEER_HEADERS:
        return None if file.in_folder("bench") else f"<{header}>: for bench only"
    if NETWORK_HEADERS.fullmatch(header):
        return f"<{header}>: no part of the product opens a network socket"
    if library in LIBRARIES:
        homes = LIBRARIES[library]
        if "*" in homes or file.in_folder(*homes):
            return None
        if file.is_test and library in ("gtest", "gmock"):
            return None
        return f"<{header}>: {library} is for {', '.join(homes)} only"
    for pattern, homes, what in ((WINDOWS_HEADERS, WINDOWS_FOLDERS, "a Windows header"),
                                 (SIMD_HEADERS, SIMD_FOLDERS, "a processor header"),
                                 (POSIX_HEADERS, POSIX_FOLDERS, "a POSIX or C header")):
        if pattern.fullmatch(header):
            if file.in_folder(*homes):
                return None
            hint = "; <c...> headers are the C++ way" if pattern is POSIX_HEADERS else ""
            return f"<{header}>: {what} is for {', '.join(homes)} only{hint}"
    if re.fullmatch(r"[a-z_]+", header):
        if header in DLL_BANS and is_dll_code(file):
            return f"<{header}>: this folder is part of the DLL; use {DLL_BANS[header]}"
        return None
    return f"<{header}>: unknown to the lint; name it and its home in tools/lint/check_includes.py"


def check(files: list[SourceFile], edges: dict[str, set[str]],
          known: set[str] | None = None) -> list[Finding]:
    """Findings of all C++ files. `known`: every path that an include may name; empty = any."""
    findings = []
    for file in files:
        if not file.is_cpp:
            continue
        for match in _INCLUDE.finditer(file.text):
            if match["ours"] is not None:
                problem = check_ours(file, match["ours"], edges, known or set())
            else:
                problem = check_system(file, match["system"])
            if problem is not None:
                findings.append(Finding(file.path, line_of(file.text, match.start()), problem))
    return findings


def main() -> int:
    files = text_files()
    edges = read_edges((ROOT / "cmake/modules.cmake").read_text(encoding="utf-8"))
    findings = check(files, edges, {file.path for file in files})
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
