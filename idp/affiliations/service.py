"""What sign-in and tokens ask of affiliations, and the few changes that need no manager."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from idp.affiliations import facts
from idp.affiliations.facts import held_by, target_of
from idp.affiliations.invitations import orphaned
from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.affiliations.rules import Choice, Held, PortalTerms, choices, manages_at, serves
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import new_id, see_as
from idp.foundation.origin import Origin
from idp.foundation.prepared import prepared
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import fan_out, notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import Acting, AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence


def terms_of(party: RelyingParty) -> PortalTerms | None:
    """What acting at this client asks: the portal's own terms, or for a partner app those of `roles_of`."""
    source = party if party.portal is not None else relying_parties.find(party.roles_of)
    if source is None or source.portal is None:
        return None
    return PortalTerms(
        client_id=source.client_id,
        registry=source.portal.registry,
        acting_for=frozenset(source.portal.acting_for),
        accepts=source.portal.accepts,
        default_levels=source.portal.default_levels,
        accepts_for_manager=source.portal.accepts_for_manager,
        accepts_evidence_from=frozenset(source.portal.accepts_evidence_from),
    )


def held(tx: Session, *, subject_id: str, now: datetime, search: str | None = None) -> tuple[Held, ...]:
    """The person's affiliations that have not ended, whatever their state."""
    see_as(tx, subject_id=subject_id)
    return held_by(tx, subject_id=subject_id, now=now, search=search)


def is_manager(tx: Session, *, subject_id: str, terms: PortalTerms, now: datetime) -> bool:
    """Whether the person is an account manager at this portal, which may then ask more of them (MODEL §1, §3).

    A mark that the portal does not accept manages nothing there. Whoever is marked nowhere, nearly everybody, costs one
    indexed look-up.
    """
    see_as(tx, subject_id=subject_id)
    if not facts.is_marked(tx, subject_id=subject_id, registry=terms.registry, now=now):
        return False
    dormancy = house.get(Settings).dormancy
    every = held(tx, subject_id=subject_id, now=now)
    return any(
        serves(each.target.kind, terms) and manages_at(each, terms=terms, now=now, dormancy=dormancy) for each in every
    )


def choices_at(
    tx: Session,
    *,
    subject_id: str,
    terms: PortalTerms,
    now: datetime,
    search: str | None = None,
) -> tuple[Choice, ...]:
    """Every way the person may act at a portal now; `search` reaches providers beyond a page of a practice.

    Where practices are acted for as a whole it is left to the page: their group record must not be searched away.
    """
    read = None if TargetKind.PRACTICE in terms.acting_for else search
    every = held(tx, subject_id=subject_id, now=now, search=read)
    return choices(every, terms=terms, now=now, dormancy=house.get(Settings).dormancy)


def choice_at(
    tx: Session, *, subject_id: str, terms: PortalTerms, affiliation_id: UUID, provider_id: UUID | None, now: datetime
) -> Choice | None:
    """One choice made before, if it is still a valid one; reads a single affiliation."""
    see_as(tx, subject_id=subject_id)
    every = held_by(tx, subject_id=subject_id, now=now, only=affiliation_id, provider=provider_id)
    found = choices(every, terms=terms, now=now, dormancy=house.get(Settings).dormancy)
    same = (each for each in found if each.same_target(affiliation_id=affiliation_id, provider_id=provider_id))
    return next(same, None)


def audit_choice(
    tx: Session, choice: Choice, *, subject_id: str, client_id: str | None, now: datetime, origin: Origin
) -> None:
    """Keep whom the person chose to act for."""
    audit.append(
        tx,
        Event.AFFILIATION_CHOSEN,
        now=now,
        actor=subject_id,
        origin=origin,
        subject_id=subject_id,
        client_id=client_id,
        target_kind=choice.kind.value,
        target_id=str(choice.target_id),
    )


_affiliation: Table = Affiliation.__table__  # type: ignore[assignment]
_level = HeldLevel.__table__
_USED: Final = prepared(
    update(_affiliation)
    .where(_affiliation.c.id == bindparam("affiliation_id"))
    .values(last_used_at=bindparam("now"), warned=0)
)
_LEVEL: Final = prepared(
    select(_level.c.id)
    .where(_level.c.affiliation_id == bindparam("affiliation_id"), _level.c.portal == bindparam("portal"))
    .limit(1)
)


def use(tx: Session, *, choice: Choice, subject_id: str, visited: str, terms: PortalTerms, now: datetime) -> None:
    """An interactive authorization under this affiliation: it counts against dormancy (MODEL §9).

    On the first visit to the portal itself, not to an app that speaks its roles, its `default_levels` are given (MODEL §1).
    """
    see_as(tx, subject_id=subject_id)
    tx.execute(_USED, {"affiliation_id": choice.affiliation_id, "now": now})
    if choice.has_levels:
        return
    has_levels = tx.execute(_LEVEL, {"affiliation_id": choice.affiliation_id, "portal": terms.client_id}).first()
    if has_levels is None and visited == terms.client_id:
        give_levels(tx, affiliation_id=choice.affiliation_id, levels={terms.client_id: choice.levels}, now=now, by=None)


