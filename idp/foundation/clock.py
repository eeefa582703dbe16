"""The one place that asks what time it is; everything else takes `now` as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_read: Callable[[], datetime] = _system


def now() -> datetime:
    """The present moment, aware, in UTC. Called by views, commands and the worker only."""
    return _read()


def set_reader(read: Callable[[], datetime] | None) -> None:
    """Let a test turn the hands of the clock; `None` gives the system's back."""
    global _read
    _read = read or _system
