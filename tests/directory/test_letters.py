"""Letters of one provider: digests only, the newest alone is good, and for so many days (D2, EN-02)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.directory.imports.pin_letters import pin_digest
from idp.directory.letters import facts, service
from idp.directory.letters.rules import PIN_ALPHABET, PIN_BITS, PIN_LENGTH, NewLetter, Unsendable, sendable, span_of
from idp.directory.models import PinLetter, Provider
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, Reason, Redeemed
from idp.foundation.database import new_id, reading, writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused
from tests.conftest import Hands
from tests.directory.files import taken, written
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both
Send = Callable[..., NewLetter]


@pytest.fixture
def send(make: Make, hands: Hands) -> Send:
    """Issue a letter to a provider as of now."""

    def issue(provider: Provider, *, days: int = 21) -> NewLetter:
        with reading() as tx:
            found = facts.addressees(tx, registry=provider.registry_name, numbers=[provider.provider_id])
        letter = service.written(found[provider.provider_id])
        with writing() as tx:
            service.issue(
                tx, [letter], batch=new_id(), portal="cascade-mmis", span=span_of(hands.now, days=days),
                now=hands.now, actor="system", origin=Origin.local("cli"),
            )  # fmt: skip
        return letter

    return issue


def redeem(provider: UUID, pin: str, *, now: datetime) -> Redeemed | Refused:
    with writing() as tx:
        digest = pin_digest(pin, provider=provider, key=house.get(Keyring).index)
        return artefacts.redeem(tx, kind=Kind.PIN_LETTER, digest=digest, now=now)


def test_D2_an_issued_pin_is_taken_once(make: Make, send: Send, now: datetime):
    provider = make.provider()
    letter = send(provider)
    first = redeem(provider.id, letter.pin.reveal(), now=now)
    assert isinstance(first, Redeemed)
    assert first.family == letter.id
    assert redeem(provider.id, letter.pin.reveal(), now=now) == Refused(Reason.REPLAYED)


def test_EN_01_a_pin_of_another_provider_or_in_other_case_is_nothing(make: Make, send: Send, now: datetime):
    provider, other = make.provider(), make.provider()
    pin = send(provider).pin.reveal()
    assert redeem(other.id, pin, now=now) == Refused(Reason.UNKNOWN)
    assert redeem(provider.id, pin.swapcase(), now=now) == Refused(Reason.UNKNOWN)


def test_EN_02_a_newer_letter_ends_the_older_ones(make: Make, send: Send, hands: Hands):
    provider, neighbour = make.provider(), make.provider()
    older, others = send(provider), send(neighbour)
    hands.forward(hours=1)
    newer = send(provider)
    assert redeem(provider.id, older.pin.reveal(), now=hands.now) == Refused(Reason.EXPIRED)
    assert isinstance(redeem(provider.id, newer.pin.reveal(), now=hands.now), Redeemed)
    assert isinstance(redeem(neighbour.id, others.pin.reveal(), now=hands.now), Redeemed)
    assert make.row(PinLetter, older.id).voided_at == hands.now
    assert make.row(PinLetter, newer.id).voided_at is None


def test_EN_02_day_21_is_good_and_day_22_is_not(make: Make, send: Send, hands: Hands):
    provider = make.provider()
    good, late = send(provider), make.provider()
    too_late = send(late)
    hands.forward(days=21)
    assert isinstance(redeem(provider.id, good.pin.reveal(), now=hands.now), Redeemed)
    hands.forward(days=1)
    assert redeem(late.id, too_late.pin.reveal(), now=hands.now) == Refused(Reason.EXPIRED)


def test_EN_02_the_older_letter_of_two_issued_at_once_does_not_live(app: Flask, make: Make, send: Send, now: datetime):
    provider = make.provider()
    letters = race(app, lambda: send(provider), threads=4)
    taken_ones = [redeem(provider.id, letter.pin.reveal(), now=now) for letter in letters]
    assert sum(isinstance(each, Redeemed) for each in taken_ones) == 1


def test_a_provider_that_left_the_roster_meanwhile_stops_the_whole_batch(make: Make, now: datetime):
    stays, leaves = make.provider(), make.provider()
    with reading() as tx:
        found = facts.addressees(tx, registry="heartland", numbers=[stays.provider_id, leaves.provider_id])
    letters = [service.written(each) for each in found.values()]
    with writing() as tx:
        row = tx.get(Provider, leaves.id)
        assert row is not None
        row.status, row.end_date = "terminated", now.date()
    with pytest.raises(service.Changed), writing() as tx:
        service.issue(
            tx, letters, batch=new_id(), portal="cascade-mmis", span=span_of(now, days=21), now=now,
            actor="system", origin=Origin.local("cli"),
        )  # fmt: skip
    assert make.rows(PinLetter) == []


def test_each_letter_is_audited_without_its_pin(make: Make, send: Send, tx):
    provider = make.provider()
    pins = [send(provider).pin.reveal() for _ in range(2)]
    events = list(
        tx.execute(
            select(AuditEvent).where(AuditEvent.type == "pin_letter_issued").order_by(AuditEvent.sequence)
        ).scalars()
    )
    assert [event.details["replaced"] for event in events] == [0, 1]
    assert {event.target_id for event in events} == {str(provider.id)}
    assert {event.client_id for event in events} == {"cascade-mmis"}
    assert not any(pin in str(event.details) for event in events for pin in pins)


def test_EN_02_an_imported_letter_ends_the_older_ones_too_in_any_order(make: Make, now: datetime):
    providers = [make.provider("048215"), make.provider("053918418")]
    days = {"issued_on": "2026-01-02", "expires_on": "2035-12-31", "used_on": ""}
    old = [{"provider_id": each.provider_id, "pin": "oLdLetter", **days} for each in providers]
    new = [{**row, "pin": "newLetter", "issued_on": "2026-02-02"} for row in old]
    report = taken(
        written("pin-letters", [old[0], new[0], new[1], old[1]]), "pin-letters", now=now, registry="heartland"
    )
    assert report.notes["letters_replaced"] == 2
    for provider in providers:
        assert redeem(provider.id, "oLdLetter", now=now) == Refused(Reason.EXPIRED)
        assert isinstance(redeem(provider.id, "newLetter", now=now), Redeemed)


def test_EN_02_the_file_of_a_replaced_letter_does_not_bring_it_back(make: Make, send: Send, hands: Hands):
    provider = make.provider("048215")
    row = {"provider_id": "048215", "pin": "oLdLetter", "issued_on": "2026-01-02", "expires_on": "2035-12-31"}
    file = written("pin-letters", [{**row, "used_on": ""}])
    taken(file, "pin-letters", now=hands.now, registry="heartland")
    send(provider)
    hands.forward(days=400)
    with writing() as tx:
        assert artefacts.purge(tx, before=hands.now) == 2
    report = taken(file, "pin-letters", now=hands.now, registry="heartland")
    assert (report.added, report.unchanged) == (0, 1)
    assert redeem(provider.id, "oLdLetter", now=hands.now) == Refused(Reason.UNKNOWN)


def test_a_pin_has_no_look_alikes_and_at_least_45_bits(make: Make):
    assert PIN_BITS >= 45
    assert len(set(PIN_ALPHABET)) == len(PIN_ALPHABET) == 32
    assert not set(PIN_ALPHABET) & set("0OoQ1lIiSsZzBbgqUuVv")
    provider = make.provider()
    with reading() as tx:
        found = facts.addressees(tx, registry="heartland", numbers=[provider.provider_id])[provider.provider_id]
    made = {service.written(found).pin.reveal() for _ in range(500)}
    assert len(made) == 500
    assert all(len(pin) == PIN_LENGTH and set(pin) <= set(PIN_ALPHABET) for pin in made)
    assert len(set("".join(made))) == 32
    assert "pin" not in repr(service.written(found))


def test_only_a_provider_in_force_is_sent_a_letter(make: Make, now: datetime):
    make.provider("111111", status="terminated", end_date=now.date())
    make.provider("222222", effective_date=now.date() + timedelta(days=1))
    make.provider("333333")
    with reading() as tx:
        found = facts.addressees(tx, registry="heartland", numbers=["111111", "222222", "333333", "444444"])
    assert sendable(found["111111"], on=now.date()) == Refused(Unsendable.NOT_IN_FORCE)
    assert sendable(found["222222"], on=now.date()) == Refused(Unsendable.NOT_IN_FORCE)
    assert sendable(found["333333"], on=now.date()) == found["333333"]
    assert sendable(found.get("444444"), on=now.date()) == Refused(Unsendable.UNKNOWN)
    assert found["333333"].zip_codes == ("65801",)
    assert date(2026, 3, 23) == span_of(now, days=21).expires_on
