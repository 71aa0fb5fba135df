"""What the Windows binaries ask of the system and offer to it, read from the files themselves by
another reader than the release's (tools/release/network.py), which keeps the lists: a new system
library is a decision, made there.
"""

from __future__ import annotations

import os
import pathlib
import re
import struct
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ASIODRV_BUILD_ROOT", ROOT / "build"))
sys.path.insert(0, str(ROOT / "tools/release"))

import files  # noqa: E402  (found through the path above)
import network  # noqa: E402

#: By their names in an installation.
BINARIES = {name: BUILD / tree / "bin" / file for name, (tree, file) in files.WINDOWS.items()}
DLLS = ("asio-driver.dll", "x86/asio-driver.dll")
HOSTS = ("asio-host.exe", "x86/asio-host.exe")
COM_EXPORTS = {"DllGetClassObject", "DllCanUnloadNow", "DllRegisterServer", "DllUnregisterServer"}


def dump(path: pathlib.Path, *options: str) -> str:
    return subprocess.run(["x86_64-w64-mingw32-objdump", *options, str(path)], check=True,
                          capture_output=True, text=True, errors="replace").stdout


def imports_of(headers: str) -> set[str]:
    return {name.lower() for name in re.findall(r"DLL Name: (\S+)", headers)}


def network_libraries_named_in(image: bytes) -> set[str]:
    """Libraries whose names stand in the file in either width, whatever for; without endings."""
    text = image.decode("latin-1")
    wide = [match[0].replace("\0", "") for match in re.finditer(
        r"(?:[A-Za-z0-9_]\0){2,}\.\0[dD]\0[lL]\0[lL]\0", text)]
    narrow = re.findall(r"[A-Za-z0-9_]{2,}\.dll", text, re.IGNORECASE)
    known = {network.network_library(name.lower().removesuffix(".dll")) for name in wide + narrow}
    return {name for name in known if name is not None}


def exports_of(headers: str) -> list[str]:
    _, _, table = headers.partition("[Ordinal/Name Pointer] Table")
    names = []
    for line in table.splitlines()[1:]:
        match = re.match(r"\s+\[\s*\d+\](?: \+base\[\s*\d+\])?\s+(?:[0-9a-f]+\s+)?(\S+)$", line)
        if match is None:
            break
        names.append(match[1])
    return names


def thread_callbacks(headers: str, image: bytes) -> int:
    """How many functions the loader calls for every thread that comes and goes."""
    wide = "pei-x86-64" in headers
    size = 8 if wide else 4
    base = int(re.search(r"ImageBase\s+([0-9a-f]+)", headers)[1], 16)
    directory = int(re.search(r"Entry 9 ([0-9a-f]+) [0-9a-f]+ Thread Storage", headers)[1], 16)
    pe = int.from_bytes(image[0x3C:0x40], "little")
    sections = pe + 24 + int.from_bytes(image[pe + 20:pe + 22], "little")

    def number(address: int) -> int:
        """At an address relative to the image's, as wide as one."""
        for row in range(int.from_bytes(image[pe + 6:pe + 8], "little")):
            _, start, held, offset = struct.unpack_from("<IIII", image, sections + 40 * row + 8)
            if start <= address < start + held:
                at = offset + address - start
                return int.from_bytes(image[at:at + size], "little")
        raise AssertionError(f"address {address:#x} lies in no section")

    table = number(directory + 3 * size) - base
    return next(count for count in range(100) if number(table + count * size) == 0)


def version_texts(data: bytes) -> dict[str, str]:
    """Names and values of a version resource, found by their names."""
    found = {}
    for name in ("ProductVersion", "OriginalFilename", "CompanyName"):
        wide = (name + "\0").encode("utf-16-le")
        at = data.find(wide)
        if at >= 0:
            value = data[at + len(wide):at + len(wide) + 200].decode("utf-16-le", "replace")
            found[name] = value.lstrip("\0").partition("\0")[0]
    return found


