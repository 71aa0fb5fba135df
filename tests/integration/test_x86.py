"""The 32-bit DLL and host stream through the 64-bit service, in a Wine that knows both halves.

Such a Wine is no package of Debian's: tools/wine/make-x86-root.sh makes it for a chroot. Where it
cannot be had, every test here says SKIPPED and why.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import unittest
from collections.abc import Callable

import harness
from harness import ROOT
from programs import Build, Finished, Running, World

import duplex
import join
from stage import CLSID

RUN = ROOT / "tools/wine/run-x86.sh"
MADE = ROOT / "build/wine/x86-root/.both-halves"
STAGE = ROOT / "build/stage/both"
FRAMES = 1024

#: As an installer lays them out: the 32-bit half below the rest.
PARTS = {
    "asio-driver.exe": "build/windows-x64/bin/asio-driver.exe",
    "asio-host.exe": "build/windows-x64/bin/asio-host.exe",
    "asio-driver.dll": "build/windows-x64-dll/bin/asio-driver.dll",
    "x86/asio-host.exe": "build/windows-x86/bin/asio-host.exe",
    "x86/asio-driver.dll": "build/windows-x86/bin/asio-driver.dll",
}


@dataclasses.dataclass(frozen=True)
class BothBuild(Build):
    """Programs of the stage; "x86/asio-host" is the 32-bit one."""

    def command(self, program: str, *arguments: str) -> tuple[str, ...]:
        return (str(RUN), str(self.bin), f"{program}.exe", *arguments)

    def path(self, file: pathlib.Path | str) -> str:
        inside = pathlib.Path(file).resolve().relative_to(self.bin.resolve())
        return "Z:\\stage\\" + str(inside).replace("/", "\\")


class BothWorld(World):
    """Its files lie in the stage: nothing else of this machine can be seen from inside."""

    def __init__(self, name: str) -> None:
        super().__init__(BothBuild(bin=STAGE, windows=True, slow=harness.BUILD.slow), name)
        self.config = STAGE / f"{self.instance}.toml"
        self.configure("")

    def tool(self, *words: str) -> Finished:
        """One of Wine's own programs."""
        return Running((str(RUN), str(STAGE), *words), self.environment(), self.folder,
                       self.build.slow).wait(60)

    def kill(self, process_id: int) -> None:
        self.tool("taskkill", "/F", "/PID", str(process_id))


def lost(finished: Finished) -> bool:
    """True when the emulation ended a program before its output was written. That happens in Wine's
    own handler of a signal from its server (QEMU 7.2 calls it where it finds no thread data), as
    the driver lets go of the service: seen with every probe, after what a stream reports is out.
    Only where the kernel runs no 32-bit programs; see make-x86-root.sh."""
    return not finished.out.strip() and "qemu: uncaught target signal" in finished.err


def repeated(attempt: Callable[[], list[Finished]], times: int = 4) -> list[Finished]:
    """What `attempt` gives once the emulation has lost none of its programs."""
    for turn in range(1, times + 1):
        finished = attempt()
        if not any(lost(each) for each in finished):
            return finished
        print(f"attempt {turn}: the emulated processor lost a program", file=sys.stderr, flush=True)
    raise AssertionError(f"the emulated processor lost a program {times} times: {finished[0]}")


def stage_files() -> None:
    for name, built in PARTS.items():
        source, target = ROOT / built, STAGE / name
        if not source.exists():
            raise AssertionError(f"{built} is missing; make it with: tools/build.sh windows-x86 "
                                 "windows-x64-dll windows-x64:asio-driver,asio-host")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    for file in duplex.SPEECH[:2]:
        shutil.copy2(file, STAGE / file.name)


