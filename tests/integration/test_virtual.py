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
import unittest
import wave

from harness import Case

FRAMES = 256
SECONDS = 6
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


def read_floats(path: pathlib.Path) -> array.array:
    """The samples of a mono float WAV; the standard library reads only whole numbers."""
    image = path.read_bytes()
    at = 12
    while image[at:at + 4] != b"data":
        at += 8 + int.from_bytes(image[at + 4:at + 8], "little")
    length = int.from_bytes(image[at + 4:at + 8], "little")
    return array.array("f", image[at + 8:at + 8 + length])


def delays(recorded: array.array, played: array.array, recorded_from: int,
           played_from: int) -> list[int]:
    """Of each whole block that was found in what was played, in order: how many frames later, on
    the device's axis, it was heard."""
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
        found.append(recorded_from + at - (played_from + place))
    return found


class Virtual(Case):
    def start_of(self, process_id: int) -> int:
        """The device frame of this process's sample position 0."""
        runs = [run for run in self.world.flight()["sessions"] if run["process_id"] == process_id]
        return runs[-1]["start_period"] * FRAMES

    def play_and_record(self, player_first: bool) -> list[int]:
        noise, recording = self.world.folder / "noise.wav", self.world.folder / "heard.wav"
        played = write_noise(noise, 48_000 * (SECONDS + 14))
        path = self.world.build.path

        def play():
            return self.world.start("asio-host", "play", path(noise), "--outputs", CABLE_CHANNEL,
                                    "--frames", str(FRAMES), "--seconds", str(SECONDS + 14))

        def record():
            return self.world.start("asio-host", "record", path(recording), "--inputs",
                                    CABLE_CHANNEL, "--frames", str(FRAMES),
                                    "--seconds", str(SECONDS + (0 if player_first else 6)))
        first = play() if player_first else record()
        one = self.world.wait_for_clients(1)[0]["process_id"]
        second = record() if player_first else play()
        two = next(client["process_id"] for client in self.world.wait_for_clients(2)
                   if client["process_id"] != one)
        player, recorder = (one, two) if player_first else (two, one)
        self.world.wait_until("both have begun", lambda: all(
            run["start_period"] is not None for run in self.world.flight()["sessions"]))
        starts = self.start_of(recorder), self.start_of(player)
        self.assert_ok((second if player_first else first).wait(SECONDS + 60))
        return delays(read_floats(recording), played, *starts)

    def test_a_cable_takes_exactly_one_period_in_both_start_orders(self) -> None:
        service = self.world.start("asio-driver", "run", "--idle-seconds", "600")
        self.world.wait_for_service()
        self.assert_ok(self.world.run("asio-driver", "virtual", "add", "Link", "--channels", "1"))
        for player_first in (True, False):
            with self.subTest(player_first=player_first):
                found = self.play_and_record(player_first)
                self.assertGreater(len(found), 2 * 48_000 // FRAMES)
                most = max(set(found), key=found.count)
                # A period that the machine loses moves what comes after it for good, because both
                # programs go on where they were: other than one period only by whole ones, and only
                # where the flight recorder names damage.
                self.assertEqual(most % FRAMES, 0)
                if not self.world.flight()["xruns"]:
                    self.assertEqual((found[0], most), (FRAMES, FRAMES), sorted(set(found)))
                self.world.wait_until("nobody streams", lambda: not any(
                    client["running"] for client in self.world.status()["clients"]), 40)
        service.end()

    def test_the_delay_is_found_where_it_is(self) -> None:
        numbers = random.Random(3)
        played = array.array("h", (numbers.randrange(-8192, 8192) for _ in range(40 * FRAMES)))
        floats = array.array("f", (each / 32768 for each in played))
        silence = array.array("f", [0.0] * 100)
        found = delays(silence + floats[50:], played, 1000, 2000)
        self.assertEqual(set(found), {1000 + 100 - 2000 - 50})
        damaged = floats[:]
        damaged[3 * FRAMES + 20] += 0.25
        self.assertEqual(len(delays(damaged, played, 0, 0)), len(delays(floats, played, 0, 0)) - 1)


if __name__ == "__main__":
    unittest.main()
