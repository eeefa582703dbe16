"""Writing to those who decide: a target's managers, or the payer's registrars where there are none (B5, E2)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.affiliations.managers.facts import Manager
from idp.foundation import house
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects.rules import SubjectFacts


@dataclass(frozen=True, slots=True)
class Registrars:
    """Who of the payer decides where no manager can; the console keeps their roles (MODEL §7)."""

    find: Callable[[Session], tuple[SubjectFacts, ...]]


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
    """Owe the message to the portal's help address, or without one to every registrar: says whether anybody is told."""
    address = party.manifest.help.email
    if address is None:
        registrars = _registrars(tx)
        for subject in registrars:
            notices.notify(tx, notice=notice, subject=subject, party=party, context=context, now=now)
        return bool(registrars)
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


def payer_hears_of(tx: Session) -> frozenset[str]:
    """The portals of whose requests `tell_payer` would tell anybody now."""
    parties = relying_parties.every()
    if _registrars(tx):
        return frozenset(parties)
    return frozenset(client_id for client_id, party in parties.items() if party.manifest.help.email is not None)


def _registrars(tx: Session) -> tuple[SubjectFacts, ...]:
    return tuple(subject for subject in house.get(Registrars).find(tx) if subject.email is not None)


def tell_deciders(
    tx: Session,
    managers: Iterable[Manager],
    *,
    notice: str,
    party: RelyingParty,
    context: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Tell the managers, or where there are none the payer; says whether the payer was told."""
    found = tuple(managers)
    tell_managers(tx, found, notice=notice, party=party, context=context, now=now)
    return not found and tell_payer(tx, notice=notice, party=party, context=context, now=now)