class Binaries(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        missing = [str(path) for path in BINARIES.values() if not path.exists()]
        if missing:
            raise AssertionError("not built: " + ", ".join(missing) + "; run tools/build.sh "
                                 "windows-x64 windows-x64-dll windows-x86")
        cls.headers = {name: dump(path, "-p") for name, path in BINARIES.items()}

    def test_the_reader_sees_real_tables(self) -> None:
        """A parser that finds nothing would let every other test here pass."""
        for name, headers in self.headers.items():
            self.assertIn("kernel32.dll", imports_of(headers), name)
        sample = ("[Ordinal/Name Pointer] Table\n\t[   0] DllCanUnloadNow\n"
                  "\t[   1] +base[   2]  0001 DllRegisterServer\n\nother\n")
        self.assertEqual(exports_of(sample), ["DllCanUnloadNow", "DllRegisterServer"])

    def test_every_import_is_a_known_system_library(self) -> None:
        for name, headers in self.headers.items():
            with self.subTest(binary=name):
                self.assertEqual(imports_of(headers) - network.ALLOWED, set())

    def test_no_binary_imports_a_network_library(self) -> None:
        self.assertEqual(network.network_library("ws2_32"), "ws2_32")
        for name, headers in self.headers.items():
            with self.subTest(binary=name):
                found = [entry for entry in imports_of(headers)
                         if network.network_library(entry.removesuffix(".dll")) is not None]
                self.assertEqual(found, [])

    def test_no_binary_loads_a_network_library_but_the_one_exception(self) -> None:
        sample = "\1ws2_32.DLL\0".encode("utf-16-le") + b"-winhttp.dll\0kernel32.dll"
        self.assertEqual(network_libraries_named_in(sample), {"ws2_32", "winhttp"})
        found = {(name, library) for name, path in BINARIES.items()
                 for library in network_libraries_named_in(path.read_bytes())}
        self.assertEqual(found, network.EXCEPTIONS)

    def test_the_dll_exports_exactly_the_four_entries_of_a_com_server(self) -> None:
        for name in DLLS:
            with self.subTest(binary=name):
                names = exports_of(self.headers[name])
                self.assertEqual(sorted(names), sorted(COM_EXPORTS))

    def test_the_service_shows_no_console_window(self) -> None:
        self.assertRegex(self.headers["asio-driver.exe"], r"Subsystem\s+0+2\s")

    def test_the_host_is_a_console_program(self) -> None:
        for name in HOSTS:
            self.assertRegex(self.headers[name], r"Subsystem\s+0+3\s", name)

    def test_address_randomisation_and_data_execution_prevention_are_on(self) -> None:
        for name, headers in self.headers.items():
            with self.subTest(binary=name):
                flags = int(re.search(r"DllCharacteristics\s+([0-9a-f]+)", headers)[1], 16)
                self.assertTrue(flags & 0x0040, "dynamic base")
                self.assertTrue(flags & 0x0100, "no execution of data")
                if not name.startswith("x86/"):
                    self.assertTrue(flags & 0x0020, "high-entropy addresses")

    def test_the_x86_binaries_are_32_bit_and_the_others_64(self) -> None:
        for name, path in BINARIES.items():
            with self.subTest(binary=name):
                bits = "i386" if name.startswith("x86/") else "x86-64"
                self.assertIn(f"file format pei-{bits}", dump(path, "-f"))

    def test_every_file_says_which_version_of_what_it_is(self) -> None:
        version = re.search(r"project\(asio-driver VERSION ([0-9.]+)",
                            (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
        for name, path in BINARIES.items():
            with self.subTest(binary=name):
                texts = version_texts(path.read_bytes())
                self.assertEqual(texts.get("ProductVersion"), version)
                self.assertEqual(texts.get("OriginalFilename"), path.name)
                self.assertNotEqual(texts.get("CompanyName", ""), "")
        self.assertEqual(version_texts(b"nothing"), {})

    def test_the_dll_hears_of_threads_as_the_runtime_does_and_no_more(self) -> None:
        counted = {name: thread_callbacks(self.headers[name], path.read_bytes())
                   for name, path in BINARIES.items()}
        for name in DLLS:
            self.assertEqual(counted[name], 2, "thread-local data of the runtime: begin and end")
        self.assertGreater(counted["asio-driver.exe"], 2, "winpthreads has one more; it is seen")

    def test_the_dll_registers_no_thread_local_destructors(self) -> None:
        for name in DLLS:
            with self.subTest(binary=name):
                symbols = dump(BINARIES[name], "-t")
                self.assertIn("DllGetClassObject", symbols, "a table without symbols says nothing")
                self.assertNotIn("__cxa_thread_atexit", symbols)


if __name__ == "__main__":
    unittest.main()
