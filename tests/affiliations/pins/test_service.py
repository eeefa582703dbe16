"""PINs tried and used up (EN-01, EN-02, D2, ruling 11)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from idp.affiliations.pins import budgets, service
from idp.affiliations.pins.rules import Reason
from idp.affiliations.pins.service import PinProof
from idp.audit.models import AuditEvent
from idp.directory.models import PinLetter
from idp.foundation.database import db, writing
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.vocabulary.refused import Refused
from tests.affiliations.pins.posted import HOME, PIN, attempt, portal, post

pytestmark = pytest.mark.both
NO_MATCH, TOO_MANY = Refused(Reason.NO_MATCH), Refused(Reason.TOO_MANY)


def outcomes(make: Any, kind: str = "letter_checked") -> list[str]:
    return [row.outcome for row in make.rows(AuditEvent) if row.type == kind]


def elsewhere(number: int) -> Origin:
    return Origin(f"198.51.100.{number}", "r")


def test_D2_the_right_pair_matches_as_often_as_it_is_asked_and_case_counts(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    post(provider, now=now)
    for _ in range(7):
        found = attempt(party, "100200300", now=now)
        assert isinstance(found, PinProof)
        assert found.provider.id == provider.id
    assert attempt(party, "100200300", PIN.swapcase(), now=now) == NO_MATCH
    assert PIN not in repr(found)
    assert outcomes(make) == ["ok"] * 7 + ["wrong_pin"]


def test_EN_02_a_pin_is_used_up_once_and_an_older_letter_is_worthless(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    older = post(provider, "OLDERpin1", now=now, sent=now.date() - timedelta(days=5))
    letter = post(provider, now=now)
    assert attempt(party, "100200300", "OLDERpin1", now=now) == NO_MATCH
    found = attempt(party, "100200300", now=now)
    assert isinstance(found, PinProof)

    def redeem() -> object:
        with writing() as tx:
            return service.redeem_pin(
                tx, provider_id=provider.id, pin_digest=found.pin_digest, actor="somebody", now=now, origin=HOME
            )

    assert [redeem(), redeem()] == [letter.id, NO_MATCH]
    assert attempt(party, "100200300", now=now) == NO_MATCH
    assert {row.id: row.used_on for row in make.rows(PinLetter)} == {older.id: None, letter.id: now.date()}
    assert outcomes(make, "letter_redeemed") == ["ok", "replayed"]
    assert outcomes(make)[-1] == "pin_replayed"


def test_EN_02_on_day_22_a_letter_is_over(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    post(provider, now=now)
    assert isinstance(attempt(party, "100200300", now=now + timedelta(days=20, hours=23)), PinProof)
    assert attempt(party, "100200300", now=now + timedelta(days=21)) == NO_MATCH


@pytest.mark.parametrize(
    "changed", [{"effective_date": date(2030, 1, 1)}, {"status": "terminated", "end_date": date(2025, 1, 1)}]
)
def test_D2_a_provider_that_is_not_in_force_has_no_use_for_its_letter(make: Any, now: Any, changed: Any) -> None:
    party, provider = portal(make), make.provider("100200300", **changed)
    post(provider, now=now)
    assert attempt(party, "100200300", now=now) == NO_MATCH
    assert outcomes(make) == ["not_in_force"]


def test_a_pin_of_another_provider_or_registry_is_a_wrong_one(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    make.provider("100200301")
    make.provider("100200302", registry_name="ozark")
    post(provider, now=now)
    assert attempt(party, "100200301", now=now) == NO_MATCH
    assert attempt(party, "100200302", now=now) == NO_MATCH


def test_EN_01_five_wrong_pins_pause_the_provider_id_for_an_hour_and_kill_no_letter(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    make.provider("100200301")
    post(provider, now=now)
    assert [attempt(party, "100200300", f"wrong{n}PIN", now=now) for n in range(6)] == [NO_MATCH] * 5 + [TOO_MANY]
    assert attempt(party, "100200300", now=now, origin=elsewhere(1)) == TOO_MANY, "from anywhere"
    assert attempt(party, "100200301", "wrongPIN1", now=now) == NO_MATCH, "and nobody else is paused"
    assert isinstance(attempt(party, "100200300", now=now + timedelta(hours=1)), PinProof)


def test_EN_01_twenty_wrong_pins_void_the_letters_and_the_payer_is_told_once(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    post(provider, now=now)
    for hour in range(4):
        for guess in range(5):
            later = now + timedelta(hours=hour, seconds=hour)
            assert attempt(party, "100200300", f"wrong{guess}PIN", now=later, origin=elsewhere(hour)) == NO_MATCH
    after = now + timedelta(hours=6)
    assert attempt(party, "100200300", now=after) == NO_MATCH, "the right PIN opens nothing any more"
    assert outcomes(make, "letters_voided") == ["ok"]
    assert [row.notice for row in make.rows(OutboxMessage)] == ["pin_letters_void"]
    post(provider, "freshPIN2", now=after, sent=after.date() + timedelta(days=1))
    assert isinstance(attempt(party, "100200300", "freshPIN2", now=after), PinProof), "a new letter works"


def test_EN_01_twenty_wrong_pins_count_however_slowly_and_a_right_one_forgives(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    post(provider, now=now, days=400)
    for day in range(19):
        assert attempt(party, "100200300", "wrongPIN1", now=now + timedelta(days=day)) == NO_MATCH
    assert isinstance(attempt(party, "100200300", now=now + timedelta(days=19)), PinProof)
    assert attempt(party, "100200300", "wrongPIN1", now=now + timedelta(days=20)) == NO_MATCH
    assert isinstance(attempt(party, "100200300", now=now + timedelta(days=21)), PinProof)
    assert outcomes(make, "letters_voided") == []


def test_EN_01_one_address_walks_over_few_provider_ids(make: Any, now: Any) -> None:
    party = portal(make)
    found = [attempt(party, f"{200000000 + n}", now=now) for n in range(22)]
    assert found == [NO_MATCH] * 20 + [TOO_MANY] * 2
    assert attempt(party, "200000099", now=now, origin=elsewhere(1)) == NO_MATCH


def test_EN_01_all_addresses_together_are_braked(make: Any, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "EVERYBODY", replace(budgets.EVERYBODY, limit=3))
    party = portal(make)
    found = [attempt(party, f"{200000000 + n}", now=now, origin=elsewhere(n)) for n in range(4)]
    assert found == [NO_MATCH] * 3 + [Refused(Reason.BUSY)]
    assert attempt(party, "200000009", now=now + timedelta(minutes=1), origin=elsewhere(9)) == NO_MATCH


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement.split("VALUES")[0])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_EN_01_a_provider_id_that_nobody_has_costs_and_counts_the_same(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    post(provider, now=now)
    with statements() as known:
        first = [attempt(party, "100200300", "wrongPIN1", now=now) for _ in range(6)]
    with statements() as unknown:
        second = [attempt(party, "300300300", "wrongPIN1", now=now, origin=elsewhere(1)) for _ in range(6)]
    assert first == second == [NO_MATCH] * 5 + [TOO_MANY]
    assert known == unknown
