"""Find a relying party; give it secrets; switch it off and on.

Changes raise `client.version` and the one row of `clients_version` in their transaction; when it commits, this
process looks again at once and others are told through the store, or notice within a second.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import bindparam, event, insert, or_, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import clock, house
from idp.foundation.artefacts import digest_of
from idp.foundation.database import Rows, new_id
from idp.foundation.origin import Origin
from idp.foundation.prepared import prepared
from idp.foundation.store import Store
from idp.keyring import resealing
from idp.messaging.rules import Brand
from idp.relying_parties import cache, stored
from idp.relying_parties.models import Client, ClientSecret, ClientsVersion
from idp.relying_parties.registration.rules import keeps_secret
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

SECRET_OVERLAP: Final = timedelta(hours=24)
"""How long the former secret still works after a rotation (MODEL §9)."""
SECRET_BYTES: Final = 32


class Reason(StrEnum):
    """Why a client was not changed."""

    UNKNOWN = "unknown_client"
    KEEPS_NO_SECRET = "keeps_no_secret"
    ALREADY_SO = "already_so"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes a client, and from where; for the audit."""

    name: str
    origin: Origin


def find(client_id: str, *, now: datetime | None = None) -> RelyingParty | None:
    """The client, disabled ones too (`enabled` says so); at most a second old.

    Without `now` it reads the clock itself: only to know how old its copy is, never to decide anything.
    """
    return cache.current().at(now or clock.now()).parties.get(client_id)


def every(*, now: datetime | None = None) -> Mapping[str, RelyingParty]:
    """All clients by client ID, disabled ones too; at most a second old."""
    return cache.current().at(now or clock.now()).parties


def find_fresh(tx: Rows, client_id: str, *, now: datetime | None = None) -> RelyingParty | None:
    """The client as the database has it now: for its epoch, which is never cached (DESIGN §8)."""
    row = tx.execute(_FRESH, {"client_id": client_id}).one_or_none()
    if row is None:
        return None
    moment = now or clock.now()
    held = cache.current().at(moment).parties.get(client_id)
    if held is not None and (held.version, held.epoch) == (row.version, row.epoch):
        return held
    return cache.read_parties(tx, now=moment, only=(client_id,))[0].get(client_id)


def origins_of_public_clients(*, now: datetime | None = None) -> frozenset[str]:
    """Origins that CORS answers: those of enabled public clients' redirect URIs, and no others."""
    return cache.current().at(now or clock.now()).origins


def brand_of(party: RelyingParty, *, locale: str = "en") -> Brand:
    """In whose name a message about this client is sent."""
    manifest = party.manifest
    hours = manifest.help.hours
    return Brand(
        client_id=party.client_id,
        name=manifest.name,
        initials=manifest.brand.initials,
        accent=manifest.brand.accent_light,
        help_phone=manifest.help.phone,
        help_hours=None if hours is None else hours.es if locale.startswith("es") else hours.en,
    )


def invalidate() -> None:
    """Look at the database again at the next `find`: another node said that clients changed."""
    cache.current().invalidate()


def forget() -> None:
    """Drop what this process holds, as a new one would have nothing; for tests."""
    cache.current().forget()


def new_secret() -> Secret:
    """256 random bits, as clients get them."""
    return Secret(secrets.token_urlsafe(SECRET_BYTES))


def add_secret(
    tx: Session, *, client_id: str, now: datetime, actor: str, origin: Origin, secret: Secret | None = None
) -> Secret | Refused:
    """Give a client a new secret (256 random bits) and return it, this once; former ones end in 24 h (TK-16).

    Of several former secrets only the newest lives on that long. With `secret` the caller made it; one that the
    client holds already changes nothing.
    """
    party = cache.read_parties(tx, now=now, only=(client_id,))[0].get(client_id)
    if party is None:
        return Refused(Reason.UNKNOWN)
    if not keeps_secret(party.registration):
        return Refused(Reason.KEEPS_NO_SECRET)
    made = secret if secret is not None else new_secret()
    digest = digest_of(made.reveal())
    if digest in party.secret_digests:
        return made
    _retire_secrets(tx, client_id, now)
    tx.execute(
        insert(ClientSecret).values(id=new_id(), client_id=client_id, digest=digest, created_at=now, expires_at=None)
    )
    _raise(tx, client_id)
    audit.append(
        tx,
        Event.CLIENT_SECRET_CREATED,
        now=now,
        actor=actor,
        origin=origin,
        client_id=client_id,
        details={"former_end_at": (now + SECRET_OVERLAP).isoformat()} if party.secret_digests else {},
    )
    return made


