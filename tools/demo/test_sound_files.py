#!/usr/bin/env python3
"""The judge of recorded sound, and that it can say no."""

from __future__ import annotations

import pathlib
import random
import struct
import tempfile
import unittest

from sound_files import correlation, find, read_wav


def noise(count: int, seed: int = 1) -> list[float]:
    source = random.Random(seed)
    return [source.uniform(-1, 1) * (0.2 + 0.8 * i / count) for i in range(count)]


class SoundFiles(unittest.TestCase):
    def test_a_sound_is_found_where_it_is_and_under_a_little_noise(self) -> None:
        speech = noise(4000)
        heard = [0.0] * 777 + [value + 0.001 for value in speech] + [0.0] * 500
        at, alike = find(speech, heard)
        self.assertEqual(at, 777)
        self.assertGreater(alike, 0.999)

    def test_another_sound_a_hole_and_a_shift_in_the_middle_are_no_match(self) -> None:
        speech = noise(4000)
        self.assertLess(find(speech, [0.0] * 777 + noise(4000, seed=2) + [0.0] * 500)[1], 0.5)
        holed = speech[:2000] + [0.0] * 300 + speech[2300:]
        self.assertLess(find(speech, [0.0] * 10 + holed + [0.0] * 10)[1], 0.99)
        shifted = speech[:2000] + [0.0] + speech[2000:-1]
        self.assertLess(find(speech, shifted + [0.0] * 10)[1], 0.9)
        self.assertEqual(correlation([0.0] * 5, [1.0] * 5), 0.0)

    def test_files_of_16_bits_and_of_floats_are_read(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for tag, bits, body in ((1, 16, struct.pack("<4h", 16384, 0, -32768, 1)),
                                    (3, 32, struct.pack("<4f", 0.5, 0, -1, 1))):
                file = pathlib.Path(folder) / "x.wav"
                form = struct.pack("<HHIIHH", tag, 2, 48000, 48000 * 2 * bits // 8, 2 * bits // 8,
                                   bits)
                file.write_bytes(b"RIFF" + struct.pack("<I", 28 + len(form) + len(body)) + b"WAVE"
                                 + b"fmt " + struct.pack("<I", len(form)) + form
                                 + b"data" + struct.pack("<I", len(body)) + body)
                self.assertEqual(read_wav(file), (48000, [0.5, -1.0]))


if __name__ == "__main__":
    unittest.main()
