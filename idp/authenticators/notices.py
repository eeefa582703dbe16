"""Whom the authenticators write to, and as whom: always the stored address, in the portal's name (RC-07)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from idp.foundation import house
from idp.messaging import service as messaging
from idp.messaging.rules import Brand, Link, Recipient
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.subjects.rules import SubjectFacts

NEUTRAL_ACCENT: Final = "#0B6468"
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
    if subject.email is None:
        return
    messaging.enqueue(
        tx,
        notice=notice,
        recipient=_recipient(subject),
        brand=_brand(party, locale=subject.locale or "en"),
        context=context,
        now=now,
        link=link,
    )


def _recipient(subject: SubjectFacts) -> Recipient:
    return Recipient(
        subject_id=subject.id,
        email=subject.email,
        phone=None,
        locale=subject.locale or "en",
        zoneinfo=subject.zoneinfo or house.get(Settings).default_zone,
        name=subject.name,
    )


def _brand(party: RelyingParty | None, *, locale: str) -> Brand:
    """The portal whose page the person came from, or the provider itself."""
    if party is None:
        return Brand(None, house.get(Settings).support_name, NEUTRAL_INITIALS, NEUTRAL_ACCENT)
    manifest = party.manifest
    hours = manifest.help.hours
    return Brand(
        client_id=party.client_id,
        name=manifest.name,
        initials=manifest.brand.initials,
        accent=manifest.brand.accent_light,
        help_phone=manifest.help.phone,
        help_hours=(hours.es if locale.startswith("es") else hours.en) if hours else None,
    )
