"""Plan and apply: every manifest of a folder, or none of them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.foundation.outgoing import Outgoing, Purpose
from idp.keyring.service import Keyring
from idp.manifests import rules
from idp.manifests.folder import read_folder
from idp.manifests.rules import Applied, Change, Checked, Kind, Source, Violation
from idp.relying_parties import cache, stored
from idp.relying_parties import service as relying_parties
from idp.relying_parties.faults import Ground
from idp.relying_parties.manifest import Manifest
from idp.relying_parties.models import Client, ClientSecret, ClientsVersion
from idp.relying_parties.registration.rules import keeps_secret
from idp.relying_parties.registration.sector import wrong_sector
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

AUDITED_DIFFERENCES: Final = 50


class Reason(StrEnum):
    """Why nothing was applied."""

    UNFIT = "unfit_manifests"


@dataclass(frozen=True, slots=True)
class Unfit(Refused):
    """The folder cannot be applied; every reason at once, in order of file and line."""

    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying would do."""

    changes: tuple[Change, ...]
    needs_secret: tuple[str, ...]
    """Clients that will be given a first secret."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What applying did. Clients without a manifest appear as `DISABLED` only where that was asked for."""

    changes: tuple[Change, ...]
    kept: tuple[str, ...] = ()
    """Clients without a manifest that were left as they are."""
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    """Secrets made now; they are never shown again."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One apply under way."""

    tx: Session
    now: datetime
    actor: str
    origin: Origin


def plan(
    directory: Path | str,
    *,
    now: datetime,
    base_urls: Mapping[str, str] | None = None,
    jwks: Mapping[str, Mapping[str, Any]] | None = None,
) -> Plan | Unfit:
    """What `apply` would do now; writes nothing."""
    wanted = _wanted(directory, base_urls=base_urls, jwks=jwks)
    if isinstance(wanted, Unfit):
        return wanted
    with reading() as tx:
        parties, _ = cache.read_parties(tx, now=now)
    return Plan(rules.plan(wanted, applied=_applied(parties)), _without_secret(wanted, parties))


def apply(
    directory: Path | str,
    *,
    now: datetime,
    origin: Origin,
    actor: str = "system",
    base_urls: Mapping[str, str] | None = None,
    jwks: Mapping[str, Mapping[str, Any]] | None = None,
    secrets: Mapping[str, Secret] | None = None,
    disable_missing: bool = False,
) -> Outcome | Unfit:
    """Make the database say what the folder says, in one transaction; doing it twice changes nothing.

    `base_urls`, `jwks` and `secrets` (by client ID) are what the demo decides for itself. Clients that have no
    manifest any more are disabled only with `disable_missing`; disabled clients stay so.
    """
    wanted = _wanted(directory, base_urls=base_urls, jwks=jwks)
    if isinstance(wanted, Unfit):
        return wanted
    with writing() as tx:
        work = _Work(tx, now, actor, origin)
        tx.execute(select(ClientsVersion.version).with_for_update()).all()
        parties, _ = cache.read_parties(tx, now=now)
        changes = rules.plan(wanted, applied=_applied(parties))
        by_id = {each.client_id: each for each in wanted}
        done, kept = [], []
        for change in changes:
            if change.kind is Kind.DISABLED and not disable_missing:
                kept.append(change.client_id)
                continue
            _carry_out(work, change, by_id.get(change.client_id))
            done.append(change)
        made = _secrets(work, wanted, parties, secrets or {})
    return Outcome(tuple(done), tuple(kept), made)


def _wanted(
    directory: Path | str, *, base_urls: Mapping[str, str] | None, jwks: Mapping[str, Mapping[str, Any]] | None
) -> tuple[Checked, ...] | Unfit:
    settings = house.get(Settings)
    ground = Ground(
        loopback=settings.demo, outgoing_allow=settings.outgoing_allow, algs=frozenset(house.get(Keyring).algs)
    )
    sources, unread = read_folder(Path(directory), base_urls=base_urls, jwks=jwks)
    wanted, violations = rules.read(sources, ground=ground)
    wrong = (*unread, *violations)
    if not wrong:
        wrong = tuple(_sectors(sources, wanted))
    return Unfit(Reason.UNFIT, wrong) if wrong else wanted


