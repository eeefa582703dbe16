"""`idp worker`, `idp sweep`: the commands an operator runs."""

import json
import os
import signal
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp.foundation.database import reading
from idp.messaging.email import SmtpTransport
from idp.messaging.models import OutboxMessage
from idp.messaging.rules import Undelivered
from idp.worker import cli
from tests.messaging.letters import owe


@pytest.fixture
def kept_signals() -> Any:
    kept = {wanted: signal.getsignal(wanted) for wanted in (signal.SIGTERM, signal.SIGINT)}
    yield
    for wanted, was in kept.items():
        signal.signal(wanted, was)


def taking(after: Any = None) -> Any:
    def send(self: SmtpTransport, message: object, *, identity: object) -> Undelivered | None:
        if after is not None:
            after()
        return None

    return send


def outcomes() -> list[str | None]:
    with reading() as tx:
        return list(tx.scalars(select(OutboxMessage.outcome)))


def test_once_does_all_that_is_due_and_ends(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch, kept_signals: None
):
    for _ in range(3):
        owe(now)
    monkeypatch.setattr(SmtpTransport, "send", taking())
    ran = app.test_cli_runner().invoke(cli.worker, ["--once"])
    assert (ran.exit_code, ran.output) == (0, "3 done\n")
    assert outcomes() == ["delivered"] * 3


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_try_at_hand_end_and_be_written_down(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch, kept_signals: None, wanted: signal.Signals
):
    for _ in range(3):
        owe(now)
    monkeypatch.setattr(SmtpTransport, "send", taking(lambda: os.kill(os.getpid(), wanted)))
    ran = app.test_cli_runner().invoke(cli.worker, [])
    assert ran.exit_code == 0, ran.output
    assert sorted(map(str, outcomes())) == ["None", "None", "delivered"]


def test_a_sweep_says_what_it_cleared(app: Flask):
    ran = app.test_cli_runner().invoke(cli.sweep, ["--json"])
    assert ran.exit_code == 0, ran.output
    assert set(json.loads(ran.output)) >= {"artefacts", "counts", "messages", "sessions_ended"}
    assert "artefacts: 0" in app.test_cli_runner().invoke(cli.sweep, []).output
