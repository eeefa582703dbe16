"""A factor added or removed is told to the channels of before and after, with a way out where it is safe (AU-10)."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.authenticators.factors import removing, telling
from idp.authenticators.factors.rules import Held
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.subjects import contact
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.vocabulary.assurance import Factor
from tests.authenticators.test_sent_codes import PHONE, phone
from tests.factories import Make

pytestmark = pytest.mark.both
OWN = "+14175550177"
MAIL = "rosa.delgado@mail.test"
HERE = Origin.local("test")


@pytest.fixture
def rosa(make: Make) -> Subject:
    return make.subject("rosa.delgado")


def has_phone(make: Make, subject: Subject, number: str) -> None:
    with writing() as tx:
        row = tx.get(Subject, subject.id)
        assert row is not None
        contact.set_phone(tx, row=row, phone=number, now=make.now, origin=HERE)


def told(make: Make, notice: str) -> dict[str, bool]:
    """Who was told, and whether with a link."""
    found = [messaging.opened(row).payload for row in make.rows(OutboxMessage) if row.notice == notice]
    return {str(each.recipient.email or each.recipient.phone): bool(each.context["url"]) for each in found}


def remove(make: Make, subject: Subject, *, undo: bool = True) -> None:
    row = phone(make, subject)
    with writing() as tx:
        known = subjects.by_id(tx, subject_id=subject.id)
        assert known is not None
        factor = Held(row.id, Factor.SMS, row.name, frozenset(), (), make.now)
        removing.remove(tx, factor, subject=known, now=make.now, origin=HERE, undo=undo)


@pytest.mark.parametrize(("own", "expected"), [
    (None, {MAIL: True, PHONE: False}),
    (OWN, {MAIL: True, OWN: True, PHONE: False}),
    (PHONE, {MAIL: True, PHONE: True}),
])  # fmt: skip
def test_AU_10_a_removed_number_and_the_accounts_own_are_texted(
    make: Make, rosa: Subject, own: str | None, expected: dict[str, bool]
) -> None:
    if own is not None:
        has_phone(make, rosa, own)
    remove(make, rosa)
    assert told(make, "factor_removed") == expected


def test_an_unproven_telephone_is_told_nothing_and_a_used_link_is_not_sent_again(make: Make, rosa: Subject) -> None:
    has_phone(make, rosa, OWN)
    with writing() as tx:
        tx.execute(update(Subject).where(Subject.id == rosa.id).values(phone_verified_at=None))
    remove(make, rosa, undo=False)
    assert told(make, "factor_removed") == {MAIL: False, PHONE: False}


def test_RX_10_texts_about_factors_are_capped_and_mails_are_not(make: Make, rosa: Subject) -> None:
    has_phone(make, rosa, OWN)
    with writing() as tx:
        known = subjects.by_id(tx, subject_id=rosa.id)
        assert known is not None
        for minutes in range(8):
            at = make.now + timedelta(minutes=minutes)
            telling.tell(tx, "factor_added", subject=known, kind="totp", name="Work phone", now=at)
    channels = [row.channel for row in make.rows(OutboxMessage) if row.notice == "factor_added"]
    assert (channels.count("email"), channels.count("sms")) == (8, 6)