def grant_affiliation(
    tx: Session,
    *,
    subject_id: str,
    registry: str,
    kind: TargetKind,
    target_id: UUID,
    evidence: Mapping[str, Evidence],
    levels: Mapping[str, Iterable[str]],
    now: datetime,
    actor: str,
    origin: Origin,
    status: AffiliationStatus = AffiliationStatus.ACTIVE,
    account_manager: bool = False,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    disabled_by: str | None = None,
    source: Mapping[str, Any] | None = None,
) -> UUID:
    """Make an affiliation; `evidence` and `levels` are by portal. The unique index refuses a second live one."""
    see_as(tx, subject_id=subject_id)
    row = Affiliation(
        id=new_id(),
        subject_id=subject_id,
        registry_name=registry,
        target_kind=kind.value,
        target_id=target_id,
        status=status.value,
        disabled_by=disabled_by,
        account_manager=account_manager,
        starts_at=starts_at or now,
        ends_at=ends_at,
        activated_at=now if status is AffiliationStatus.ACTIVE else None,
        created_at=now,
    )
    tx.add(row)
    tx.flush()  # evidence and levels refer to it
    for portal, proof in evidence.items():
        given = AffiliationEvidence(affiliation_id=row.id, kind=proof.value, portal=portal, at=now, by=actor)
        given.tell(source)
        tx.add(given)
    give_levels(tx, affiliation_id=row.id, levels=levels, now=now, by=actor)
    audit.append(
        tx,
        Event.AFFILIATION_MADE,
        now=now,
        actor=actor,
        origin=origin,
        subject_id=subject_id,
        target_kind=kind.value,
        target_id=str(target_id),
        details={
            "status": status.value,
            "evidence": sorted(proof.value for proof in evidence.values()),
            **({"source": dict(source)} if source is not None else {}),
        },
    )
    return row.id


def change_status(
    tx: Session,
    *,
    affiliation_id: UUID,
    status: AffiliationStatus,
    now: datetime,
    actor: str,
    origin: Origin,
    acting: Acting | None = None,
    disabled_by: str | None = None,
) -> bool:
    """Set the stored status; the raised epoch kills every grant and token under it by its next use (D4).

    A manager acts by `acting`, on its target only and never on themselves; without one it is the payer or the system.
    `False` for an unknown, foreign or ended affiliation: an end is final, a new link is a new row (MODEL §10).
    """
    see_as(tx, target_id=acting.target_id if acting is not None else None, everything=acting is None)
    row = tx.get(Affiliation, affiliation_id, with_for_update=True)
    if row is None or row.status == AffiliationStatus.ENDED or not (acting is None or _is_theirs(row, acting)):
        return False
    before = row.status
    row.status = status.value
    row.disabled_by = disabled_by if status is AffiliationStatus.DISABLED else None
    row.ended_at = now if status is AffiliationStatus.ENDED else None
    if status is AffiliationStatus.ACTIVE:
        row.activated_at, row.warned = now, 0
    row.epoch += 1
    row.version += 1
    if before == AffiliationStatus.ACTIVE and status is not AffiliationStatus.ACTIVE:
        _tell_that_it_ended(tx, row, now=now)
    if row.account_manager and status is not AffiliationStatus.ACTIVE:
        orphaned.void_of(tx, row, actor=actor, now=now, origin=origin)
    audit.append(
        tx,
        Event.AFFILIATION_ENDED if status is AffiliationStatus.ENDED else Event.AFFILIATION_CHANGED,
        now=now,
        actor=actor,
        origin=origin,
        subject_id=row.subject_id,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={"before": before, "after": status.value},
    )
    return True


def _tell_that_it_ended(tx: Session, row: Affiliation, *, now: datetime) -> None:
    """Leaving `active` calls the portals that act under it, and writes to the person (MODEL §10)."""
    fan_out.owe_for_affiliation(tx, affiliation_id=row.id, now=now)
    subject = subjects.by_id(tx, subject_id=row.subject_id)
    target = target_of(tx, row, on=now.date())
    if subject is None or target is None:
        return
    portal = next(iter(sorted({held.portal for held in row.levels})), None)
    notices.notify(
        tx,
        notice="access_ended",
        subject=subject,
        party=relying_parties.find(portal) if portal is not None else None,
        context={"target": target.name, "url": f"{house.get(Settings).issuer}/account/access"},
        now=now,
    )


def _is_theirs(row: Affiliation, acting: Acting) -> bool:
    target = (row.registry_name, row.target_kind, row.target_id)
    return target == (acting.registry, acting.target_kind, acting.target_id) and row.subject_id != acting.subject_id


def give_levels(
    tx: Session, *, affiliation_id: UUID, levels: Mapping[str, Iterable[str]], now: datetime, by: str | None
) -> None:
    """Write down levels, by portal; who calls says that they are not held yet."""
    for portal, keys in levels.items():
        for key in keys:
            tx.add(HeldLevel(affiliation_id=affiliation_id, portal=portal, level=key, at=now, by=by))
