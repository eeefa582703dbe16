"""Writing what an assertion changes: the row, its evidence with its source, levels, mark; then the audit and the mails."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.asserting import facts
from idp.affiliations.asserting.facts import Source
from idp.affiliations.asserting.rules import Change, Own, Turn
from idp.affiliations.invitations import orphaned
from idp.affiliations.managers.facts import Pointed, managers_of
from idp.affiliations.managers.telling import tell_managers
from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import fan_out, notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind

AGAIN_AFTER: Final = timedelta(days=1)
"""How much later a day must be to be written: not each sign-in of a busy morning is a change on record."""


class Said(Protocol):
    """What was said at one portal: by which values, and for how long."""

    @property
    def days(self) -> int: ...
    @property
    def claims(self) -> Mapping[str, tuple[str, ...]]: ...


@dataclass(frozen=True, slots=True)
class Case:
    """Whose access to what a source speaks of, when and from where."""

    source: Source
    target: Pointed
    subject_id: str
    now: datetime
    origin: Origin


def write(
    tx: Session,
    case: Case,
    row: Affiliation | None,
    own: Own | None,
    change: Change,
    said: Mapping[str, Said],
) -> None:
    """All that the rule decided; the locks are held and the row fence is open for the row."""
    if change.ends and row is not None:
        _end(tx, case, row)
        return
    if row is None:
        if not change.portals:
            return
        row = _make(tx, case, change)
    elif change.tells:
        row.epoch += 1
        row.version += 1
    for portal, turn in sorted(change.portals.items()):
        _turn(tx, case, row, portal, turn, said.get(portal))
    if change.mark is not None:
        row.account_manager = change.mark
    _lasts(row, own, change, said, now=case.now)
    tx.flush()
    if change.tells:
        _after(tx, case, row, own, change)


def _make(tx: Session, case: Case, change: Change) -> Affiliation:
    identity = affiliations.grant_affiliation(
        tx, subject_id=case.subject_id, registry=case.target.registry, kind=TargetKind.PRACTICE,
        target_id=case.target.id, evidence={}, levels={}, now=case.now, actor=case.source.actor, origin=case.origin,
    )  # fmt: skip
    tx.flush()
    row = tx.get(Affiliation, identity)
    assert row is not None, "it was made in this transaction"
    return row


def _turn(tx: Session, case: Case, row: Affiliation, portal: str, turn: Turn, said: Said | None) -> None:
    proof = next((each for each in row.evidence if each.portal == portal and case.source.gave(each)), None)
    for held in [each for each in row.levels if each.portal == portal and each.level in turn.take]:
        row.levels.remove(held)
        tx.delete(held)
    for level in sorted(turn.give):
        row.levels.append(HeldLevel(portal=portal, level=level, at=case.now, by=case.source.actor))
    if turn.proof is None:
        if proof is not None:
            row.evidence.remove(proof)
            tx.delete(proof)
        return
    before: Mapping[str, Any] = proof.source if proof is not None and proof.source is not None else {}
    source = {
        "issuer": case.source.issuer,
        "subject": case.source.subject,
        "claims": {name: list(values) for name, values in said.claims.items()}
        if said is not None
        else before.get("claims"),
        "levels": sorted(turn.proof.levels),
        "marked": turn.proof.marked,
        "until": before.get("until"),
    }
    if proof is None:
        proof = AffiliationEvidence(
            kind=turn.proof.evidence.value, portal=portal, at=case.now, by=case.source.actor,
            connection=case.source.connection,
        )  # fmt: skip
        row.evidence.append(proof)
    proof.kind = turn.proof.evidence.value
    if source != before:
        proof.source = source


def _lasts(row: Affiliation, own: Own | None, change: Change, said: Mapping[str, Said], *, now: datetime) -> None:
    """Access that rests on such sources alone ends some days after the last time that it was said."""
    ours = [proof for proof in row.evidence if facts.is_asserted(proof)]
    if not said:
        return
    if len(ours) < len(row.evidence):
        row.ends_at = None if facts.lapses(row) else row.ends_at
        return
    if row.ends_at is not None and not facts.lapses(row):
        return
    until = now + timedelta(days=min(each.days for each in said.values()))
    if row.ends_at is not None and abs(until - row.ends_at) < AGAIN_AFTER:
        return
    row.ends_at = until
    for proof in ours:
        proof.source = {**(proof.source or {}), "until": until.isoformat()}


def _end(tx: Session, case: Case, row: Affiliation) -> None:
    """Nothing else holds it: it ends for good, and may be asserted anew."""
    portals = sorted({proof.portal for proof in row.evidence if case.source.gave(proof)})
    for proof in row.evidence:
        if case.source.gave(proof):
            proof.source = {**(proof.source or {}), "withdrawn_at": case.now.isoformat()}
    tx.flush()
    affiliations.change_status(
        tx, affiliation_id=row.id, status=AffiliationStatus.ENDED, now=case.now, actor=case.source.actor,
        origin=case.origin,
    )  # fmt: skip
    _tell(tx, case, portals, happened="ended")


def _after(tx: Session, case: Case, row: Affiliation, own: Own | None, change: Change) -> None:
    audit.append(
        tx,
        Event.AFFILIATION_CHANGED,
        now=case.now,
        actor=case.source.actor,
        origin=case.origin,
        subject_id=row.subject_id,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={
            "before": None if own is None else row.status,
            "after": row.status,
            "connection": case.source.connection,
            "issuer": case.source.issuer,
            "upstream": case.source.subject,
            "given": {portal: sorted(turn.give) for portal, turn in change.portals.items() if turn.give},
            "taken": {portal: sorted(turn.take) for portal, turn in change.portals.items() if turn.take},
            "account_manager": row.account_manager,
        },
    )
    shrunk = change.mark is False or any(turn.take or turn.proof is None for turn in change.portals.values())
    if change.mark is False:
        orphaned.void_of(tx, row, actor=case.source.actor, now=case.now, origin=case.origin)
    if shrunk and own is not None:
        fan_out.owe_for_affiliation(tx, affiliation_id=row.id, now=case.now)
    portals = sorted(portal for portal, turn in change.portals.items() if turn.give or turn.take or turn.proof is None)
    portals = portals or sorted(change.portals)
    happened = "given" if own is None or not own.given else "changed"
    _tell(tx, case, portals, happened=happened)


def _tell(tx: Session, case: Case, portals: Collection[str], *, happened: str) -> None:
    """The person, unless the end was told already, and everybody else who manages the practice at these portals."""
    person = subjects.by_id(tx, subject_id=case.subject_id)
    if person is None:
        return
    context = {"target": case.target.name, "happened": happened}
    dormancy, told = house.get(Settings).dormancy, set[str]()
    for portal in portals:
        party = relying_parties.find(portal)
        terms = affiliations.terms_of(party) if party is not None else None
        if party is None or terms is None:
            continue
        if happened != "ended" and not told:
            url = f"{house.get(Settings).issuer}/account/access"
            named = {**context, "by": _name(case, person), "url": url}
            notices.notify(tx, notice="access_asserted", subject=person, party=party, context=named, now=case.now)
        managers = managers_of(tx, target=case.target, terms=terms, now=case.now, dormancy=dormancy, but=person.id)
        for manager in managers:
            if manager.subject.id not in told:
                named = {**context, "by": _name(case, manager.subject), "person": person.name}
                tell_managers(tx, (manager,), notice="colleague_asserted", party=party, context=named, now=case.now)
        told |= {person.id, *(manager.subject.id for manager in managers)}
    see_as(tx, subject_id=person.id, target_id=case.target.id)


def _name(case: Case, reader: SubjectFacts) -> str:
    names = case.source.names
    return names.get(reader.locale or "en") or names.get("en") or case.source.connection
