"""The worker's day."""

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from idp.audit import service as audit
from idp.audit.events import Event
from idp.audit.exported import read_heads
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.messaging.rules import Undelivered
from idp.messaging.service import Owed
from idp.worker.loop import HEADS_FILE, Worker
from idp.worker.service import Ports
from idp.worker.sweep import Batch
from tests.conftest import Hands
from tests.messaging.letters import owe

pytestmark = pytest.mark.both


class Stopping:
    """Takes a message and asks the worker to stop."""

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.taken = 0

    def deliver(self, owed: Owed, *, now: datetime) -> Undelivered | None:
        self.taken += 1
        assert self.worker is not None
        self.worker.stop.set()
        return None


def worker(hands: Hands, folder: Path) -> tuple[Worker, Stopping]:
    mailroom = Stopping()
    made = Worker(
        Ports(mailroom, lambda row, now: None, lambda row, now: None), folder, lambda: hands.now, threading.Event()
    )
    mailroom.worker = made
    return made, mailroom


def test_stopping_ends_after_the_try_at_hand(app: Flask, hands: Hands, tmp_path: Path):
    for _ in range(3):
        owe(hands.now)
    busy, mailroom = worker(hands, tmp_path)
    busy.run()
    assert mailroom.taken == 1


def test_AU_03_heads_leave_the_database_each_minute_when_they_moved(app: Flask, hands: Hands, tmp_path: Path):
    busy, _ = worker(hands, tmp_path)
    file = tmp_path / HEADS_FILE
    for minutes, lines in ((0, 1), (0.5, 1), (1, 1)):
        hands.forward(minutes=minutes)
        busy._chores_if_due()
        assert len(file.read_text().splitlines()) == lines
    with writing() as tx:
        audit.append(tx, Event.SIGNED_IN, now=hands.now, actor="a", subject_id="a", origin=Origin.local("test"))
    hands.forward(minutes=1)
    busy._chores_if_due()
    assert len(file.read_text().splitlines()) == 2
    with reading() as tx:
        assert audit.verify(tx, against=read_heads(file)) == []


def test_a_failure_does_not_end_the_day(app: Flask, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    owe(hands.now)
    busy, mailroom = worker(hands, tmp_path)
    monkeypatch.setattr("idp.worker.loop.AFTER_FAILURE_SECONDS", 0.0)
    failures = iter([OSError("the database is away")])

    def failing(**_: object) -> Iterator[Batch]:
        for failure in failures:
            raise failure
        yield from ()

    monkeypatch.setattr("idp.worker.loop.batches", failing)
    busy.run()
    assert mailroom.taken == 1


@pytest.mark.parametrize(("pause", "between"), [(9.0, 9), (0.0, 3)])
def test_a_backlog_of_clearing_up_keeps_no_message_waiting(
    app: Flask, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pause: float, between: int
):
    """A batch takes three seconds, a message one; idle seconds pass by the clockwork alone."""
    order = list[str]()

    class Clockwork(threading.Event):
        at = 0.0

        def wait(self, timeout: float | None = None) -> bool:
            self.at += 0.0 if self.is_set() else timeout or 0.0
            return self.is_set()

    class Noting(Stopping):
        def deliver(self, owed: Owed, *, now: datetime) -> Undelivered | None:
            order.append("mail")
            clockwork.at += 1
            return None

    def backlog(**_: object) -> Iterator[Batch]:
        for step in range(4):
            order.append("batch")
            clockwork.at += 3
            if step == 3:
                clockwork.set()
            yield Batch("records_turned", 200, pause)

    monkeypatch.setattr("idp.worker.loop.batches", backlog)
    for _ in range(2 * between + 1):
        owe(hands.now)
    clockwork = Clockwork()
    ports = Ports(Noting(), lambda row, now: None, lambda row, now: None)
    Worker(ports, tmp_path, lambda: hands.now, clockwork, lambda: clockwork.at).run()
    spell = ["batch"] + ["mail"] * between
    assert order == [*spell, *spell, "batch", "mail", "batch"]
    assert clockwork.at == 12 + 3 * max(pause, 3), "with nothing to send it waits as long"
