"""Writing to those who decide: a target's managers, or the payer's registrar where there are none (B5, E2)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.affiliations.managers.facts import Manager
from idp.foundation import house
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings


def tell_managers(
    tx: Session,
    managers: Iterable[Manager],
    *,
    notice: str,
    party: RelyingParty,
    context: Mapping[str, Any],
    now: datetime,
) -> None:
    """Owe each of them the message, in the portal's name, with the way to where they decide."""
    there = {**context, "url": f"{house.get(Settings).issuer}/manage/"}
    for manager in managers:
        notices.notify(tx, notice=notice, subject=manager.subject, party=party, context=there, now=now)


def tell_payer(tx: Session, *, notice: str, party: RelyingParty, context: Mapping[str, Any], now: datetime) -> bool:
    """Owe the portal's help address the message: payer staff read it. `False` where the portal has none."""
    address = party.manifest.help.email
    if address is None:
        return False
    notices.notify_address(
        tx,
        notice=notice,
        email=address,
        name="",
        locale=None,
        zoneinfo=None,
        party=party,
        context=context,
        now=now,
    )
    return True


def tell_deciders(
    tx: Session,
    managers: Iterable[Manager],
    *,
    notice: str,
    party: RelyingParty,
    context: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Tell the managers, or where there are none the payer; says whether it went to the payer."""
    found = tuple(managers)
    tell_managers(tx, found, notice=notice, party=party, context=context, now=now)
    if not found:
        tell_payer(tx, notice=notice, party=party, context=context, now=now)
    return not found
