"""AU: somebody with the database's password rewrites history (SECURITY §4, area AU)."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError

from idp.audit import service
from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.audit.rules import BadRow, Fault, Link, stream_of
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.settings import Settings

pytestmark = pytest.mark.both
STREAM = stream_of(target_kind=None, target_id=None, subject_id="person", client_id=None)
Tamper = Callable[..., None]


@pytest.fixture
def tamper(app: Flask, settings: Settings) -> Iterator[Tamper]:
    """Whoever owns the tables; on SQLite somebody who has taken the triggers away first."""
    engine = create_engine(settings.database_owner_url)

    def run(statement: str, **values: Any) -> None:
        with engine.begin() as connection:
            if settings.sqlite:
                for verb in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER IF EXISTS audit_event_no_{verb}"))
            connection.execute(text(statement), {"stream": STREAM, **values})

    yield run
    engine.dispose()


@pytest.fixture
def history(app: Flask, now: datetime) -> list[Link]:
    """Six events of one person; returns the heads as exported."""
    for number in range(6):
        with writing() as tx:
            service.append(
                tx, Event.SIGNED_IN, now=now, actor="person", subject_id="person",
                origin=Origin("192.0.2.7", "r"), details={"number": number},
            )  # fmt: skip
    with reading() as tx:
        return service.heads(tx)


def faults(against: list[Link] | None = None) -> list[BadRow]:
    with reading() as tx:
        return service.verify(tx, against=against)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_event SET outcome = 'x'", "DELETE FROM audit_event", "DELETE FROM audit_event WHERE sequence = 6"],
)
def test_AU_02_the_application_itself_cannot_change_or_delete_events(history: list[Link], statement: str):
    with pytest.raises(DBAPIError), writing() as tx:
        tx.execute(text(statement))
    assert faults(history) == []


def test_AU_02_the_verifier_names_an_altered_row(history: list[Link], tamper: Tamper):
    tamper("UPDATE audit_event SET outcome = 'refused' WHERE stream = :stream AND sequence = 3")
    assert faults() == [BadRow(STREAM, 3, Fault.ALTERED)]


def test_AU_02_the_verifier_names_altered_details(history: list[Link], tamper: Tamper):
    tamper("UPDATE audit_event SET details = '{\"number\": 9}' WHERE stream = :stream AND sequence = 2")
    assert faults() == [BadRow(STREAM, 2, Fault.ALTERED)]


def test_AU_02_the_verifier_names_a_missing_row(history: list[Link], tamper: Tamper):
    tamper("DELETE FROM audit_event WHERE stream = :stream AND sequence = 4")
    assert faults() == [BadRow(STREAM, 4, Fault.MISSING)]


def test_AU_02_the_verifier_names_a_row_put_where_another_was(history: list[Link], tamper: Tamper):
    tamper("DELETE FROM audit_event WHERE stream = :stream AND sequence = 4")
    tamper("UPDATE audit_event SET sequence = 4 WHERE stream = :stream AND sequence = 5")
    assert faults() == [BadRow(STREAM, 4, Fault.ALTERED)]


def test_AU_02_the_verifier_names_reordered_rows(history: list[Link], tamper: Tamper):
    for old, new in ((2, 99), (3, 2), (99, 3)):
        tamper("UPDATE audit_event SET sequence = :new WHERE stream = :stream AND sequence = :old", old=old, new=new)
    assert faults() == [BadRow(STREAM, 2, Fault.ALTERED)]


def test_AU_02_a_row_moved_to_another_stream_is_missed_here_and_wrong_there(history: list[Link], tamper: Tamper):
    other = (STREAM + 1) % 16
    tamper("UPDATE audit_event SET stream = :other, sequence = 1 WHERE stream = :stream AND sequence = 6", other=other)
    assert set(faults()) == {BadRow(STREAM, 6, Fault.CUT), BadRow(other, 1, Fault.ALTERED)}


def test_AU_02_a_row_appended_past_the_head_was_inserted(history: list[Link], tamper: Tamper):
    tamper("UPDATE audit_head SET sequence = 5 WHERE stream = :stream")
    assert faults() == [BadRow(STREAM, 6, Fault.INSERTED)]


def test_AU_02_a_stream_without_its_head_is_not_whole(history: list[Link], tamper: Tamper, settings: Settings):
    tamper("DELETE FROM audit_head WHERE stream = :stream")
    assert faults() == [BadRow(STREAM, 6, Fault.HEAD_ALTERED)]
    tamper("INSERT INTO audit_head (stream, sequence, hash) VALUES (:stream, 0, :hash)", hash=bytes(32))


def test_AU_03_a_cut_tail_is_missed_by_the_head(history: list[Link], tamper: Tamper):
    tamper("DELETE FROM audit_event WHERE stream = :stream AND sequence > 4")
    assert faults() == [BadRow(STREAM, 5, Fault.CUT)]


def test_AU_03_a_cut_tail_with_a_forged_head_is_caught_by_the_exported_one(history: list[Link], tamper: Tamper):
    with reading() as tx:
        fourth = tx.scalars(select(AuditEvent.hash).where(AuditEvent.stream == STREAM, AuditEvent.sequence == 4)).one()
    tamper("DELETE FROM audit_event WHERE stream = :stream AND sequence > 4")
    tamper("UPDATE audit_head SET sequence = 4, hash = :hash WHERE stream = :stream", hash=fourth)
    assert faults() == []
    assert faults(history) == [BadRow(STREAM, 5, Fault.NOT_AS_EXPORTED)]


def test_AU_03_an_old_copy_with_a_new_history_is_caught_by_the_exported_head(
    history: list[Link], tamper: Tamper, now: datetime
):
    """Everything is rewritten consistently after a restore; only what left the machine remembers."""
    with reading() as tx:
        third = tx.scalars(select(AuditEvent.hash).where(AuditEvent.stream == STREAM, AuditEvent.sequence == 3)).one()
    tamper("DELETE FROM audit_event WHERE stream = :stream AND sequence > 3")
    tamper("UPDATE audit_head SET sequence = 3, hash = :hash WHERE stream = :stream", hash=third)
    for _ in range(5):
        with writing() as tx:
            service.append(
                tx, Event.SIGNED_OUT, now=now, actor="person", subject_id="person", origin=Origin("192.0.2.7", "r")
            )
    assert faults() == []
    assert faults(history) == [BadRow(STREAM, 6, Fault.NOT_AS_EXPORTED)]


def test_D10_an_action_whose_event_cannot_be_written_does_not_happen(app: Flask, tamper: Tamper, now: datetime):
    """Fail closed (D10): without a head there is no event, and without the event no change."""
    tamper("DELETE FROM audit_head WHERE stream = :stream")
    with pytest.raises(Exception, match="row"), writing() as tx:
        tx.execute(text("UPDATE system_state SET epoch = epoch + 1"))
        service.append(tx, Event.EPOCH_BUMPED, now=now, actor="system", subject_id="person", origin=Origin.local("cli"))
    tamper("INSERT INTO audit_head (stream, sequence, hash) VALUES (:stream, 0, :hash)", hash=bytes(32))
    with reading() as tx:
        assert tx.scalar(text("SELECT epoch FROM system_state")) == 1


def test_AU_07_a_password_typed_as_the_user_name_is_nowhere_in_the_audit(app: Flask, now: datetime):
    with writing() as tx:
        service.append(
            tx, Event.SIGN_IN_REFUSED, now=now, actor="anonymous", origin=Origin("192.0.2.7", "r"), outcome="mismatch",
            details={"login": "CNRY-Summer2026!", "username": "CNRY-Summer2026!"},
        )  # fmt: skip
    with reading() as tx:
        row = tx.scalars(select(AuditEvent)).one()
    assert "CNRY" not in repr(vars(row))
