"""R-14, R-29: mail servers that fail and workers that die; messages are repeated at most, never lost."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.foundation.database import reading, writing
from idp.foundation.outgoing import Outgoing
from idp.messaging.delivery import Delivery
from idp.messaging.email import SmtpTransport
from idp.messaging.models import OutboxMessage
from idp.messaging.rules import Link
from idp.settings import Settings
from idp.worker.service import send_next
from tests.conftest import NOON, Hands
from tests.messaging.letters import owe
from tests.messaging.sinks import Sink, listening

pytestmark = pytest.mark.both
ROOT = Path(__file__).resolve().parents[2]
LIFE = timedelta(minutes=30)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening(Sink()) as server:
        yield server


@pytest.fixture
def die(settings: Settings, sink: Sink) -> Callable[[str], None]:
    """Run a worker of its own process that kills itself at `moment`."""

    def run(moment: str) -> None:
        given = {
            "issuer": settings.issuer, "data_dir": str(settings.data_dir), "keys_dir": str(settings.keys_dir),
            "database_url": settings.database_url, "database_owner_url": settings.database_owner_url,
            "smtp_url": sink.url, "smtp_from": settings.smtp_from,
        }  # fmt: skip
        ended = subprocess.run(
            [sys.executable, "-m", "tests.faults.dying_worker", json.dumps(given), moment],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == -signal.SIGKILL, ended.stderr

    return run


def work(hands: Hands, sink: Sink) -> int:
    delivery = Delivery.of(house.get(Settings), outgoing=house.get(Outgoing))
    with_sink = replace(delivery, mail=SmtpTransport.of(sink.url))
    done = 0
    while send_next(with_sink, read_clock=lambda: hands.now):
        done += 1
    return done


def row() -> OutboxMessage:
    with reading() as tx:
        return tx.scalars(select(OutboxMessage)).one()


def test_R_29_a_worker_killed_between_sending_and_marking_repeats_and_loses_nothing(
    app: Flask, hands: Hands, sink: Sink, die: Callable[[str], None]
):
    owe(NOON)
    die("after")
    assert len(sink.taken) == 1
    assert row().done_at is None
    assert work(hands, sink) == 0, "its lease has not run out"
    hands.forward(seconds=61)
    assert work(hands, sink) == 1
    assert len(sink.taken) == 2
    assert len({message["Message-ID"] for message in sink.taken}) == 1
    assert row().outcome == "delivered"
    hands.forward(days=1)
    assert work(hands, sink) == 0


def test_R_29_a_worker_killed_before_sending_loses_nothing(
    app: Flask, hands: Hands, sink: Sink, die: Callable[[str], None]
):
    owe(NOON)
    die("before")
    assert sink.taken == []
    hands.forward(seconds=61)
    assert work(hands, sink) == 1
    assert [message["To"] for message in sink.taken] == ["rosa@practice.test"]


def test_R_14_a_link_counts_from_the_mail_that_left_not_from_the_asking(app: Flask, hands: Hands, sink: Sink):
    """The server is away for two hours; the person still gets half an hour, and the mail says so."""
    with writing() as tx:
        _, identity = artefacts.issue(tx, kind=Kind.PASSWORD_RESET, now=hands.now, lifetime=LIFE)
    owe(hands.now, link=Link(identity, LIFE))
    sink.answer = "451 not now"
    for _ in range(8):
        work(hands, sink)
        hands.forward(minutes=15)
    sink.answer = "250 taken"
    hands.forward(hours=1)
    assert work(hands, sink) == 1
    with reading() as tx:
        family = artefacts.family_of(tx, kind=Kind.PASSWORD_RESET, identity=identity)
    assert family is not None
    assert family.expires_at == hands.now + LIFE
    text = sink.taken[0].get_body(("plain",))
    assert text is not None
    assert "7:30 am PST" in text.get_content()


@pytest.mark.parametrize("answer", ["421 closing", "450 busy", "451 later", "452 full", "550 spam", "554 no"])
def test_R_14_whatever_the_server_says_the_message_waits(app: Flask, hands: Hands, sink: Sink, answer: str):
    owe(hands.now)
    sink.answer = answer
    assert work(hands, sink) == 1
    waiting = row()
    assert (waiting.done_at, waiting.last_error) == (None, f"smtp {answer[:3]}")
    assert waiting.payload_sealed is not None
    sink.answer = "250 taken"
    hands.forward(minutes=1)
    assert work(hands, sink) == 1
    assert row().outcome == "delivered"


def test_R_14_a_black_hole_costs_one_try_and_other_messages_go_on(app: Flask, hands: Hands, sink: Sink):
    owe(hands.now)
    with socket.create_server(("127.0.0.1", 0)) as hole:
        silent = replace(SmtpTransport.of(f"smtp://127.0.0.1:{hole.getsockname()[1]}"), seconds=0.2)
        delivery = Delivery.of(house.get(Settings), outgoing=house.get(Outgoing))
        send_next(replace(delivery, mail=silent), read_clock=lambda: hands.now)
    assert row().last_error == "SMTPServerDisconnected"
    owe(hands.now, notice="password_changed")
    assert work(hands, sink) == 1


def test_R_14_asking_does_not_touch_the_mail_server(app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch):
    """The page is as quick, and the same, with the server stopped: enqueueing dials nobody."""

    def dialled(*_: object, **__: object) -> None:
        raise AssertionError("a mail server was dialled in a request")

    monkeypatch.setattr("smtplib.SMTP.__init__", dialled)
    owe(now)
    assert row().attempts == 0
