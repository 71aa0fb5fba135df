#!/usr/bin/env python3
"""A private PulseAudio server: sound devices for Windows programs under Wine, on any machine.

  tools/pulse/pulse.py run [--sink NAME]... -- COMMAND [ARGUMENT...]

runs COMMAND with a server of its own, and ends the server with it. Tests import PrivatePulse: sinks
come and go while programs run, as a cable that is pulled out does. Each sink is clocked by itself
at 48 kHz and comes with a monitor, an input that hears what it plays.

Needs the packages pulseaudio and pulseaudio-utils (tools/install-dependencies.sh pulse). Nothing of
the machine's own sound is touched: socket, state and settings live in a folder that is removed.
"""

from __future__ import annotations

import argparse
import array
import contextlib
import ctypes
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

START_SECONDS = 15
STOP_SECONDS = 5
PR_SET_PDEATHSIG = 1


def available() -> bool:
    """Whether the programs are installed."""
    return shutil.which("pulseaudio") is not None and shutil.which("pactl") is not None


def real_time() -> list[str]:
    """What goes before the server's command: the policy of everything under Wine, a step above it.
    The sinks stand for hardware, which no program keeps from its time."""
    policy = ["chrt", "-f", "51"]
    if os.environ.get("ASIODRV_WINE_REALTIME") == "0":
        return []
    allowed = subprocess.run([*policy, "true"], check=False, stdin=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL).returncode == 0
    return policy if allowed else []


def _end_with_parent() -> None:
    """In the child: whatever ends us ends the server, too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class PrivatePulse:
    """One server. Start, stop and every change are bounded; a context manager stops it."""

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="asiodrv-pulse-"))
        self.socket = self.folder / "native"
        self.log = self.folder / "log"
        self._server: subprocess.Popen[bytes] | None = None
        self._modules: dict[str, str] = {}

    def environment(self) -> dict[str, str]:
        """What programs must find in their environment to reach this server and no other."""
        return {"PULSE_SERVER": f"unix:{self.socket}", "XDG_RUNTIME_DIR": str(self.folder),
                "HOME": str(self.folder), "PULSE_COOKIE": str(self.folder / "cookie")}

    def start(self, *sinks: str, rate: int = 48000) -> PrivatePulse:
        """Starts the server with `sinks`. Raises RuntimeError with the end of its log."""
        arguments = [*real_time(), "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1",
                     "--realtime=no", "--high-priority=no", "--log-level=notice", "-L",
                     f"module-native-protocol-unix socket={self.socket} auth-anonymous=1"]
        with self.log.open("wb") as log:
            self._server = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment()}, start_new_session=True,
                preexec_fn=_end_with_parent)
        try:
            self._await_answer()
            for sink in sinks:
                self.load_sink(sink, rate)
        except BaseException:
            self.stop()
            raise
        return self

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (self.socket.exists() and self._pactl("info", check=False).returncode == 0):
            server = self._server
            if server is None or server.poll() is not None or time.monotonic() > deadline:
                text = self.log.read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"The private PulseAudio server did not start:\n{text[-2000:]}")
            time.sleep(0.05)

    def _pactl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["pactl", *arguments], check=check, capture_output=True, text=True,
                              timeout=START_SECONDS, env={**os.environ, **self.environment()})

    def load_sink(self, name: str, rate: int = 48000, channels: int = 2) -> None:
        """Plugs a sink in. `name`: letters, digits, underscores; also its description."""
        loaded = self._pactl(
            "load-module", "module-null-sink", f"sink_name={name}", f"rate={rate}",
            f"channels={channels}", "norewinds=1", f"sink_properties=device.description={name}")
        self._modules[name] = loaded.stdout.strip()

    def unload_sink(self, name: str) -> None:
        """Pulls it out, under whatever plays to it."""
        self._pactl("unload-module", self._modules.pop(name))

    def record_monitor(self, sink: str, seconds: float, rate: int = 48000) -> list[float]:
        """What `sink` plays for about so long, its left channel, heard from outside."""
        recorder = subprocess.Popen(
            ["parec", f"--device={sink}.monitor", "--format=float32le", f"--rate={rate}",
             "--channels=2", "--raw"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
            env={**os.environ, **self.environment()})
        try:
            wanted = int(seconds * rate) * 8
            data = b""
            deadline = time.monotonic() + seconds + START_SECONDS
            assert recorder.stdout is not None
            pipe = recorder.stdout.fileno()
            while len(data) < wanted:
                left = max(0.0, deadline - time.monotonic())
                piece = os.read(pipe, 1 << 16) if select.select([pipe], [], [], left)[0] else b""
                if not piece:
                    break  # silent for too long, or ended
                data += piece
        finally:
            recorder.terminate()
            recorder.communicate(timeout=STOP_SECONDS)
        samples = array.array("f", data[:len(data) // 8 * 8])
        return list(samples[0::2])

    def stop(self) -> None:
        """Ends the server and removes its folder. May be called twice."""
        server, self._server = self._server, None
        if server is not None:
            server.terminate()
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(STOP_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> PrivatePulse:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Runs a command with a private sound server.")
    parser.add_argument("action", choices=["run"])
    parser.add_argument("--sink", action="append", default=[])
    parser.add_argument("--rate", type=int, default=48000)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = parser.parse_args(arguments[:end])
    command = arguments[end + 1:]
    if not command:
        parser.error("give the command after --")
    if not available():
        print("PulseAudio is not installed: run tools/install-dependencies.sh pulse",
              file=sys.stderr)
        return 1
    # A stop request ends the server as well as the command.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with PrivatePulse() as pulse, contextlib.ExitStack() as stack:
        pulse.start(*(options.sink or ["asiodrv_a"]), rate=options.rate)
        environment = {**os.environ, "PULSE_SERVER": pulse.environment()["PULSE_SERVER"]}
        child = subprocess.Popen(command, env=environment)
        stack.callback(lambda: child.poll() is None and child.terminate())
        return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
