"""Leasing, sending, calling: any number of workers, on both databases."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.foundation.database import reading, writing
from idp.messaging.models import OutboxMessage
from idp.messaging.rules import RETRIES, Reason, Undelivered
from idp.messaging.service import Owed
from idp.sessions.models import LogoutDelivery
from idp.sessions.rules import Reason as SessionReason
from idp.vocabulary.refused import Refused
from idp.worker.leasing import lease
from idp.worker.rules import LOGOUT_RETRIES
from idp.worker.service import Ports, call_next, send_next, work_once
from tests.conftest import Hands
from tests.messaging.letters import owe

pytestmark = pytest.mark.both
OUTBOX: Any = OutboxMessage.__table__
BAD = Refused(next(iter(SessionReason)))


class Mailroom:
    """Takes or refuses what it is given."""

    def __init__(self, outcome: Undelivered | None = None) -> None:
        self.outcome, self.seen = outcome, list[UUID]()

    def deliver(self, owed: Owed, *, now: datetime) -> Undelivered | None:
        self.seen.append(owed.id)
        return self.outcome


def owe_logout(now: datetime) -> UUID:
    with writing() as tx:
        row = LogoutDelivery(client_id="portal", sid=uuid4(), sub="person", created_at=now, due_at=now)
        tx.add(row)
        tx.flush()
        return row.id


def logout() -> LogoutDelivery:
    with reading() as tx:
        return tx.scalars(select(LogoutDelivery)).one()


def take(now: datetime, **more: int) -> list[Any]:
    with writing() as tx:
        return lease(tx, OUTBOX, now=now, **more)


def test_a_leased_row_is_nobody_else_s_for_a_minute(app: Flask, now: datetime):
    identity = owe(now)
    assert [row.id for row in take(now)] == [identity]
    assert take(now + timedelta(seconds=59)) == []
    (again,) = take(now + timedelta(seconds=60))
    assert (again.id, again.attempts) == (identity, 2)


def test_what_is_due_longest_goes_first_and_what_is_not_due_waits(app: Flask, now: datetime):
    late, early = owe(now), owe(now - timedelta(hours=1))
    owe(now + timedelta(hours=1))
    assert [row.id for row in take(now, limit=9)] == [early, late]


def test_R_29_three_workers_send_each_message_once(app: Flask, now: datetime):
    owed = {owe(now) for _ in range(30)}
    mailroom, start, failures = Mailroom(), threading.Barrier(3), list[BaseException]()

    def work() -> None:
        try:
            with app.app_context():
                start.wait()
                while send_next(mailroom, read_clock=lambda: now):
                    pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(mailroom.seen) == sorted(owed)


def test_R_29_without_a_worker_messages_wait(app: Flask, now: datetime):
    owe(now)
    mailroom = Mailroom()
    assert send_next(mailroom, read_clock=lambda: now + timedelta(days=400)) == 1
    assert len(mailroom.seen) == 1


def test_no_transaction_is_open_while_something_is_sent(app: Flask, now: datetime):
    """On SQLite an open write would make this second writer wait out its time."""
    owe(now)

    class Writing(Mailroom):
        def deliver(self, owed: Owed, *, now: datetime) -> Undelivered | None:
            owe(now + timedelta(days=1))
            return super().deliver(owed, now=now)

    assert send_next(Writing(), read_clock=lambda: now) == 1


def test_a_message_that_breaks_the_sender_is_retried_and_given_up(app: Flask, hands: Hands):
    owe(hands.now)

    class Broken(Mailroom):
        def deliver(self, owed: Owed, *, now: datetime) -> Undelivered | None:
            raise ZeroDivisionError

    for _ in range(len(RETRIES) + 1):
        assert send_next(Broken(), read_clock=lambda: hands.now) == 1
        hands.forward(days=1)
    with reading() as tx:
        row = tx.scalars(select(OutboxMessage)).one()
    assert (row.outcome, row.last_error) == ("dead", "ZeroDivisionError")


def test_a_message_that_kills_its_workers_is_given_up_without_another_try(app: Flask, hands: Hands):
    owe(hands.now)
    for _ in range(len(RETRIES) + 1):
        assert len(take(hands.now)) == 1
        hands.forward(minutes=2)
    mailroom = Mailroom()
    send_next(mailroom, read_clock=lambda: hands.now)
    assert mailroom.seen == []
    with reading() as tx:
        assert tx.scalars(select(OutboxMessage)).one().outcome == "dead"


def test_R_18_a_logout_call_is_made_anew_until_it_is_taken(app: Flask, hands: Hands):
    owe_logout(hands.now)
    calls = list[tuple[int, datetime]]()

    def deliver(row: Any, now: datetime) -> Refused | None:
        calls.append((row.attempts, now))
        return BAD if len(calls) < 3 else None

    for _ in range(3):
        assert call_next(deliver, read_clock=lambda: hands.now) == 1
        assert call_next(deliver, read_clock=lambda: hands.now) == 0
        hands.forward(hours=1)
    assert [attempts for attempts, _ in calls] == [1, 2, 3]
    assert len({now for _, now in calls}) == 3
    assert logout().outcome == "delivered"


def test_R_18_LO_12_eight_refused_calls_are_all_and_audited(app: Flask, hands: Hands):
    owe_logout(hands.now)
    started = hands.now
    calls = 0

    def deliver(row: Any, now: datetime) -> Refused | None:
        nonlocal calls
        calls += 1
        return BAD

    while logout().done_at is None:
        call_next(deliver, read_clock=lambda: hands.now)
        hands.forward(minutes=1)
    assert calls == len(LOGOUT_RETRIES) + 1
    assert timedelta(hours=20) < hands.now - started < timedelta(hours=28)
    row = logout()
    assert (row.outcome, row.last_error) == ("dead", BAD.reason.value)
    with reading() as tx:
        event = tx.scalars(select(AuditEvent)).one()
    assert (event.type, event.client_id, event.details["tries"]) == ("logout_undeliverable", "portal", 8)


def test_R_18_a_call_that_fails_in_our_own_code_is_a_try_like_another(app: Flask, now: datetime):
    owe_logout(now)

    def broken(row: Any, now: datetime) -> Refused | None:
        raise ZeroDivisionError

    assert call_next(broken, read_clock=lambda: now) == 1
    row = logout()
    assert (row.done_at, row.attempts, row.last_error) == (None, 1, "fault")


def test_a_slow_relying_party_does_not_hold_up_the_mail(app: Flask, now: datetime):
    for _ in range(3):
        owe(now)
        owe_logout(now)
    order = list[str]()

    class Noting(Mailroom):
        def deliver(self, owed: Owed, *, now: datetime) -> Undelivered | None:
            order.append("mail")
            return None

    def deliver(row: Any, now: datetime) -> None:
        order.append("call")

    read_clock: Callable[[], datetime] = lambda: now  # noqa: E731
    while work_once(ports=Ports(Noting(), deliver, lambda row, now: None), read_clock=read_clock):
        pass
    assert order == ["mail", "call"] * 3


def test_R_14_a_refusal_is_kept_without_the_address(app: Flask, now: datetime):
    owe(now)
    send_next(Mailroom(Undelivered(Reason.TRY_LATER, "smtp 451")), read_clock=lambda: now)
    with reading() as tx:
        assert tx.scalars(select(OutboxMessage)).one().last_error == "smtp 451"
