"""One code typed eight times at once, in as many sign-ins, signs in once; a session that is gone is not lifted (RA)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from idp.authenticators.factors.proving import Attempt
from idp.authenticators.recovery_codes import service as recovery_codes
from idp.authenticators.totp import service as totp
from idp.foundation.artefacts import digest_of
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.sessions import service as sessions
from idp.sessions import step_up, transactions
from idp.sessions.facts import session_facts
from idp.sessions.models import BrowserSession
from idp.sessions.rules import Ended, Reason
from idp.sessions.service import NewSession
from idp.sign_in.requests import parked
from idp.sign_in.rules import AuthorizationRequest
from idp.vocabulary.assurance import Acr, Amr, Factor
from idp.vocabulary.refused import Refused
from tests.authenticators.second_factors import code_of
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both
BROWSER = digest_of("browser")
ORIGIN = Origin("203.0.113.7", "request", "Firefox", None)


def waiting(subject: Any, now: Any, *, accepts: Sequence[Factor] = (Factor.TOTP, Factor.RECOVERY)) -> UUID:
    """A sign-in whose password was right, and that asks for a factor."""
    with writing() as tx:
        asked = parked(AuthorizationRequest(client_id=None, return_to="account.overview"))
        txn = transactions.park(
            tx, browser_digest=BROWSER, client_id=None, request=asked, now=now, lifetime=timedelta(hours=1)
        )
        transactions.remember_first_factor(tx, txn=txn, subject_id=subject.id, epoch=subject.epoch, now=now)
        transactions.await_step(tx, txn=txn, step="second-factor", accepts=list(accepts))
    return txn


def attempt(txn: UUID, now: Any) -> Attempt:
    return Attempt(txn=txn, browser_digest=BROWSER, session=None, origin=ORIGIN, now=now)


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_RA_04_MF_05_MF_32_a_code_typed_eight_times_at_once_signs_in_once(
    app: Flask, make: Make, now: Any, kind: str
) -> None:
    subject = make.subject("rosa.delgado")
    _row, secret = make.totp(subject)
    with writing() as tx:
        codes = recovery_codes.make(tx, subject_id=subject.id, origin=ORIGIN, now=now)
    sign_ins = iter([waiting(subject, now) for _ in range(8)])

    def act() -> Any:
        mine = attempt(next(sign_ins), now)
        if kind == "totp":
            return totp.prove(mine, typed=code_of(secret, now))
        return recovery_codes.prove(mine, typed=codes[0].reveal())

    outcomes = race(app, act, threads=8)
    assert sum(isinstance(outcome, NewSession) for outcome in outcomes) == 1
    assert len(make.rows(BrowserSession)) == 1


def test_RA_04_one_sign_in_answered_at_once_makes_one_session(app: Flask, make: Make, now: Any) -> None:
    """Four answers: the fifth try would be the last of its ten minutes, and pause all of them."""
    subject = make.subject("rosa.delgado")
    _row, secret = make.totp(subject)
    txn = waiting(subject, now)
    outcomes = race(app, lambda: totp.prove(attempt(txn, now), typed=code_of(secret, now)), threads=4)
    assert sum(isinstance(outcome, NewSession) for outcome in outcomes) == 1
    assert len(make.rows(BrowserSession)) == 1


def test_RA_13_a_session_that_was_ended_meanwhile_is_not_lifted(app: Flask, make: Make, now: Any) -> None:
    row, _cookie = make.session(make.subject("rosa.delgado"))
    facts = session_facts(row)
    with writing() as tx:
        sessions.end_session(tx, session_id=row.id, reason=Ended.BY_OWNER, now=now, origin=ORIGIN)
    with writing() as tx:
        lifted = step_up.lift(tx, facts, acr=[Acr.AAL2], amr=[Amr.ONE_TIME_CODE], proven=["totp"], now=now)
    assert lifted == Refused(Reason.SESSION_GONE)
    assert make.row(BrowserSession, row.id).acr == ["aal1"]


def test_MF_33_a_step_up_that_another_tab_finished_first_lifts_nothing_twice(app: Flask, make: Make, now: Any) -> None:
    row, _cookie = make.session(make.subject("rosa.delgado"))
    facts = session_facts(row)

    def act() -> Any:
        with writing() as tx:
            return step_up.lift(tx, facts, acr=[Acr.AAL2], amr=[Amr.ONE_TIME_CODE], proven=["totp"], now=now)

    outcomes = race(app, act, threads=8)
    assert sum(isinstance(outcome, NewSession) for outcome in outcomes) == 1
