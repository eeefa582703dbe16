"""Logs: one JSON object a line, only fields of an allow-list, no text of an exception (SECURITY ST-07, D9).

A field that is not listed is dropped, so a token or a TIN passed by mistake goes nowhere. An exception is told by its
type and the places it passed; its text may quote a value.
"""

import logging
import time
import traceback
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any, Final

import orjson

from idp.foundation.log_sink import STANDARD_ERROR, Sink, Unblocking

FIELDS: Final = frozenset(
    {
        "request_id", "method", "route", "status", "ms", "address", "client_id", "event", "outcome", "reason", "kid",
        "key_purpose", "room", "step", "attempt", "attempts", "delay", "count", "batch", "channel", "notice", "worker",
        "revision", "grant_type", "endpoint", "host", "port", "version", "job",
    }
)  # fmt: skip
"""What a line may carry beside its time, level, logger and message. No subject, no address of a person, no secret."""

LINES_A_SECOND: Final = 1000
SAMPLE: Final = 100
_LONGEST: Final = 2000
_REPLACED: Final = 200
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request being served; every line of it carries this."""
NOBODY: Final[Mapping[str, str]] = MappingProxyType({})
client: ContextVar[Mapping[str, str]] = ContextVar("client", default=NOBODY)
"""Which client proved itself in the request being served, and by which grant it asks, for its access line (ruling 21)."""

_sink: Sink | None = None
_lost = 0


def setup(*, level: str = "INFO", sink: Sink | None = None) -> None:
    """Send all logging to `sink` (standard error) as JSON lines; calling it again changes level and sink.

    Authlib prints whole tokens at DEBUG (DEPENDENCIES §1.12): it never gets below INFO, nor does anything foreign.
    """
    global _sink
    _sink = sink or Unblocking(STANDARD_ERROR)
    handler = _Lines()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("idp").setLevel(level)
    logging.getLogger("authlib").setLevel(max(logging.INFO, logging.getLevelName(level)))
    logging.captureWarnings(True)


class Flood:
    """Which lines of served requests are written when they come faster than a disk should take (RX-14).

    The first thousand of a second, then each hundredth; `count` on a line says for how many it stands. The counters of
    `/metrics` are exact all the while.
    """

    def __init__(self, *, read_seconds: Callable[[], float] = time.monotonic) -> None:
        self._read_seconds = read_seconds
        self._second = 0
        self._seen = 0

    def weight(self) -> int:
        """For how many lines the next one stands; 0: it is not written."""
        second = int(self._read_seconds())
        if second != self._second:
            self._second, self._seen = second, 0
        self._seen += 1
        if self._seen <= LINES_A_SECOND:
            return 1
        return SAMPLE if self._seen % SAMPLE == 0 else 0


_flood: Final = Flood()


def access(fields: Mapping[str, Any]) -> None:
    """Write the line of one served request, past `logging` and its cost."""
    weight = _flood.weight()
    if weight > 1:
        fields = {**fields, "count": weight}
    if _sink is not None and weight:
        _write({"at": _stamp(datetime.now(UTC)), "level": "INFO", "logger": "access", **_allowed(fields)})


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        line: dict[str, Any] = {
            "at": _stamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if (current := request_id.get()) is not None:
            line["request_id"] = current
        line |= _allowed(record.__dict__)
        if record.exc_info and record.exc_info[0] is not None:
            line |= _told(record.exc_info[0], record.exc_info[2])
        _write(line)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()[:_LONGEST]
    except (TypeError, ValueError):
        return str(record.msg)[:_LONGEST]


def _told(kind: type[BaseException], frames: TracebackType | None) -> dict[str, Any]:
    places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(frames)]
    return {"exception": f"{kind.__module__}.{kind.__qualname__}", "places": places[-30:]}


def _short(path: str) -> str:
    return "/".join(path.split("/")[-3:])


def _allowed(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in fields.items() if name in FIELDS and value is not None}


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)[:_REPLACED]


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write(line: Mapping[str, Any]) -> None:
    """The line, and how many found no room since the last that was written."""
    global _lost
    if _sink is None:
        return
    try:
        _sink.write(orjson.dumps({**line, "lost": _lost} if _lost else line, option=orjson.OPT_APPEND_NEWLINE))
    except (OSError, ValueError, orjson.JSONEncodeError):
        _lost += 1
    else:
        _lost = 0
