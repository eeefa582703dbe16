"""Many at once, round after round: a sent code, a phone's approval, a remembered device, a dying session (RA-04, 12, 13)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from idp.audit.models import AuditEvent
from idp.authenticators.codes import service as codes
from idp.authenticators.push import answering, calls
from idp.authenticators.push import service as push
from idp.authenticators.push.models import PushRequest
from idp.authenticators.push.rules import Outcome
from idp.authenticators.remembered_devices import service as devices
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.foundation.database import reading, writing
from idp.sessions import service as sessions
from idp.sessions import step_up
from idp.sessions.facts import session_facts
from idp.sessions.models import BrowserSession
from idp.sessions.rules import Ended
from idp.sessions.service import NewSession
from idp.subjects.models import Subject
from idp.vocabulary.assurance import Acr, Amr, Factor
from tests.authenticators.software_phone import SoftwarePhone, connected
from tests.authenticators.test_factor_races import ORIGIN, attempt, waiting
from tests.authenticators.test_sent_codes import codes as sent
from tests.authenticators.test_sent_codes import phone
from tests.factories import Make
from tests.races import ROUNDS, race

pytestmark = [pytest.mark.both, pytest.mark.races]


def of(make: Make, subject: Subject) -> list[BrowserSession]:
    return [row for row in make.rows(BrowserSession) if row.subject_id == subject.id]


def with_a_code(make: Make, now: datetime, turn: int) -> tuple[Subject, UUID, str, str]:
    """Somebody whose telephone was sent a code for a sign-in: them, the sign-in, the number and the code."""
    subject, number = make.subject(), f"+1417555{100 + turn:04}"
    phone(make, subject, number)
    txn = waiting(subject, now, accepts=[Factor.SMS])
    before = set(sent(make))
    assert codes.send(attempt(txn, now), kind=Factor.SMS) is None
    (code,) = set(sent(make)) - before
    return subject, txn, number, code


def test_RA_04_a_code_by_sms_taken_eight_times_at_once_is_taken_once(app: Flask, make: Make, now: datetime) -> None:
    for turn in range(ROUNDS):
        subject, txn, number, code = with_a_code(make, now, turn)

        def act(subject: str = subject.id, txn: UUID = txn, number: str = number, code: str = code) -> bool:
            with writing() as tx:
                return codes.take(tx, txn, subject, number, code, now=now)

        assert sorted(race(app, act, threads=8)) == [False] * 7 + [True]


def test_RA_04_a_code_by_sms_typed_at_once_makes_one_session(app: Flask, make: Make, now: datetime) -> None:
    """Four tries: the fifth would be the last of its ten minutes."""
    for turn in range(ROUNDS):
        subject, txn, _number, code = with_a_code(make, now, turn)

        def act(txn: UUID = txn, code: str = code) -> Any:
            return codes.prove(attempt(txn, now), kind=Factor.SMS, typed=code)

        assert sum(isinstance(each, NewSession) for each in race(app, act, threads=4)) == 1
        assert len(of(make, subject)) == 1


def approve(make: Make, mobile: SoftwarePhone, txn: UUID, now: datetime) -> None:
    (asked,) = [row for row in make.rows(PushRequest) if row.txn == txn]
    claims = {"txn": str(txn), "jti": push.nonce_of(asked.id), "number": f"{asked.number:02}", "decision": "approve"}
    call = calls.read(mobile.sign("answer", now, **claims), address="answer", now=now)
    assert isinstance(call, calls.Call)
    assert answering.answer(call, now=now, origin=ORIGIN) is Outcome.APPROVED


def test_RA_04_a_phones_approval_picked_up_eight_times_at_once_signs_in_once(
    app: Flask, make: Make, now: datetime
) -> None:
    for _ in range(ROUNDS):
        subject = make.subject()
        mobile, txn = connected(make, subject), waiting(subject, now, accepts=[Factor.PUSH])
        assert push.ask(attempt(txn, now)) is None
        approve(make, mobile, txn, now)

        def act(txn: UUID = txn) -> Any:
            return push.complete(attempt(txn, now))

        assert sum(isinstance(each, NewSession) for each in race(app, act, threads=8)) == 1
        assert len(of(make, subject)) == 1


def test_RA_12_eight_tabs_with_one_device_at_once_raise_no_alarm(app: Flask, make: Make, now: datetime) -> None:
    for _ in range(ROUNDS):
        rosa = make.subject()
        with writing() as tx:
            subject = tx.get(Subject, rosa.id)
            assert subject is not None
            made = devices.remember(tx, subject=subject, sent=(), now=now, origin=ORIGIN)
        assert made is not None

        def tab(subject_id: str = rosa.id, value: Any = made.value) -> devices.Found | None:
            with writing() as tx:
                subject = tx.get(Subject, subject_id)
                assert subject is not None
                return devices.recognise(
                    tx, subject=subject, sent=(value,), at_most=timedelta(days=30), now=now, origin=ORIGIN
                )

        found = race(app, tab, threads=8)
        assert None not in found, "each tab is spared the factor"
        assert sum(each is not None and each.cookie is not None for each in found) == 1, "one of them renews the cookie"
        assert len([row for row in make.rows(RememberedDevice) if row.subject_id == rosa.id]) == 1
    assert "device_copied" not in {row.type for row in make.rows(AuditEvent)}


def test_RA_13_a_session_ended_while_it_is_lifted_is_not_elevated(app: Flask, make: Make, now: datetime) -> None:
    for _ in range(ROUNDS):
        row, _cookie = make.session(make.subject())
        facts, acts = session_facts(row), iter(["lift", "end"] * 4)

        def act(facts: Any = facts, acts: Any = acts) -> Any:
            with writing() as tx:
                if next(acts) == "end":
                    return sessions.end_session(tx, session_id=facts.id, reason=Ended.BY_OWNER, now=now, origin=ORIGIN)
                return step_up.lift(tx, facts, acr=[Acr.AAL2], amr=[Amr.ONE_TIME_CODE], proven=["totp"], now=now)

        outcomes = race(app, act, threads=8)
        lifted = [each for each in outcomes if isinstance(each, NewSession)]
        assert [each for each in outcomes if isinstance(each, bool)].count(True) == 1
        assert len(lifted) <= 1
        assert make.row(BrowserSession, row.id).ended_at is not None
        with reading() as tx:
            assert [sessions.find_live(tx, cookie=each.cookie.reveal(), now=now) for each in lifted] in ([], [None])
        if not lifted:
            assert make.row(BrowserSession, row.id).acr == ["aal1"]
