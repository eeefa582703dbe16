"""Clients and the dates of their secrets; of a secret itself there is only a digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from idp.relying_parties import service
from idp.relying_parties.models import Client, ClientSecret
from idp.relying_parties.rules import RelyingParty


@dataclass(frozen=True, slots=True)
class SecretDates:
    """When a secret that still works was made, and until when."""

    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PartyPage:
    """One client."""

    party: RelyingParty
    applied_at: datetime
    secrets: tuple[SecretDates, ...]


def every(*, now: datetime) -> Sequence[RelyingParty]:
    """All clients, portals first, by name."""
    found = service.every(now=now).values()
    return sorted(found, key=lambda party: (party.portal is None, party.manifest.name.casefold()))


def one(tx: Session, client_id: str, *, now: datetime) -> PartyPage | None:
    """One client as the database has it now."""
    party = service.find_fresh(tx, client_id, now=now)
    row = tx.get(Client, client_id)
    if party is None or row is None:
        return None
    secrets = tx.scalars(
        select(ClientSecret)
        .where(
            ClientSecret.client_id == client_id,
            or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > now),
        )
        .order_by(ClientSecret.created_at.desc())
    )
    return PartyPage(party, row.applied_at, tuple(SecretDates(each.created_at, each.expires_at) for each in secrets))
