"""Loaded by Python itself in the processes that a test starts (PYTHONPATH): kills one at a chosen moment, or sets its clock.

The file that FAULT_FILE names says which, such as `after_commit 2`: the second commit since the file was seen. The
file that CLOCK_FILE names says by how many seconds its machine's clock is ahead. The product knows nothing of this.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import request_finished
from granian.server.common import AbstractServer
from sqlalchemy import event
from sqlalchemy.orm import Session

from idp.foundation.quick_wall import QuickWall

_seen: Counter[tuple[int, str]] = Counter()


def _at(moment: str) -> None:
    path = Path(os.environ["FAULT_FILE"])
    try:
        wanted, count = path.read_text("utf-8").split()
        armed = path.stat().st_mtime_ns
    except (FileNotFoundError, ValueError):
        return
    _seen[armed, moment] += 1
    if moment == wanted and _seen[armed, moment] == int(count):
        path.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)


def _reply(*_: object, **__: object) -> None:
    _at("reply")


def _reply_of_a_short_cut(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Flask tells nobody of what is answered before it."""

    def answered(self: Any, *asked: Any) -> Any:
        told = answer(self, *asked)
        _at("reply")
        return told

    return answered


def _forget_the_last_death(respawn: Callable[..., None]) -> Callable[..., None]:
    """Granian stops when the same worker dies twice within seconds; here that is what is wanted."""

    def respawned(self: Any, *arguments: Any, **named: Any) -> None:
        respawn(self, *arguments, **named)
        self.respawned_wrks.clear()

    return respawned


def _shown() -> datetime:
    try:
        ahead = float(Path(os.environ["CLOCK_FILE"]).read_text("utf-8"))
    except FileNotFoundError:
        ahead = 0.0
    return datetime.now(UTC) + timedelta(seconds=ahead)


if "CLOCK_FILE" in os.environ:
    from idp.foundation import clock

    clock._forward._wall = _shown

if "FAULT_FILE" in os.environ:
    AbstractServer._respawn_workers = _forget_the_last_death(AbstractServer._respawn_workers)
    event.listen(Session, "before_commit", lambda _session: _at("before_commit"))
    event.listen(Session, "after_commit", lambda _session: _at("after_commit"))
    request_finished.connect(_reply)
    QuickWall.answer = _reply_of_a_short_cut(QuickWall.answer)