class BothHalves(harness.PatientCase):
    world: BothWorld

    @classmethod
    def setUpClass(cls) -> None:
        if not MADE.exists():
            why = ("SKIPPED: the 32-bit tests did not run, because there is no 32-bit Wine here; "
                   "tools/wine/make-x86-root.sh says why")
            print(why, file=sys.stderr, flush=True)
            raise unittest.SkipTest(why)
        stage_files()
        # Wine's server leaves with its last program, and takes long to come back: this one waits.
        cls.keeper = subprocess.Popen([str(RUN), str(STAGE), "cmd.exe", "/q"],
                                      stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL,
                                      env=os.environ | {"ASIODRV_X86_SECONDS": "900"})
        subprocess.run([str(RUN), str(STAGE), "cmd.exe", "/c", "ver"], check=False, timeout=120,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls) -> None:
        subprocess.run([str(RUN), "--stop"], check=False, timeout=60, stdin=subprocess.DEVNULL)
        cls.keeper.stdin.close()
        try:
            cls.keeper.wait(20)
        except subprocess.TimeoutExpired:
            cls.keeper.kill()
            cls.keeper.wait(20)

    def setUp(self) -> None:
        self.world = BothWorld(self.id().rpartition(".")[2])
        self.addCleanup(self.world.close)
        self.addCleanup(lambda: self.world.config.unlink(missing_ok=True))
        for bits, system in ((32, "syswow64"), (64, "system32")):
            dll = r"Z:\stage\x86\asio-driver.dll" if bits == 32 else r"Z:\stage\asio-driver.dll"
            self.world.tool(rf"C:\windows\{system}\regsvr32.exe", "/s", dll)

    def registered(self, bits: int) -> str:
        return self.world.tool("reg.exe", "query", rf"HKCR\CLSID\{CLSID}\InprocServer32", "/ve",
                               f"/reg:{bits}").out

    def write_32_bit(self, key: str, value: tuple[str, ...], text: str) -> None:
        """Writes one value of the 32-bit view and reads it back: a program of Wine's that was lost
        on the way looks like one that wrote, and the test would judge a key that is not there."""
        for turn in range(1, 4):
            wrote = self.world.tool("reg.exe", "add", key, *value, "/d", text, "/f", "/reg:32")
            read = self.world.tool("reg.exe", "query", key, *value, "/reg:32")
            if text in read.out:
                return
            print(f"attempt {turn}: {key} was not written\n{wrote}\n{read}", file=sys.stderr,
                  flush=True)
        raise AssertionError(f"{key} could not be written")

    def judged(self, *programs: str) -> dict:
        """Hosts that play and record at once, each on channels of its own."""
        def attempt() -> list[Finished]:
            running = [self.world.start(program, "duplex",
                                        self.world.build.path(STAGE / duplex.SPEECH[number].name),
                                        "--frames", str(FRAMES), "--seconds", "4",
                                        "--inputs", duplex.CHANNEL_PAIRS[number],
                                        "--outputs", duplex.CHANNEL_PAIRS[number], "--json")
                       for number, program in enumerate(programs)]
            return [host.wait(60) for host in running]

        hosts = repeated(attempt)
        flight = self.world.flight()
        self.assertIsNotNone(flight, "the service left before it could be asked")
        return join.row_of([join.HostRun.from_json(host.json()) for host in hosts], flight)

    def test_each_half_is_registered_in_its_own_view(self) -> None:
        self.assertRegex(self.registered(32), r"x86\\asio-driver\.dll")
        self.assertRegex(self.registered(64), r"stage\\asio-driver\.dll")
        listed = self.world.run("x86/asio-host", "list")
        self.assertIn("asio-driver", listed.out, str(listed))
        self.world.tool(r"C:\windows\syswow64\regsvr32.exe", "/s", "/u",
                        r"Z:\stage\x86\asio-driver.dll")
        self.assertNotIn("asio-driver.dll", self.registered(32))
        self.assertIn("asio-driver.dll", self.registered(64))

    def test_a_32_bit_host_starts_the_64_bit_service_and_is_bit_exact(self) -> None:
        self.assertIsNone(self.world.status())
        row = self.judged("x86/asio-host")
        self.assertTrue(join.is_green(row), row)
        self.assertGreater(row["compared_frames"], 2 * 48_000, row)
        self.assertIn("64-bit", self.bits_of("asio-driver.exe"))
        self.assertIn("32-bit", self.bits_of("x86/asio-host.exe"))

    def test_hosts_of_both_halves_share_one_service(self) -> None:
        row = self.judged("x86/asio-host", "asio-host")
        self.assertTrue(join.is_green(row), row)
        self.assertEqual(len({host["process_id"] for host in row["hosts"]}), 2)

    def test_a_32_bit_host_probes_as_others_do(self) -> None:
        # As text, which is written as it goes on: see lost().
        probed = self.world.run("x86/asio-host", "probe", "--like", "juce")
        self.assertRegex(probed.out, r"ok +callbacks +\d+", str(probed))
        self.assertRegex(probed.out, r"ok +disposeBuffers", str(probed))
        self.assertNotIn("BAD", probed.out, str(probed))

    def test_the_doctor_loads_32_bit_drivers_by_the_32_bit_host(self) -> None:
        foreign = "{D0C70009-0000-4000-8000-00000000D0C7}"  # which our driver does not know
        asio, server = r"HKLM\SOFTWARE\ASIO\Narrow", rf"HKLM\SOFTWARE\Classes\CLSID\{foreign}"
        for key in (asio, server):
            self.addCleanup(self.world.tool, "reg.exe", "delete", key, "/f", "/reg:32")
        self.write_32_bit(asio, ("/v", "CLSID"), foreign)
        self.write_32_bit(server + r"\InprocServer32", ("/ve",), r"Z:\stage\x86\asio-driver.dll")
        for turn in range(1, 5):
            facts = self.world.run("asio-driver", "doctor", "--probe", "--json",
                                   seconds=120).json()["facts"]
            ours = facts["registration_32"]["load"]
            (other,) = [each for each in facts["others"] if each["name"] == "Narrow"]
            if "crashed" not in (ours.get("end"), other["probe"].get("end")):
                break
            print(f"attempt {turn}: the emulated processor lost a program", file=sys.stderr,
                  flush=True)
        self.assertEqual(ours.get("end"), "fine", ours)
        self.assertEqual((other["bits"], other["probe"].get("end")), (32, "refused"), other)
        self.assertIn("80040111", other["probe"]["detail"])  # the class is not in there

    def bits_of(self, name: str) -> str:
        """From the file's header: a test of two 64-bit programs would prove nothing."""
        data = (STAGE / name).read_bytes()
        header = int.from_bytes(data[0x3C:0x40], "little")
        machine = int.from_bytes(data[header + 4:header + 6], "little")
        return {0x14C: "32-bit", 0x8664: "64-bit"}.get(machine, hex(machine))


if __name__ == "__main__":
    unittest.main()
