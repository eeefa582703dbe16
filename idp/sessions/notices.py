"""Whom we write to, and as whom: always the stored address, in a portal's name or our own (RC-07)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from idp.foundation import house
from idp.messaging import service as messaging
from idp.messaging.rules import Brand, Link, Recipient
from idp.messaging.service import Letter
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.subjects.rules import SubjectFacts

NEUTRAL_ACCENT: Final = "#1F4F7A"
"""The house's own: the pages without a portal wear it too."""
NEUTRAL_INITIALS: Final = "Cr"


def notify(
    tx: Session,
    *,
    notice: str,
    subject: SubjectFacts,
    party: RelyingParty | None,
    context: Mapping[str, Any],
    now: datetime,
    link: Link | None = None,
) -> None:
    """Owe a person a message in their language; someone without an address is owed none."""
    recipient = _recipient(subject)
    if recipient is not None:
        _owe(tx, notice=notice, recipient=recipient, party=party, context=context, now=now, link=link)


@dataclass(frozen=True, slots=True)
class Told:
    """One person's message among many."""

    notice: str
    subject: SubjectFacts
    party: RelyingParty | None
    context: Mapping[str, Any]


def notify_all(tx: Session, every: Iterable[Told], *, now: datetime) -> None:
    """`notify` for many, in one statement."""
    letters = [
        Letter(told.notice, recipient, _brand(told.party, recipient), told.context)
        for told in every
        if (recipient := _recipient(told.subject)) is not None
    ]
    messaging.enqueue_all(tx, letters, now=now)


def _recipient(subject: SubjectFacts) -> Recipient | None:
    if subject.email is None:
        return None
    return Recipient(
        subject_id=subject.id,
        email=subject.email,
        phone=None,
        locale=subject.locale or "en",
        zoneinfo=subject.zoneinfo or house.get(Settings).default_zone,
        name=subject.name,
    )


def text_person(
    tx: Session,
    *,
    notice: str,
    subject: SubjectFacts,
    phone: str,
    party: RelyingParty | None,
    context: Mapping[str, Any],
    now: datetime,
) -> None:
    """Owe a person a short message to a telephone of theirs, kept by us (RC-06)."""
    recipient = Recipient(
        subject_id=subject.id,
        email=None,
        phone=phone,
        locale=subject.locale or "en",
        zoneinfo=subject.zoneinfo or house.get(Settings).default_zone,
        name=subject.name,
    )
    _owe(tx, notice=notice, recipient=recipient, party=party, context=context, now=now, link=None)


def notify_address(
    tx: Session,
    *,
    notice: str,
    email: str,
    name: str,
    locale: str | None,
    zoneinfo: str | None,
    party: RelyingParty | None,
    context: Mapping[str, Any],
    now: datetime,
    link: Link | None = None,
) -> None:
    """Owe a message to somebody who has no account yet: a registrant, an invited person.

    `email` is the address kept with what they began, never one of this request (RC-07).
    """
    recipient = Recipient(
        subject_id=None,
        email=email,
        phone=None,
        locale=locale or "en",
        zoneinfo=zoneinfo or house.get(Settings).default_zone,
        name=name,
    )
    _owe(tx, notice=notice, recipient=recipient, party=party, context=context, now=now, link=link)


def _owe(
    tx: Session,
    *,
    notice: str,
    recipient: Recipient,
    party: RelyingParty | None,
    context: Mapping[str, Any],
    now: datetime,
    link: Link | None,
) -> None:
    brand = _brand(party, recipient)
    messaging.enqueue(tx, notice=notice, recipient=recipient, brand=brand, context=context, now=now, link=link)


def _brand(party: RelyingParty | None, recipient: Recipient) -> Brand:
    return _own_brand() if party is None else relying_parties.brand_of(party, locale=recipient.locale)


def _own_brand() -> Brand:
    return Brand(None, house.get(Settings).support_name, NEUTRAL_INITIALS, NEUTRAL_ACCENT)
