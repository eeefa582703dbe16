"""Parked requests as rows: one browser, one awaited step, one session, one end (SECURITY D2)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from idp.foundation.database import reading, writing
from idp.sessions import transactions
from idp.sessions.models import Transaction
from idp.sessions.rules import Reason, TransactionFacts
from idp.vocabulary.refused import Refused
from tests.conftest import Hands
from tests.factories import Make
from tests.races import race
from tests.sessions.conftest import BROWSER

pytestmark = pytest.mark.both
Park = Callable[..., UUID]


def opened(txn: UUID, now: datetime, *, step: str = "choose", **changed: Any) -> TransactionFacts | Refused:
    with writing() as tx:
        return transactions.open_transaction(tx, txn=txn, step=step, now=now, **({"browser_digest": BROWSER} | changed))


def test_only_the_browser_that_started_it_goes_on(park: Park, now: datetime) -> None:
    txn = park()
    with reading() as tx:
        assert isinstance(transactions.load(tx, txn=txn, browser_digest=BROWSER, now=now), TransactionFacts)
        other = transactions.load(tx, txn=txn, browser_digest=b"x" * 32, now=now)
        unknown = transactions.load(tx, txn=uuid4(), browser_digest=BROWSER, now=now)
    assert other == Refused(Reason.OTHER_BROWSER)
    assert unknown == Refused(Reason.UNKNOWN_TRANSACTION)


def test_only_the_awaited_step_acts(park: Park, now: datetime) -> None:
    txn = park()
    assert opened(txn, now) == Refused(Reason.NOT_AWAITED)
    with writing() as tx:
        transactions.await_step(tx, txn=txn, step="choose")
    assert isinstance(opened(txn, now), TransactionFacts)
    assert opened(txn, now, step="consent") == Refused(Reason.NOT_AWAITED)
    assert opened(uuid4(), now) == Refused(Reason.UNKNOWN_TRANSACTION)


def test_an_hour_later_it_is_over(park: Park, hands: Hands) -> None:
    txn = park()
    assert opened(txn, hands.forward(minutes=60)) == Refused(Reason.EXPIRED_TRANSACTION)


def test_another_sessions_step_is_not_awaited_and_its_settlements_are_gone(
    park: Park, make: Make, now: datetime
) -> None:
    txn, (hers, _), (his, _) = park(), make.session(make.subject()), make.session(make.subject())
    with writing() as tx:
        transactions.mark_authenticated(tx, txn=txn, session_id=hers.id, now=now)
        transactions.await_step(tx, txn=txn, step="choose", session_id=hers.id)
        transactions.remember_choice(
            tx, txn=txn, affiliation_id=uuid4(), provider_id=None, practice_id=uuid4(), now=now
        )
        transactions.remember_consent(tx, txn=txn, scopes="openid")
    assert opened(txn, now, session_id=his.id) == Refused(Reason.NOT_AWAITED)
    assert isinstance(opened(txn, now, session_id=hers.id), TransactionFacts)
    with writing() as tx:
        transactions.await_step(tx, txn=txn, step="choose", session_id=his.id)
    row = make.row(Transaction, txn)
    assert (row.session_id, row.authenticated_at, row.affiliation_id, row.chosen_at, row.consented_scopes) == (
        his.id, None, None, None, None,
    )  # fmt: skip


def test_the_same_session_keeps_what_it_settled(park: Park, make: Make, now: datetime) -> None:
    txn, (session, _) = park(), make.session(make.subject())
    with writing() as tx:
        transactions.mark_authenticated(tx, txn=txn, session_id=session.id, now=now)
        transactions.remember_consent(tx, txn=txn, scopes="openid")
        transactions.await_step(tx, txn=txn, step="choose", session_id=session.id)
    row = make.row(Transaction, txn)
    assert (row.authenticated_at, row.consented_scopes) == (now, "openid")


def test_AZ_33_another_choice_voids_the_consent_for_the_former(park: Park, make: Make, now: datetime) -> None:
    txn = park()
    with writing() as tx:
        transactions.remember_consent(tx, txn=txn, scopes="openid")
        transactions.remember_choice(tx, txn=txn, affiliation_id=uuid4(), provider_id=None, practice_id=None, now=now)
    assert make.row(Transaction, txn).consented_scopes is None


def test_it_is_finished_once_and_then_refuses(park: Park, now: datetime) -> None:
    txn = park()
    with writing() as tx:
        assert transactions.finish(tx, txn=txn, now=now)
        assert not transactions.finish(tx, txn=txn, now=now)
    assert opened(txn, now, step="") == Refused(Reason.FINISHED)
    with writing() as tx:
        assert transactions.lock(tx, txn=txn, browser_digest=BROWSER, now=now) == Refused(Reason.FINISHED)


def test_RA_two_tabs_finish_one_request_once(app: Flask, park: Park, now: datetime) -> None:
    def finish(txn: UUID) -> bool:
        with writing() as tx:
            locked = transactions.lock(tx, txn=txn, browser_digest=BROWSER, now=now)
            return not isinstance(locked, Refused) and transactions.finish(tx, txn=txn, now=now)

    for _ in range(5):
        txn = park()
        assert race(app, lambda txn=txn: finish(txn)).count(True) == 1


def test_an_unclaimed_request_is_the_first_browsers_that_comes(app: Flask, park: Park, now: datetime) -> None:
    txn = park(browser_digest=transactions.UNCLAIMED)
    assert opened(txn, now, step="") == Refused(Reason.OTHER_BROWSER)
    with writing() as tx:
        assert transactions.unclaimed(tx, txn=txn)
        assert transactions.claim(tx, txn=txn, browser_digest=BROWSER)
        assert not transactions.claim(tx, txn=txn, browser_digest=b"x" * 32)
        assert not transactions.unclaimed(tx, txn=txn)
    assert isinstance(opened(txn, now, step=""), TransactionFacts)


def test_expired_ones_are_purged_in_batches(park: Park, make: Make, now: datetime) -> None:
    for _ in range(3):
        park(lifetime=timedelta(minutes=1))
    kept = park()
    with writing() as tx:
        later = now + timedelta(minutes=2)
        assert [transactions.purge(tx, before=later, batch=2) for _ in range(3)] == [2, 1, 0]
    assert [row.id for row in make.rows(Transaction)] == [kept]
