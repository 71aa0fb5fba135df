"""No shipped binary can open a connection: imports, delay imports and names for loading at run
time, read from the files themselves (tools/release/network.py). Canaries make each check fail."""

from __future__ import annotations

import pathlib
import struct
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/release"))

import files  # noqa: E402  (found through the path above)
import network  # noqa: E402


def small_image(imports: tuple[str, ...] = ("KERNEL32.dll",), delayed: tuple[str, ...] = (),
                rest: bytes = b"") -> bytes:
    """A 64-bit image of one section, with the tables that are judged and nothing else."""
    start = 0x1000
    names = b""
    places = {}
    tables = 20 * (len(imports) + 1) + 32 * (len(delayed) + 1)
    for name in (*imports, *delayed):
        places[name] = start + tables + len(names)
        names += name.encode() + b"\0"
    body = b"".join(struct.pack("<IIIII", 0, 0, 0, places[name], 0) for name in imports)
    body += bytes(20)
    body += b"".join(struct.pack("<8I", 1, places[name], 0, 0, 0, 0, 0, 0) for name in delayed)
    body += bytes(32) + names + rest
    directories = bytearray(16 * 8)
    struct.pack_into("<II", directories, 8, start, 20)
    if delayed:
        struct.pack_into("<II", directories, 13 * 8, start + 20 * (len(imports) + 1), 32)
    optional = struct.pack("<H", 0x20B) + bytes(106) + struct.pack("<I", 16) + bytes(directories)
    section = b".text\0\0\0" + struct.pack("<IIII", len(body), start, len(body), 0x400) + bytes(16)
    head = b"MZ" + bytes(0x3A) + struct.pack("<I", 0x40) + b"PE\0\0" + struct.pack(
        "<HHIIIHH", 0x8664, 1, 0, 0, 0, len(optional), 0) + optional + section
    return head.ljust(0x400, b"\0") + body


def judged(image: bytes, name: str = "asio-host.exe") -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / name
        path.write_bytes(image)
        return network.judge(name, network.read(path))


class Canaries(unittest.TestCase):
    """What is planted must be found, or silence about the real files means nothing."""

    def test_a_clean_image_has_no_findings(self) -> None:
        image = small_image(rest=b"userenv.dll\0" + "avrt.dll".encode("utf-16-le"))
        self.assertEqual(judged(image), [])

    def test_planted_ways_to_a_network_are_found(self) -> None:
        wide = "winhttp.dll".encode("utf-16-le")
        for what, sentence, image in (
                ("import", "imports ws2_32.dll", small_image(("KERNEL32.dll", "WS2_32.dll"))),
                ("unknown import", "imports surprise.dll",
                 small_image(("KERNEL32.dll", "surprise.dll"))),
                ("delay import", "would import wininet.dll", small_image(delayed=("WININET.dll",))),
                ("8-bit name", "names ws2_32.dll", small_image(rest=b"\0ws2_32.dll\0")),
                ("name with a path", "names dnsapi.dll",
                 small_image(rest=b"\0C:\\Windows\\System32\\DNSAPI.DLL\0")),
                ("16-bit name", "names winhttp.dll", small_image(rest=wide + b"\0\0")),
                ("16-bit name at an odd place", "names winhttp.dll",
                 small_image(rest=b"x\0\0" + wide + b"\0\0")),
                ("name without its ending", "names ws2_32.dll", small_image(rest=b"\0ws2_32\0")),
                ("16-bit, without its ending", "names wininet.dll",
                 small_image(rest=b"\0\0" + "wininet".encode("utf-16-le") + b"\0\0"))):
            with self.subTest(planted=what):
                self.assertIn(sentence, "\n".join(judged(image)))

    def test_the_one_exception_is_for_the_service_program_alone(self) -> None:
        image = small_image(rest="iphlpapi.dll".encode("utf-16-le"))
        self.assertEqual(judged(image, "asio-driver.exe"), [])
        self.assertNotEqual(judged(image, "asio-driver.dll"), [])
        self.assertNotEqual(judged(small_image(("KERNEL32.dll", "iphlpapi.dll")),
                                   "asio-driver.exe"), [])

    def test_a_setup_may_carry_what_was_judged_and_nothing_else(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            carried, setup = (pathlib.Path(folder) / name for name in ("asio-driver.exe", "s.exe"))
            inside = small_image(rest=b"\0iphlpapi.dll\0")
            carried.write_bytes(inside)
            for what, extra, wanted in (("what it carries", inside, 0),
                                        ("one more", inside + b"\0winhttp.dll\0", 1)):
                with self.subTest(setup=what):
                    setup.write_bytes(small_image(("COMCTL32.dll",), rest=extra))
                    self.assertEqual(len(network.judge_release([carried], setup)), wanted)
            setup.write_bytes(small_image(("WININET.dll",)))
            self.assertIn("s.exe imports wininet.dll", network.judge_release([carried], setup))
            carried.write_bytes(small_image(rest=b"\0dnsapi.dll\0"))
            setup.write_bytes(small_image(("COMCTL32.dll",)))
            self.assertIn("asio-driver.exe names dnsapi.dll, which can open connections",
                          network.judge_release([carried], setup))

    def test_what_is_no_image_is_an_error_and_no_clean_bill(self) -> None:
        whole = small_image()
        for broken in (b"", b"MZ", whole[:0x80], whole[:0x405], b"\x7fELF" + whole[4:]):
            with self.assertRaises(network.PeError):
                judged(broken)
        self.assertIn("imports nothing", judged(small_image(()))[0])


class Shipped(unittest.TestCase):
    def test_no_shipped_binary_can_open_a_connection(self) -> None:
        for name in files.WINDOWS:
            with self.subTest(binary=name):
                path = files.built(name)
                self.assertTrue(path.exists(), f"{path} is not built")
                binary = network.read(path)
                self.assertIn("kernel32.dll", binary.imports)
                self.assertIn("kernel32", binary.named, "the reader of names sees nothing")
                self.assertEqual(network.judge(path.name, binary), [])


if __name__ == "__main__":
    unittest.main()
