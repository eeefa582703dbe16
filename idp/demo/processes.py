"""The demo's processes: started together, watched, and stopped together."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final

ANSWER_WITHIN: Final = 120.0
"""Seconds that a process may take to answer its first request."""
STOP_WITHIN: Final = 20.0
"""Seconds that it may take to end what it does; `idp serve` lets requests end for 15."""
_LAST_LINES: Final = 8


class Failed(RuntimeError):
    """A process ended by itself, or never answered; the message is for people."""


@dataclass(frozen=True, slots=True)
class Command:
    """One process: what it is called, what it runs, and the port and path on which it answers, if it does."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    port: int | None = None
    path: str = "/"


class Processes:
    """Started one by one; leaving the `with` block stops all of them, whatever happened."""

    def __init__(self, *, logs: Path, folder: Path) -> None:
        self._logs = logs
        self._folder = folder
        self._running: list[tuple[Command, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> "Processes":
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, command: Command) -> None:
        """In a session of its own, so that Ctrl-C comes to this process only, which then stops all in order."""
        with self._log(command).open("wb") as log:
            process = subprocess.Popen(
                command.arguments,
                env=dict(command.environment),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append((command, process))

    def wait_until_answering(self, stopping: threading.Event) -> bool:
        """Until every process that has a port has answered a request; `False` when told to stop before."""
        deadline = time.monotonic() + ANSWER_WITHIN
        waiting = [command for command, _process in self._running if command.port is not None]
        while waiting:
            self.check()
            waiting = [command for command in waiting if not answers(command.port or 0, command.path)]
            if waiting and time.monotonic() > deadline:
                names = ", ".join(command.name for command in waiting)
                raise Failed(f"{names}: no answer within {ANSWER_WITHIN:.0f} s; see {self._log(waiting[0])}")
            if waiting and stopping.wait(0.1):
                return False
        return True

    def check(self) -> None:
        """`Failed` as soon as one of them has ended by itself."""
        for command, process in self._running:
            if (status := process.poll()) is not None:
                tail = self._log(command).read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
                last = "".join(f"\n    {line}" for line in tail)
                raise Failed(f"{command.name} has ended (status {status}); see {self._log(command)}{last}")

    def stop(self) -> None:
        """Ask all, the last started first, then wait; whoever does not listen is killed with its children."""
        for _command, process in reversed(self._running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN
        for _command, process in reversed(self._running):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._running = []

    def _log(self, command: Command) -> Path:
        return self._logs / f"{command.name}.log"


def taken(ports: Iterable[int]) -> int | None:
    """The first of these ports that somebody listens on already."""
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return port
    return None


def answers(port: int, path: str) -> bool:
    """Whether a request gets an answer that is no server error."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(request.encode("ascii"))
            status = connection.recv(64).split(b" ")
    except OSError:
        return False
    return len(status) > 1 and status[0].startswith(b"HTTP/1") and not status[1].startswith(b"5")