def disable(tx: Session, *, client_id: str, now: datetime, actor: str, origin: Origin) -> Refused | None:
    """Switch a client off: it cannot start anything, and everything issued to it is dead (epoch)."""
    return _switch(tx, client_id, on=False, now=now, actor=Actor(actor, origin))


def enable(tx: Session, *, client_id: str, now: datetime, actor: str, origin: Origin) -> Refused | None:
    """Switch it on again; what was issued before stays dead."""
    return _switch(tx, client_id, on=True, now=now, actor=Actor(actor, origin))


def changed(tx: Session) -> int:
    """Raise the number that tells every node to look again; tells them when `tx` commits."""
    version = tx.execute(
        update(ClientsVersion)
        .where(ClientsVersion.id == cache.THE_ROW)
        .values(version=ClientsVersion.version + 1)
        .returning(ClientsVersion.version)
    ).scalar_one()
    if _TOLD not in tx.info:
        event.listen(tx, "after_commit", _tell)
    tx.info[_TOLD] = version
    return version


def reseal(tx: Session) -> int:
    """Bring sealed TINs of registrations under the active vault key; says how many clients were rewritten."""
    count = 0
    for row in tx.execute(select(Client.client_id, Client.manifest)).all():
        kept = stored.resealed(row.manifest, client_id=row.client_id)
        if kept is not None:
            tx.execute(update(Client).where(Client.client_id == row.client_id).values(manifest=kept))
            count += 1
    return count


_clients = Client.__table__
_FRESH: Final = prepared(
    select(_clients.c.version, _clients.c.epoch).where(_clients.c.client_id == bindparam("client_id"))
)
_TOLD: Final = "credence_clients_changed"


def _tell(tx: Session) -> None:
    invalidate()
    house.get(Store).publish(cache.TOPIC, tx.info[_TOLD])


def _switch(tx: Session, client_id: str, *, on: bool, now: datetime, actor: Actor) -> Refused | None:
    found = tx.execute(select(Client.enabled).where(Client.client_id == client_id).with_for_update()).one_or_none()
    if found is None:
        return Refused(Reason.UNKNOWN)
    if found.enabled is on:
        return Refused(Reason.ALREADY_SO)
    values = {"enabled": on} if on else {"enabled": on, "epoch": Client.epoch + 1}
    tx.execute(update(Client).where(Client.client_id == client_id).values(**values))
    _raise(tx, client_id)
    what = Event.CLIENT_ENABLED if on else Event.CLIENT_DISABLED
    audit.append(tx, what, now=now, actor=actor.name, origin=actor.origin, client_id=client_id)
    return None


def _retire_secrets(tx: Session, client_id: str, now: datetime) -> None:
    """The newest lives 24 h more, or shorter if it was to end before; older ones end now."""
    live = tx.execute(
        select(ClientSecret.id, ClientSecret.expires_at)
        .where(
            ClientSecret.client_id == client_id, or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > now)
        )
        .order_by(ClientSecret.created_at.desc(), ClientSecret.id.desc())
    ).all()
    for position, row in enumerate(live):
        end = now + SECRET_OVERLAP if position == 0 else now
        if row.expires_at is None or row.expires_at > end:
            tx.execute(update(ClientSecret).where(ClientSecret.id == row.id).values(expires_at=end))


def _raise(tx: Session, client_id: str) -> None:
    tx.execute(update(Client).where(Client.client_id == client_id).values(version=Client.version + 1))
    changed(tx)


resealing.register("client.manifest", reseal)
