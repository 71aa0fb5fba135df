"""WAV files as lists of numbers, and how alike two of them are."""

from __future__ import annotations

import array
import math
import pathlib
import struct
from collections.abc import Sequence

# What a WAVE_FORMAT_EXTENSIBLE names in the first two bytes of its GUID is what others have as tag.
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


def read_wav(path: pathlib.Path, channel: int = 0) -> tuple[int, list[float]]:
    """(rate, samples of `channel`, full scale 1.0) of 16-bit or float32 files."""
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError(f"{path} is no WAV file")
    at, tag, channels, rate, bits = 12, 0, 0, 0, 0
    while at + 8 <= len(data):
        name, size = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = at + 8
        if name == b"fmt ":
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, body)
            if tag == _EXTENSIBLE:
                tag = struct.unpack_from("<H", data, body + 24)[0]
        elif name == b"data":
            kinds = {(_PCM, 16): ("h", 32768.0), (_FLOAT, 32): ("f", 1.0)}
            kind, scale = kinds[(tag, bits)]
            body_bytes = data[body:body + size]
            width = bits // 8 * channels
            samples = array.array(kind, body_bytes[:len(body_bytes) // width * width])
            return rate, [value / scale for value in samples[channel::channels]]
        at = body + size + size % 2
    raise ValueError(f"{path} has no samples")


def correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Of two stretches of equal length; 0 where one of them is silent."""
    energy = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b)) / energy if energy > 0 else 0.0


def find(pattern: Sequence[float], sound: Sequence[float]) -> tuple[int, float]:
    """(where, how alike): the place in `sound` at which the whole `pattern` is found best, by the
    half thousand frames around its loudest one; (0, 0.0) when it is nowhere."""
    loud = max(range(len(pattern)), key=lambda i: abs(pattern[i]))
    begin = max(0, min(loud - 256, len(pattern) - 512))
    probe = pattern[begin:begin + 512]
    peak = max((abs(value) for value in sound), default=0.0)
    best = (0, 0.0)
    for i, value in enumerate(sound):
        at = i - loud
        # Where the loudest sample could be: as loud as anything that was heard.
        if abs(value) < 0.6 * peak or at < 0 or at + len(pattern) > len(sound):
            continue
        start = at + begin
        alike = correlation(probe, sound[start:start + len(probe)])
        if alike > best[1]:
            best = (at, alike)
    at = best[0]
    return at, correlation(pattern, sound[at:at + len(pattern)]) if best[1] > 0 else 0.0
