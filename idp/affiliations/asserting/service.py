"""Settling what an outside source asserts: locks, facts, rule, write, audit, mails; in the transaction of its sign-in."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.asserting import facts, writing
from idp.affiliations.asserting.facts import Source
from idp.affiliations.asserting.rules import Change, Own, Reason, Says, capped, decide
from idp.affiliations.managers.facts import Pointed, lock, point_at
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.affiliations.registering.service import ready
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused

__all__ = ["Asserted", "Source", "Withdrawn", "foresee", "hold", "settle", "shrink"]


@dataclass(frozen=True, slots=True)
class Asserted:
    """What a source says of a person at one portal for one practice, by which values of which claims."""

    portal: str
    practice_id: UUID
    says: Says
    days: int
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Access of one person that ends, or is less, once a connection says what it is about to say."""

    subject_id: str
    portals: tuple[str, ...]
    ends: bool


Still = Callable[[Affiliation, AffiliationEvidence], Asserted | None]
"""What a connection, as it is about to be, says by the claims that gave this proof."""


def hold(tx: Session, source: Source, *, subject_id: str, practices: Collection[UUID]) -> None:
    """Lock every practice whose access `settle` may change: the first locks of all (EN-17)."""
    see_as(tx, subject_id=subject_id)
    theirs = {row.target_id for row in facts.rows_of(tx, source, subject_id=subject_id)}
    _lock(tx, {*theirs, *practices})


def settle(
    tx: Session, source: Source, asserted: Iterable[Asserted], *, subject_id: str, now: datetime, origin: Origin
) -> None:
    """Make the person's access what the source says of them now: more, less, or ended; `hold` was called before."""
    person = ready(tx, subject_id)
    wanted: defaultdict[tuple[str, UUID], dict[str, Asserted]] = defaultdict(dict)
    for each in asserted:
        registry = facts.registry_of(each.portal)
        if registry is not None:
            wanted[registry, each.practice_id][each.portal] = each
    see_as(tx, subject_id=subject_id)
    for row in facts.rows_of(tx, source, subject_id=subject_id):
        wanted.setdefault((row.registry_name, row.target_id), {})
    for (registry, practice_id), said in sorted(wanted.items()):
        target = point_at(tx, registry=registry, kind=TargetKind.PRACTICE, target_id=practice_id, now=now)
        if target is not None:
            case = writing.Case(source, target, subject_id, now, origin)
            _settle(tx, case, said, may_give=not isinstance(person, Refused))


def foresee(tx: Session, connection: str, still: Still, *, now: datetime) -> tuple[Withdrawn, ...]:
    """What `shrink` would take back; reads only."""
    see_as(tx, everything=True)
    found = []
    for row, source in _given_by(tx, connection):
        _own, change = _less(tx, row, source, still, now=now)
        if change.tells:
            found.append(Withdrawn(row.subject_id, tuple(sorted({each.portal for each in row.evidence})), change.ends))
    return tuple(found)


def shrink(
    tx: Session, connection: str, still: Still, *, now: datetime, origin: Origin, names: Mapping[str, str]
) -> int:
    """Take back at once what a connection may say no more, of everybody; nothing is given where nobody signs in."""
    see_as(tx, everything=True)
    every = _given_by(tx, connection)
    _lock(tx, {row.target_id for row, _source in every})
    done = 0
    for row, source in every:
        see_as(tx, everything=True)
        tx.refresh(row, with_for_update=True)
        own, change = _less(tx, row, source, still, now=now)
        target = point_at(tx, registry=row.registry_name, kind=TargetKind.PRACTICE, target_id=row.target_id, now=now)
        if own is None or target is None or not change.tells:
            continue
        named = Source(source.connection, source.issuer, source.subject, names)
        case = writing.Case(named, target, row.subject_id, now, origin)
        writing.write(tx, case, row, own, change, {})
        done += 1
    return done


def _settle(tx: Session, case: writing.Case, said: Mapping[str, Asserted], *, may_give: bool) -> None:
    target = case.target
    see_as(tx, subject_id=case.subject_id)
    row = facts.own_row(tx, subject_id=case.subject_id, registry=target.registry, practice_id=target.id)
    own = facts.own_of(tx, row, case.source, now=case.now) if row is not None else None
    says = {
        portal: within
        for portal, each in said.items()
        if (within := capped(each.says, facts.cap_of(portal))) is not None
    }
    if row is not None and own is None:
        return
    change: Change | Refused = decide(
        own,
        says,
        in_force=target.in_force,
        decided_here=row is None
        and facts.was_decided_here(tx, subject_id=case.subject_id, registry=target.registry, practice_id=target.id),
        may_give=may_give,
    )
    if isinstance(change, Change) and said and (own is None or not own.given) and not (says and may_give):
        change = Refused(Reason.NOT_TAKEN if may_give else Reason.PERSON_NOT_READY)
    if isinstance(change, Refused):
        _refused(tx, case, change, said)
        return
    writing.write(tx, case, row, own, change, said)


def _given_by(tx: Session, connection: str) -> list[tuple[Affiliation, Source]]:
    """Everybody's access that rests on a connection, once for each identity that gave some of it."""
    found: list[tuple[Affiliation, Source]] = []
    for row in facts.of_connection(tx, connection):
        proofs = [proof.source or {} for proof in row.evidence if facts.is_asserted(proof, by=connection)]
        for issuer, subject in sorted({(each.get("issuer", ""), each.get("subject", "")) for each in proofs}):
            found.append((row, Source(connection, issuer, subject)))
    return found


def _less(tx: Session, row: Affiliation, source: Source, still: Still, *, now: datetime) -> tuple[Own | None, Change]:
    """What is left of one row's access; a portal's own terms are judged at the next sign-in."""
    own = facts.own_of(tx, row, source, now=now)
    if own is None:
        return None, Change()
    said = {proof.portal: still(row, proof) for proof in row.evidence if source.gave(proof)}
    says = {portal: each.says for portal, each in said.items() if each is not None}
    change = decide(own, says, in_force=True, decided_here=False, may_give=False)
    assert isinstance(change, Change), "only giving is refused"
    return own, change


def _lock(tx: Session, practices: Collection[UUID]) -> None:
    for practice_id in sorted(practices):
        lock(tx, Pointed("", TargetKind.PRACTICE, practice_id, practice_id, "", in_force=True))


def _refused(tx: Session, case: writing.Case, refused: Refused, said: Mapping[str, Asserted]) -> None:
    """Nothing came of what was asserted: kept, since somebody will ask why."""
    audit.append(
        tx,
        Event.AFFILIATION_CHANGED,
        now=case.now,
        actor=case.source.actor,
        origin=case.origin,
        outcome=refused.reason.value,
        subject_id=case.subject_id,
        target_kind=TargetKind.PRACTICE.value,
        target_id=str(case.target.id),
        details={"connection": case.source.connection, "portals": sorted(said)},
    )
