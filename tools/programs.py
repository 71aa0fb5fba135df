"""Runs the real programs: one service instance of its own, bounded waits, no leftovers.

The same code runs native programs and, through tools/wine/run.sh, Windows programs.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import stage

DRIVER = "asio-driver"
HOST = "asio-host"

#: What `asio-driver` returns when no service runs.
EXIT_NOT_RUNNING = 3

#: After so long without company an agent leaves, in the worlds made here.
IDLE_SECONDS = 3

_serial = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Build:
    """Programs to run. `slow`: how many times longer than usual everything may take."""

    bin: pathlib.Path
    windows: bool = False
    slow: float = 1.0

    def command(self, program: str, *arguments: str) -> tuple[str, ...]:
        if self.windows:
            return (str(stage.WINE), str(self.bin / f"{program}.exe"), *arguments)
        return (str(self.bin / program), *arguments)

    def path(self, file: pathlib.Path | str) -> str:
        """`file` as the programs name it."""
        return stage.windows_path(file) if self.windows else str(file)


class TimedOut(AssertionError):
    """Something did not happen in time; the text says what."""


def wait_until(what: str, condition: Callable[[], Any], seconds: float,
               every: float = 0.05) -> Any:
    """The first true value of `condition`, looked at `every` so many seconds; TimedOut after
    `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimedOut(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(every)


def processor_ns(process: int) -> int:
    """What all threads of a process have run so far, as the scheduler counts it, in nanoseconds.
    `process`: as Linux numbers it."""
    total = 0
    for task in pathlib.Path(f"/proc/{process}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass  # a thread that has just ended
    return total


@dataclasses.dataclass(frozen=True)
class Finished:
    """A program that has ended."""

    command: tuple[str, ...]
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return (f"{' '.join(self.command)}\nexit code {self.code}\n--- stdout\n{self.out}\n"
                f"--- stderr\n{self.err}")

    def json(self) -> Any:
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise AssertionError(f"no JSON ({error}) from {self}") from error


class Running:
    """A program of ours that runs. Its output goes to files: a pipe would also be held by whatever
    the program starts, and waiting for its end would wait for those."""

    def __init__(self, command: tuple[str, ...], environment: dict[str, str],
                 folder: pathlib.Path, slow: float) -> None:
        self._slow = slow
        name = f"output-{next(_serial)}"
        self.command = command
        self._out = folder / f"{name}.out"
        self._err = folder / f"{name}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err, env=environment, start_new_session=True)

    def output(self) -> str:
        return self._out.read_text(encoding="utf-8", errors="replace")

    def wait(self, seconds: float) -> Finished:
        seconds *= self._slow
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()
            raise TimedOut(f"{' '.join(self.command)} did not end within {seconds:.0f} s\n"
                           f"{self.output()}\n{self._errors()}") from None
        return Finished(self.command, code, self.output(), self._errors())

    def end(self) -> None:
        """Ends it at once, with everything in its session. Ended already is fine."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(30)

    def _errors(self) -> str:
        return self._err.read_text(encoding="utf-8", errors="replace")


class World:
    """One service instance, its configuration and the programs around it."""

    def __init__(self, build: Build, name: str) -> None:
        self.build = build
        self.instance = f"t{os.getpid()}-{next(_serial)}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"asiodrv-{name[:40]}-"))
        self.config = self.folder / "config.toml"
        self.configure("")
        #: more of what programs started from now on find in their environment
        self.extra_environment: dict[str, str] = {}
        self._running: list[Running] = []

    def configure(self, text: str) -> None:
        """The configuration for services started from now on. Idle time is short unless set."""
        if "idle_seconds" not in text:
            text = f"[service]\nidle_seconds = {IDLE_SECONDS}\n" + text
        self.config.write_text(text, encoding="utf-8")

    # --- programs ---------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        return os.environ | self.extra_environment | {
            "ASIODRV_INSTANCE": self.instance, "ASIODRV_CONFIG": self.build.path(self.config)}

    def start(self, program: str, *arguments: str, aside: bool = False) -> Running:
        """`aside`: it has nothing to do with sound, and under Wine does without the policy that
        all else has there: loading a program takes 20 ms of a processor from whoever plays."""
        environment = self.environment()
        if aside:
            environment["ASIODRV_WINE_REALTIME"] = "0"
        running = Running(self.build.command(program, *arguments), environment, self.folder,
                          self.build.slow)
        self._running.append(running)
        return running

    def run(self, program: str, *arguments: str, seconds: float = 60) -> Finished:
        return self.start(program, *arguments).wait(seconds)

    def host(self, *arguments: str, seconds: float = 60) -> Finished:
        return self.run(HOST, *arguments, seconds=seconds)

    # --- the service ------------------------------------------------------------------------------

    def ask(self, *arguments: str) -> Any:
        """JSON from the service, or None when none runs. Any other failure fails the test."""
        finished = self.start(DRIVER, *arguments, "--json", aside=True).wait(20)
        if self.build.windows and finished.code == -signal.SIGKILL:
            # Nobody here killed it: Wine's server does so to a process that has ended as Windows
            # sees it and is still there a second later, which takes a busy machine. Its exit code
            # is lost, and a question may be asked twice.
            print(f"asked again, Wine lost the exit code of: {' '.join(finished.command)}",
                  file=sys.stderr, flush=True)
            finished = self.start(DRIVER, *arguments, "--json", aside=True).wait(20)
        if finished.code == EXIT_NOT_RUNNING:
            return None
        if finished.code != 0:
            raise AssertionError(str(finished))
        return finished.json()

    def status(self) -> Any:
        return self.ask("status")

    def flight(self) -> Any:
        return self.ask("flight")

    def service_id(self) -> int | None:
        status = self.status()
        return status["service"]["process_id"] if status else None

    def wait_until(self, what: str, condition: Callable[[], Any], seconds: float = 15) -> Any:
        return wait_until(what, condition, seconds * self.build.slow)

    def wait_for_service(self) -> Any:
        return self.wait_until("the service answers", self.status)

    def wait_for_no_service(self, seconds: float = 20) -> None:
        """Until a service that was told to end, or killed, is gone."""
        self.wait_until("the service is gone", lambda: self.status() is None, seconds)

    def wait_for_idle_exit(self) -> None:
        """Until an agent has left by itself. Asking counts as company, so this asks rarely."""
        wait_until("the agent has left", lambda: self.status() is None, 30 * self.build.slow,
                   every=IDLE_SECONDS + 2)

    def wait_for_clients(self, count: int, seconds: float = 20) -> list[Any]:
        """The service's clients once exactly `count` of them stream."""
        def streaming() -> list[Any] | None:
            status = self.status()
            known = status["clients"] if status else []
            clients = [client for client in known if client["running"]]
            return clients if len(clients) == count else None
        return self.wait_until(f"{count} clients stream", streaming, seconds)

    def kill(self, process_id: int) -> None:
        """Ends a process of this world at once, without a word to it. `process_id` is what the
        service reports; under Wine it is a Windows number."""
        if self.build.windows:
            finished = stage.wine("taskkill", "/F", "/PID", str(process_id))
            if finished.returncode != 0:
                raise AssertionError(f"taskkill {process_id}: {finished.stdout}{finished.stderr}")
            return
        environ = pathlib.Path(f"/proc/{process_id}/environ").read_bytes().split(b"\0")
        cmdline = pathlib.Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
        ours = (f"ASIODRV_INSTANCE={self.instance}".encode() in environ
                or self.instance.encode() in cmdline)
        if not ours:
            raise AssertionError(f"process {process_id} is none of this test's")
        os.kill(process_id, signal.SIGKILL)

    def close(self) -> None:
        """Ends the hosts, then the service, then what did not want to."""
        service = None
        try:
            for running in self._running:
                if running.process.poll() is None:
                    running.end()
            service = self.service_id()
            if service is not None:
                self.run(DRIVER, "stop", seconds=20)
                self.wait_for_no_service()
        except AssertionError:
            if service is not None:
                self.kill(service)
            raise
        finally:
            self._end_leftovers()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _end_leftovers(self) -> None:
        """A service that hangs answers nobody, and one that a host has started is nobody's child.
        Not under Wine: its server carries the environment of whoever started it."""
        if self.build.windows or not self.instance:
            return
        mark = f"ASIODRV_INSTANCE={self.instance}".encode()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)
            except OSError:
                pass  # it has just ended, or is another user's