def _sectors(sources: tuple[Source, ...], wanted: tuple[Checked, ...]) -> Iterator[Violation]:
    """Fetch every sector document and see that it lists the client's redirect URIs (OIDC Registration §5)."""
    by_id = {source.client_id: source for source in sources}
    for each in wanted:
        uri = each.manifest.registration.sector_identifier_uri
        if uri is None:
            continue
        reply = house.get(Outgoing).get(uri, purpose=Purpose.SECTOR_IDENTIFIER)
        if isinstance(reply, Refused) or reply.status != 200:
            reason: str | None = "cannot be fetched"
        else:
            party = RelyingParty(each.client_id, each.manifest, epoch=0, enabled=True)
            reason = wrong_sector(reply.body, redirect_uris=party.redirect_uris)
        if reason is not None:
            yield rules.at_sector(by_id[each.client_id], reason)


def _applied(parties: Mapping[str, RelyingParty]) -> dict[str, Applied]:
    return {client_id: Applied(party.manifest, party.texts, party.enabled) for client_id, party in parties.items()}


def _without_secret(wanted: tuple[Checked, ...], parties: Mapping[str, RelyingParty]) -> tuple[str, ...]:
    return tuple(
        each.client_id
        for each in wanted
        if keeps_secret(each.manifest.registration)
        and not ((party := parties.get(each.client_id)) and party.secret_digests)
    )


def _carry_out(work: _Work, change: Change, wanted: Checked | None) -> None:
    client_id = change.client_id
    if change.kind is Kind.UNCHANGED:
        return
    if wanted is None:
        relying_parties.disable(work.tx, client_id=client_id, now=work.now, actor=work.actor, origin=work.origin)
        return
    row = {
        "manifest": stored.to_row(wanted.manifest, client_id=client_id),
        "texts": dict(wanted.texts),
        "manifest_digest": _digest(wanted.manifest, wanted.texts),
        "applied_at": work.now,
    }
    if change.kind is Kind.ADDED:
        work.tx.execute(insert(Client).values(client_id=client_id, enabled=True, epoch=1, version=1, **row))
    else:
        raised: dict[str, Any] = {"version": Client.version + 1}
        if change.ends is not None:
            raised["epoch"] = Client.epoch + 1
        work.tx.execute(update(Client).where(Client.client_id == client_id).values(**row, **raised))
        if not keeps_secret(wanted.manifest.registration):
            work.tx.execute(delete(ClientSecret).where(ClientSecret.client_id == client_id))
    relying_parties.changed(work.tx)
    audit.append(
        work.tx,
        Event.CLIENT_APPLIED,
        now=work.now,
        actor=work.actor,
        origin=work.origin,
        client_id=client_id,
        details=_details(change),
    )


def _secrets(
    work: _Work, wanted: tuple[Checked, ...], parties: Mapping[str, RelyingParty], given: Mapping[str, Secret]
) -> dict[str, Secret]:
    """Give each client the secret that the caller made, or a first one of our own; those are returned."""
    made = {}
    missing = _without_secret(wanted, parties)
    for each in wanted:
        client_id = each.client_id
        if not keeps_secret(each.manifest.registration) or not (client_id in given or client_id in missing):
            continue
        secret = relying_parties.add_secret(
            work.tx,
            client_id=client_id,
            now=work.now,
            actor=work.actor,
            origin=work.origin,
            secret=given.get(client_id),
        )
        if client_id not in given and isinstance(secret, Secret):
            made[client_id] = secret
    return made


def _digest(manifest: Manifest, texts: Mapping[str, str]) -> str:
    """SHA-256 over everything applied but the TINs: their digits are few enough to be guessed from a digest."""
    plain = manifest.model_dump(mode="json", exclude={"registration": {"approved_for": {"tins"}}})
    return hashlib.sha256(orjson.dumps([plain, dict(texts)], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _details(change: Change) -> dict[str, Any]:
    shown = change.differences[:AUDITED_DIFFERENCES]
    details: dict[str, Any] = {"kind": change.kind.value}
    if shown:
        details["changes"] = {each.key: [_short(each.before), _short(each.after)] for each in shown}
        details["changed"] = len(change.differences)
    if change.ends is not None:
        details["ends"] = change.ends
    return details


def _short(value: str | None) -> str | None:
    return value if value is None or len(value) <= 120 else value[:119] + "…"
