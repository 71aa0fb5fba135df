"""The texts of the event log's entries are in the program, one for each that the code can write."""

from __future__ import annotations

import os
import pathlib
import re
import struct
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ASIODRV_BUILD_ROOT", ROOT / "build"))
PROGRAM = BUILD / "windows-x64/bin/asio-driver.exe"
HEADER = ROOT / "service/manager/event_log.hpp"

MESSAGE_TABLE = 11
IS_FOLDER = 0x8000_0000


class Resources:
    """The resources of a 64-bit PE file, as far as a message table needs them."""

    def __init__(self, image: bytes) -> None:
        header = struct.unpack_from("<I", image, 0x3C)[0]
        sections, optional = struct.unpack_from("<2xH12xH", image, header + 4)
        for number in range(sections):
            at = header + 24 + optional + 40 * number
            name = image[at:at + 8].rstrip(b"\0")
            if name == b".rsrc":
                size, self._address, raw, self._offset = struct.unpack_from("<4I", image, at + 8)
                self._data = image[self._offset:self._offset + min(size, raw)]
                return
        raise ValueError("no resources")

    def entries(self, folder: int) -> dict[int, int]:
        named, numbered = struct.unpack_from("<12x2H", self._data, folder)
        rows = (struct.unpack_from("<2I", self._data, folder + 16 + 8 * row)
                for row in range(named + numbered))
        return dict(rows)

    def first(self, kind: int) -> bytes:
        at = self.entries(0)[kind]
        while at & IS_FOLDER:
            at = next(iter(self.entries(at & ~IS_FOLDER).values()))
        address, size = struct.unpack_from("<2I", self._data, at)
        begin = address - self._address
        return self._data[begin:begin + size]


def messages(table: bytes) -> dict[int, str]:
    """Number and text of each message."""
    found = {}
    for block in range(struct.unpack_from("<I", table)[0]):
        low, high, at = struct.unpack_from("<3I", table, 4 + 12 * block)
        for number in range(low, high + 1):
            length, unicode = struct.unpack_from("<2H", table, at)
            text = table[at + 4:at + length]
            found[number] = text.decode("utf-16-le" if unicode else "latin-1").strip("\0\r\n")
            at += length
    return found


class Events(unittest.TestCase):
    def test_every_event_has_a_text_with_room_for_its_detail(self) -> None:
        code = HEADER.read_text(encoding="utf-8")
        declared = re.search(r"enum class Event : std::uint32_t \{(.*?)\}", code, re.DOTALL)
        numbers = {int(number) for number in re.findall(r"= (\d+)", declared[1])}
        self.assertEqual(len(numbers), 5, "the header was not understood")
        table = messages(Resources(PROGRAM.read_bytes()).first(MESSAGE_TABLE))
        self.assertEqual({number & 0xFFFF for number in table}, numbers)
        severities = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}  # as severity_of says
        for number, text in table.items():
            self.assertIn("%1", text)
            self.assertGreater(len(text), 20, text)
            self.assertEqual(number >> 30, severities[number & 0xFFFF], text)


if __name__ == "__main__":
    unittest.main()
