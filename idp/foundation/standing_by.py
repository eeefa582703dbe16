"""Which workers serve: each says so by a file beside the metrics, so that an old one goes only when a new one is there."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The folder that `idp serve` and its workers share while they run."""
LOOK_EVERY: Final = 0.05


def tell() -> None:
    """Say, in a worker, that it serves."""
    if folder := os.environ.get(FOLDER):
        _file(Path(folder), os.getpid()).touch()


def wait(pid: int, *, seconds: float, is_alive: Callable[[], bool]) -> bool:
    """Wait, in the server, until that worker serves; `False` if it died first or took too long."""
    ready, deadline = _file(Path(os.environ[FOLDER]), pid), time.monotonic() + seconds
    while not ready.exists():
        if not is_alive() or time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True


def end_server() -> None:
    """Let, in a worker, its `idp serve` end as by the operator's SIGTERM."""
    if is_served():
        os.kill(os.getppid(), signal.SIGTERM)


def is_served() -> bool:
    """Whether this process is a worker of an `idp serve` that lives."""
    return Path(os.environ.get(FOLDER, "")).name == f"metrics-{os.getppid()}"


def _file(folder: Path, pid: int) -> Path:
    return folder / f"serves-{pid}"
