"""The outbox in the database: in the transaction, sealed, settled once, wiped after."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.foundation import artefacts, house, vault
from idp.foundation.artefacts import Kind
from idp.foundation.database import reading, writing
from idp.keyring.service import Keyring
from idp.messaging import service
from idp.messaging.cli import messages as command
from idp.messaging.models import OutboxMessage
from idp.messaging.rules import DELIVERY_HORIZON, RETRIES, Link, Reason, Undelivered
from idp.worker.leasing import lease
from tests.messaging.letters import BRAND, BY_PHONE, CONTEXTS, ROSA, owe

pytestmark = pytest.mark.both
HALF_AN_HOUR = timedelta(minutes=30)
DOWN = Undelivered(Reason.TRY_LATER, "smtp 451")
GONE = Undelivered(Reason.REJECTED, "smtp 550 for the recipient")


def outbox() -> list[OutboxMessage]:
    with reading() as tx:
        return list(tx.scalars(select(OutboxMessage)))


def leased(now: datetime) -> Any:
    with writing() as tx:
        (row,) = lease(tx, OutboxMessage.__table__, now=now)  # type: ignore[arg-type]
    return row


def settle(row: Any, outcome: Undelivered | None, now: datetime, *, link: Link | None = None) -> bool:
    with writing() as tx:
        return service.settle(tx, row=row, link=link, outcome=outcome, now=now, sent_at=now, jitter=0.5)


def reset_link(now: datetime) -> Link:
    with writing() as tx:
        _, identity = artefacts.issue(tx, kind=Kind.PASSWORD_RESET, now=now, lifetime=HALF_AN_HOUR)
    return Link(identity, HALF_AN_HOUR)


def end_of(identity: UUID) -> datetime:
    with reading() as tx:
        family = artefacts.family_of(tx, kind=Kind.PASSWORD_RESET, identity=identity)
    assert family is not None
    return family.expires_at


def test_R_14_a_message_is_owed_with_its_transaction_or_not_at_all(app: Flask, now: datetime):
    with pytest.raises(RuntimeError), writing() as tx:
        service.enqueue(tx, notice="password_changed", recipient=ROSA, brand=BRAND, context={}, now=now)
        raise RuntimeError
    assert outbox() == []


def test_the_row_shows_nothing_and_opens_in_its_place_only(app: Flask, now: datetime):
    first, second = owe(now), owe(now, notice="user_id_reminder")
    rows = {row.id: row for row in outbox()}
    for row in rows.values():
        assert row.payload_sealed is not None
        for secret in (b"CNRY", b"rosa", b"Delgado", b"5555550100"):
            assert secret not in row.payload_sealed
    assert service.opened(rows[first]).payload.context == CONTEXTS["password_reset"]
    rows[first].payload_sealed = rows[second].payload_sealed
    with pytest.raises(vault.Unopenable):
        service.opened(rows[first])
    assert house.get(Keyring).vault.active.encode() in (rows[second].payload_sealed or b"")


def test_the_channel_follows_the_stored_addresses(app: Flask, now: datetime):
    owe(now)
    owe(now, recipient=BY_PHONE)
    assert sorted(row.channel for row in outbox()) == ["email", "sms"]


def test_a_delivered_message_is_wiped_and_not_leased_again(app: Flask, now: datetime):
    owe(now)
    assert settle(leased(now), None, now)
    (row,) = outbox()
    assert (row.outcome, row.payload_sealed, row.done_at, row.attempts) == ("delivered", None, now, 1)
    with writing() as tx:
        assert lease(tx, OutboxMessage.__table__, now=now + timedelta(days=9)) == []  # type: ignore[arg-type]


def test_R_14_a_link_lives_from_its_sending_however_long_it_waited(app: Flask, now: datetime):
    """Ruling 22."""
    link = reset_link(now)
    owe(now, link=link)
    assert end_of(link.artefact_id) == now + DELIVERY_HORIZON + HALF_AN_HOUR
    later = now + timedelta(hours=7)
    settle(leased(later), None, later, link=link)
    assert end_of(link.artefact_id) == later + HALF_AN_HOUR


def test_a_link_voided_meanwhile_stays_dead_after_its_sending(app: Flask, now: datetime):
    link = reset_link(now)
    owe(now, link=link)
    with writing() as tx:
        artefacts.void(tx, now=now, identity=link.artefact_id)
    settle(leased(now), None, now, link=link)
    assert end_of(link.artefact_id) == now


def test_R_14_a_failed_try_waits_longer_each_time_and_ends_audited(app: Flask, now: datetime):
    identity = owe(now)
    for pause in RETRIES:
        assert settle(leased(now), DOWN, now)
        (row,) = outbox()
        assert (row.outcome, row.last_error, row.due_at) == (None, "smtp 451", now + pause)
        now += pause
    assert settle(leased(now), DOWN, now)
    (row,) = outbox()
    assert (row.outcome, row.payload_sealed, row.attempts) == ("dead", None, len(RETRIES) + 1)
    with reading() as tx:
        event = tx.scalars(select(AuditEvent)).one()
    assert (event.type, event.outcome, event.subject_id) == ("message_dead", "try_later", "person")
    assert event.details["message"] == str(identity)
    assert "rosa" not in repr(event.details)


def test_R_14_what_will_never_be_taken_is_given_up_at_once(app: Flask, now: datetime):
    owe(now)
    settle(leased(now), GONE, now)
    (row,) = outbox()
    assert (row.outcome, row.attempts, row.payload_sealed) == ("dead", 1, None)


def test_R_29_a_worker_that_lost_its_lease_writes_nothing(app: Flask, now: datetime):
    owe(now)
    slow = leased(now)
    quick = leased(now + timedelta(seconds=61))
    assert settle(quick, None, now + timedelta(seconds=62))
    assert not settle(slow, GONE, now + timedelta(seconds=63))
    (row,) = outbox()
    assert row.outcome == "delivered"


def test_settled_rows_go_after_a_month(app: Flask, now: datetime):
    owe(now)
    settle(leased(now), None, now)
    owe(now)
    with writing() as tx:
        assert service.purge(tx, now=now + timedelta(days=29)) == 0
        assert service.purge(tx, now=now + timedelta(days=31)) == 1
    assert len(outbox()) == 1


def test_the_commands_list_what_waits_and_make_it_due(app: Flask, now: datetime):
    identity = owe(now)
    settle(leased(now), DOWN, now)
    run = app.test_cli_runner().invoke
    listed = run(command, ["list"])
    assert str(identity) in listed.output
    assert "smtp 451" in listed.output
    assert "rosa" not in listed.output
    assert run(command, ["retry", str(identity)]).output == "1 due now\n"
    assert run(command, ["retry", str(identity)]).exit_code == 1
    assert run(command, ["retry"]).exit_code == 2
    settle(leased(now), GONE, now)
    assert run(command, ["list"]).output == "Everything has left.\n"
    assert str(identity) in run(command, ["list", "--dead", "--json"]).output
