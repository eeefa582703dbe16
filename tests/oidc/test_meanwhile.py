"""Others are answered while an import runs: each request here is asked at a known point of the import, not after some time."""

import io
from collections.abc import Callable
from datetime import datetime

import pytest

from bench.nppes import rows
from idp.directory.imports import service
from idp.directory.imports.run import Report, Room, Run
from idp.directory.rules import NATIONAL
from idp.foundation.origin import Origin
from tests.conftest import Backend
from tests.oidc.conftest import SCOPE, Flow

Ask = Callable[[], None]
LINES = 2_500
"""Three batches."""


class Pieces(io.RawIOBase):
    """A file of which each read of the import asks for one line; `between` is called at the end of every thousand."""

    def __init__(self, between: Ask) -> None:
        self._lines, self._between = list(b"".join(rows(LINES)).splitlines(keepends=True)), between
        self._at = 0

    def readline(self, _size: int | None = -1) -> bytes:
        self._at += 1
        if self._at % 1000 == 2 and self._at > 2:
            self._between()
        return self._lines[self._at - 1] if self._at <= len(self._lines) else b""


@pytest.fixture
def ask(flow: Flow) -> Ask:
    """A session is read, an authorization code written and committed, and the code exchanged for tokens."""
    flow.tokens(scope=SCOPE)

    def asked() -> None:
        answer = flow.exchange(flow.code())
        assert answer.status_code == 200, answer.text

    return asked


def taken_in(stream: io.RawIOBase, now: datetime) -> Report:
    return service.run_import(
        stream, name="npis.csv", format_name="nppes", registry=NATIONAL, now=now, actor="system",
        origin=Origin.local("test"), full=lambda _leaving, _listed: True,
    )  # fmt: skip


@pytest.mark.both
def test_a_request_that_writes_is_answered_between_two_batches(ask: Ask, now: datetime):
    answered: list[int] = []

    def between() -> None:
        ask()
        answered.append(1)

    assert taken_in(Pieces(between), now).added == LINES
    assert len(answered) == 2


@pytest.mark.both
def test_a_request_is_answered_while_a_batch_is_written(
    ask: Ask, flow: Flow, backend: Backend, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    tell, answered = service.tell, list[int]()
    token = flow.tokens(scope=SCOPE)["access_token"]

    def told(tx: object, run: Run) -> None:
        tell(tx, run)  # type: ignore[arg-type]
        if backend.name == "sqlite":  # one writer: others read
            answered.append(flow.userinfo(token).status_code)
        else:
            ask()
            answered.append(200)

    monkeypatch.setattr(service, "tell", told)
    assert taken_in(Pieces(lambda: None), now).added == LINES
    assert answered == [200] * 3


@pytest.mark.parametrize(
    ("held", "after", "waited"),
    [
        (0.06, 0.01, 0.02),
        (0.06, 0.04, None),
        (0.13, 0.01, 0.045),
        (0.22, 0.0, 0.055),
        (0.23, 0.01, 0.095),
        (9.0, 0.2, None),
    ],
)
def test_sqlite_is_left_until_whoever_waited_as_long_has_looked_again(held: float, after: float, waited: float | None):
    """Their pauses: 1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50 and then always 100 ms (SQLite's own)."""
    ticks, slept = [0.0], list[float]()
    room = Room(ticks=lambda: ticks[0], wait=slept.append)
    for dialect in ("sqlite", "postgresql"):
        room.leave()
        ticks[0] += held
        room.left(dialect)
        ticks[0] += after
    room.leave()
    ticks[0] += held
    room.left("sqlite")
    ticks[0] += after
    room.leave()
    assert slept == ([] if waited is None else [pytest.approx(waited)] * 2)
