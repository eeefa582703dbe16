"""A recovery finished at the moment at which its person proves a factor: one of the two happened, never both (RC-22, RA)."""

from itertools import count
from typing import Any

import pytest
from flask import Flask

from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.lost_factors import service as recoveries
from idp.authenticators.lost_factors.models import FactorRecovery
from idp.authenticators.lost_factors.rules import Starter
from idp.authenticators.lost_factors.service import By
from idp.authenticators.totp import service as totp
from idp.enrollment.again import service as again
from idp.foundation.database import writing
from idp.sessions.service import NewSession
from idp.vocabulary.evidence import Evidence
from tests.authenticators.second_factors import code_of
from tests.authenticators.test_factor_races import BROWSER, ORIGIN, attempt, waiting
from tests.conftest import Hands
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both


def test_RC_22_finishing_and_proving_at_once_let_one_of_them_happen(app: Flask, make: Make, hands: Hands) -> None:
    subject = make.subject("rosa.delgado")
    _row, secret = make.totp(subject)
    with writing() as tx:
        recoveries.start(tx, subject_id=subject.id, by=By(Starter.PERSON, subject.id, hands.now, ORIGIN))
    now = hands.forward(hours=73)
    with writing() as tx:
        for row in tx.query(FactorRecovery):
            row.mailbox_at, row.browser_digest, row.evidence = now, BROWSER, Evidence.PAYER.value
    sign_ins, turn = [waiting(subject, now) for _ in range(4)], count()

    def act() -> Any:
        number = next(turn)
        if number % 2:
            return again.finish(BROWSER, now=now, origin=ORIGIN)
        return totp.prove(attempt(sign_ins[number // 2], now), typed=code_of(secret, now))

    outcomes = race(app, act, threads=8)
    proven = sum(isinstance(each, NewSession) for each in outcomes)
    removed = sum(each is None for each in outcomes)
    (row,) = make.rows(FactorRecovery)
    assert (proven, removed, row.outcome) in {(1, 0, "proven"), (0, 1, "removed")}
    assert len(make.rows(HeldFactor)) == (1 if proven else 0)
