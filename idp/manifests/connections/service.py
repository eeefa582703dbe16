"""Plan and apply: every connection of a folder, or none of them; secrets beside them; off and on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.federation import asserting
from idp.federation.connections import facts, stored
from idp.federation.connections.facts import secret_context
from idp.federation.connections.manifest import Connection
from idp.federation.connections.models import AppliedConnection
from idp.federation.rules import Reason as Federation
from idp.foundation import house, vault
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.manifests.connections import rules
from idp.manifests.connections.rules import Checked, Standing
from idp.manifests.folder import read_folder
from idp.manifests.rules import Change, Kind
from idp.manifests.service import Reason, Unfit
from idp.relying_parties import service as relying_parties
from idp.relying_parties.faults import Ground
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_AUDITED: Final = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """What applying did."""

    changes: tuple[Change, ...]
    kept: tuple[str, ...] = ()
    """Connections without a file that were left as they are."""


@dataclass(frozen=True, slots=True)
class _Work:
    tx: Session
    now: datetime
    actor: str
    origin: Origin


def plan(
    directory: Path | str, *, now: datetime, issuers: Mapping[str, str] | None = None
) -> tuple[Change, ...] | Unfit:
    """What `apply` would do now; writes nothing."""
    wanted = _wanted(directory, now=now, issuers=issuers)
    if isinstance(wanted, Unfit):
        return wanted
    by_name = {each.name: each.connection for each in wanted}
    with reading() as tx:
        planned = rules.plan(wanted, standing=_standing(tx), now=now)
        return tuple(_foreseen(tx, change, by_name.get(change.client_id), now=now) for change in planned)


def apply(
    directory: Path | str,
    *,
    now: datetime,
    origin: Origin,
    actor: str = "system",
    issuers: Mapping[str, str] | None = None,
    disable_missing: bool = False,
) -> Outcome | Unfit:
    """Make the database say what the folder says, in one transaction; doing it twice changes nothing.

    `issuers` (by name) is what the demo decides for itself. What has no file any more is switched off only with
    `disable_missing`; nobody's links are lost by that.
    """
    wanted = _wanted(directory, now=now, issuers=issuers)
    if isinstance(wanted, Unfit):
        return wanted
    by_name = {each.name: each for each in wanted}
    connections = {each.name: each.connection for each in wanted}
    with writing() as tx:
        work = _Work(tx, now, actor, origin)
        tx.execute(select(AppliedConnection.name).with_for_update()).all()
        done, kept = [], []
        for change in rules.plan(wanted, standing=_standing(tx), now=now):
            if change.kind is Kind.DISABLED and not disable_missing:
                kept.append(change.client_id)
                continue
            done.append(_foreseen(tx, change, connections.get(change.client_id), now=now))
            _carry_out(work, change, by_name.get(change.client_id))
    return Outcome(tuple(done), tuple(kept))


def set_secret(name: str, secret: Secret, *, now: datetime, origin: Origin, actor: str = "system") -> Refused | None:
    """Keep our client secret at a connection, sealed; the former one is gone."""
    sealed = vault.seal(secret.reveal().encode(), keys=house.get(Keyring).vault, context=secret_context(name))
    with writing() as tx:
        return _set(_Work(tx, now, actor, origin), name, "secret", secret_sealed=sealed)


def switch(name: str, *, on: bool, now: datetime, origin: Origin, actor: str = "system") -> Refused | None:
    """Switch a connection off or on (R-36); links stay, and who is signed in stays so. What it asserted ends."""
    with writing() as tx:
        done = _set(_Work(tx, now, actor, origin), name, "enabled" if on else "disabled", enabled=on)
        if done is None and not on:
            asserting.shrink(tx, name, None, now=now, origin=origin)
        return done


def _wanted(directory: Path | str, *, now: datetime, issuers: Mapping[str, str] | None) -> tuple[Checked, ...] | Unfit:
    settings = house.get(Settings)
    ground = Ground(loopback=settings.demo, outgoing_allow=settings.outgoing_allow)
    parties = relying_parties.every(now=now)
    portals = {client_id: party.manifest for client_id, party in parties.items() if party.portal is not None}
    sources, unread = read_folder(Path(directory), base_urls=issuers)
    wanted, violations = rules.read(sources, portals=portals, ground=ground, now=now)
    wrong = (*unread, *violations)
    return Unfit(Reason.UNFIT, wrong) if wrong else wanted


def _foreseen(tx: Session, change: Change, after: Connection | None, *, now: datetime) -> Change:
    """With whose access ends by it."""
    if change.kind in (Kind.ADDED, Kind.UNCHANGED):
        return change
    found = asserting.foresee(tx, change.client_id, after, now=now)
    ended = len({each.subject_id for each in found if each.ends})
    return rules.with_ends(change, ended=ended, less=len({each.subject_id for each in found if not each.ends}))


def _standing(tx: Session) -> dict[str, Standing]:
    return {name: Standing(each.connection, each.texts, each.enabled) for name, each in facts.every(tx).items()}


def _carry_out(work: _Work, change: Change, wanted: Checked | None) -> None:
    name = change.client_id
    if change.kind is Kind.UNCHANGED:
        return
    if wanted is None:
        _set(work, name, "disabled", enabled=False)
        asserting.shrink(work.tx, name, None, now=work.now, origin=work.origin)
        return
    document = stored.to_row(wanted.connection, name=name)
    row: dict[str, Any] = {"document": document, "texts": dict(wanted.texts), "applied_at": work.now}
    if change.kind is Kind.ADDED:
        work.tx.execute(insert(AppliedConnection).values(name=name, enabled=True, version=1, **row))
    else:
        raised = update(AppliedConnection).where(AppliedConnection.name == name)
        work.tx.execute(raised.values(version=AppliedConnection.version + 1, **row))
    shown = {each.key: [_short(each.before), _short(each.after)] for each in change.differences[:_AUDITED]}
    _audit(work, name, {"kind": change.kind.value, "changes": shown})
    asserting.shrink(work.tx, name, wanted.connection, now=work.now, origin=work.origin)


def _set(work: _Work, name: str, kind: str, **values: Any) -> Refused | None:
    changed = update(AppliedConnection).where(AppliedConnection.name == name)
    found = work.tx.execute(
        changed.values(version=AppliedConnection.version + 1, **values).returning(AppliedConnection.name)
    ).one_or_none()
    if found is None:
        return Refused(Federation.UNKNOWN_CONNECTION)
    _audit(work, name, {"kind": kind})
    return None


def _audit(work: _Work, name: str, details: Mapping[str, Any]) -> None:
    audit.append(
        work.tx,
        Event.CONNECTION_APPLIED,
        now=work.now,
        actor=work.actor,
        origin=work.origin,
        details={"connection": name, **details},
    )


def _short(value: str | None) -> str | None:
    return value if value is None or len(value) <= 120 else value[:119] + "…"
