"""What one program plays into a virtual cable, another hears exactly one period later.

The player plays 16-bit noise that never repeats; the recorder keeps 32-bit floats. A block of the
recording is found in the noise by its bytes. Sample position 0 of a session lies in the device
period that the service names as its start, so both lie on the device's axis, and the difference is
the delay of the cable.
"""

from __future__ import annotations

import array
import pathlib
import random
import sys
import unittest
import wave
from collections.abc import Sequence

from harness import Case

from sound_files import read_wav

FRAMES = 256
SECONDS = 3
TRIES = 8
ENOUGH_BLOCKS = 10
LOADED_SECONDS = 3  # a program has its buffers by then
#: A program's channels are the device's, eight by default, and then those of the cables.
CABLE_CHANNEL = "8"


def write_noise(path: pathlib.Path, frames: int) -> array.array:
    numbers = random.Random(20)
    samples = array.array("h", (numbers.randrange(-8192, 8192) for _ in range(frames)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(samples.tobytes())
    return samples


def delays(recorded: Sequence[float], played: array.array, recorded_from: int,
           played_from: int) -> list[tuple[int, int]]:
    """Of each whole block that was found in what was played, in order: the device's frame at which
    it was heard, and how many frames later that was than it was played."""
    places = {played[at:at + 8].tobytes(): at for at in range(0, len(played) - 8)}
    found = []
    for at in range(0, len(recorded) - FRAMES, FRAMES):
        key = array.array("h", (round(each * 32768) for each in recorded[at:at + 8]))
        place = places.get(key.tobytes())
        if place is None or place + FRAMES > len(played):
            continue
        block = [round(each * 32768) for each in recorded[at:at + FRAMES]]
        if block != list(played[place:place + FRAMES]):
            continue
        found.append((recorded_from + at, recorded_from + at - (played_from + place)))
    return found


class Virtual(Case):
    def play_and_record(self, player_first: bool) -> list[tuple[int, int]]:
        """Both load first and start later, one after the other, while nobody asks the service
        anything: loading a program under Wine takes periods from those that play, and both would go
        on where they were, further apart."""
        noise, recording = self.world.folder / "noise.wav", self.world.folder / "heard.wav"
        played = write_noise(noise, 48_000 * 2 * SECONDS)
        path = self.world.build.path
        early = LOADED_SECONDS * self.world.build.slow
        late = early + 0.7  # more than their loading differs by

        def common(first: bool, seconds: float) -> list[str]:
            return ["--frames", str(FRAMES), "--delay", str(early if first else late), "--seconds",
                    str(seconds)]
        player = self.world.start("asio-host", "play", path(noise), "--outputs", CABLE_CHANNEL,
                                  *common(player_first, 2 * SECONDS))
        recorder = self.world.start("asio-host", "record", path(recording), "--inputs",
                                    CABLE_CHANNEL, *common(not player_first, SECONDS))
        self.assert_ok(recorder.wait(late + SECONDS + 60))
        self.assert_ok(player.wait(SECONDS + 60))
        first, second = (run["start_period"] for run in self.world.flight()["sessions"][-2:])
        self.began = min(first, second)
        starts = (second, first) if player_first else (first, second)
        return delays(read_wav(recording)[1], played, *(start * FRAMES for start in starts))

    def before_damage(self, found: list[tuple[int, int]]) -> list[int]:
        """The delays up to the first period that the machine lost, as the service recorded it:
        from there on both go on where they were, whole periods closer or further apart."""
        damaged = min((xrun["first_period"] for xrun in self.world.flight()["xruns"]
                       if xrun["first_period"] >= self.began), default=None)
        return [delay for at, delay in found
                if damaged is None or at // FRAMES + 2 < damaged]

    def test_a_cable_takes_exactly_one_period_in_both_start_orders(self) -> None:
        service = self.world.start("asio-driver", "run", "--idle-seconds", "600")
        self.world.wait_for_service()
        self.assert_ok(self.world.run("asio-driver", "virtual", "add", "Link", "--channels", "1"))
        for player_first in (True, False):
            with self.subTest(player_first=player_first):
                for _ in range(TRIES):
                    found = self.play_and_record(player_first)
                    self.assertGreater(len(found), SECONDS * 48_000 // FRAMES // 2)
                    self.assertEqual({delay % FRAMES for _, delay in found}, {0})
                    undisturbed = self.before_damage(found)
                    print(f"player first: {player_first}; blocks: {len(found)}, before the first "
                          f"lost period: {len(undisturbed)}, of {sorted(set(undisturbed))} frames",
                          file=sys.stderr, flush=True)
                    self.assertLessEqual(set(undisturbed), {FRAMES})
                    if len(undisturbed) >= ENOUGH_BLOCKS:
                        break
                else:
                    self.fail(f"the machine lost periods at once in {TRIES} tries of {TRIES}")
        service.end()

    def test_the_delay_is_found_where_it_is(self) -> None:
        numbers = random.Random(3)
        played = array.array("h", (numbers.randrange(-8192, 8192) for _ in range(40 * FRAMES)))
        floats = array.array("f", (each / 32768 for each in played))
        silence = array.array("f", [0.0] * 100)
        found = delays(silence + floats[50:], played, 1000, 2000)
        self.assertEqual({delay for _, delay in found}, {1000 + 100 - 2000 - 50})
        damaged = floats[:]
        damaged[3 * FRAMES + 20] += 0.25
        self.assertEqual(len(delays(damaged, played, 0, 0)), len(delays(floats, played, 0, 0)) - 1)


if __name__ == "__main__":
    unittest.main()
