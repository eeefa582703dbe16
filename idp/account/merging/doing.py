"""What would happen, and making it happen."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.account.closing import guards
from idp.account.merging.rules import Reason
from idp.account.merging.service import digest_for, fresh, named
from idp.affiliations.uniting import moving
from idp.affiliations.uniting.moving import Move
from idp.affiliations.uniting.rules import Plan, Way
from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors import removing
from idp.authenticators.factors.rules import Held
from idp.authenticators.password import people as accounts
from idp.consent import moving as consents
from idp.federation import links as upstream
from idp.foundation import artefacts, house, masks
from idp.foundation.artefacts import Kind, Redeemed
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices, step_up
from idp.sessions import service as sessions
from idp.sessions.rules import Ended, SessionFacts
from idp.sessions.service import NewSession
from idp.settings import Settings
from idp.subjects import contact, legacy, merging
from idp.subjects import service as subjects
from idp.subjects.legacy import OldLogin
from idp.subjects.models import Subject
from idp.subjects.rules import Status, SubjectFacts
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything that moves, and what does not, as it is now."""

    me: SubjectFacts
    other: SubjectFacts
    plans: tuple[Plan, ...]
    logins: tuple[OldLogin, ...]
    agreements: int
    apps: tuple[RelyingParty, ...]
    factors: tuple[Held, ...]
    """Of the other account; they end. Moved, they would open this one by what was never set up here, and a passkey
    carries its own account's handle."""


def look(session: SessionFacts, proof: UUID, *, now: datetime) -> Preview | Refused:
    """What the confirmation would do; changes nothing."""
    with reading() as tx:
        found = artefacts.peek(tx, kind=Kind.ACCOUNT_MERGE, digest=digest_for(session, proof), now=now)
        return Refused(Reason.OUTDATED) if isinstance(found, Refused) else _preview(tx, found, now=now)


def merge(session: SessionFacts, proof: UUID, *, now: datetime, origin: Origin) -> NewSession | Refused:
    """Make one account of two, once; whatever changed since the proof refuses it, and nothing is half done."""
    digest = digest_for(session, proof)
    with writing() as tx:
        found = artefacts.peek(tx, kind=Kind.ACCOUNT_MERGE, digest=digest, now=now)
        rows = None if isinstance(found, Refused) else _locked(tx, session.subject_id, str(found.payload.get("other")))
        used = artefacts.redeem(tx, kind=Kind.ACCOUNT_MERGE, digest=digest, now=now)
        seen = _still(tx, session, used, now=now) if rows is not None else Refused(Reason.OUTDATED)
        if rows is None or isinstance(seen, Refused):
            return _refused(tx, session, seen, now=now, origin=origin)
        into, gone = rows
        _tell(tx, seen, now=now)
        for factor in seen.factors:
            removing.remove(tx, factor, subject=seen.other, now=now, origin=origin, undo=False)
        moving.carry_out(tx, seen.plans, Move(gone.id, into.id, now, origin))
        ended = [plan.theirs.id for plan in seen.plans if plan.way in (Way.ENDS, Way.UNITED)]
        ended += [plan.mine.id for plan in seen.plans if plan.way is Way.REPLACES and plan.mine]
        consents.move(tx, from_id=gone.id, to_id=into.id, ended=ended, now=now)
        sessions.end_sessions_of(tx, subject_id=gone.id, reason=Ended.MERGED, now=now, origin=origin)
        artefacts.void(tx, now=now, subject_id=gone.id)
        accounts.drop_password(tx, subject_id=gone.id)
        upstream.move(tx, from_id=gone.id, to_id=into.id)
        merging.close(tx, gone=gone, into=into, now=now, origin=origin)
        rotated = step_up.lift(tx, session, acr=(), amr=(), proven=(), now=now)
        if isinstance(rotated, Refused):
            raise RuntimeError("a session that is held cannot be gone")
        return rotated


def _still(tx: Session, session: SessionFacts, used: Redeemed | Refused, *, now: datetime) -> Preview | Refused:
    """What the proof allows, if it and the session that made it still stand."""
    if isinstance(used, Refused) or sessions.hold(tx, session) is None:
        return Refused(Reason.OUTDATED)
    return _preview(tx, used, now=now) if fresh(tx, session, now=now) else Refused(Reason.NOT_FRESH)


def _refused(
    tx: Session, session: SessionFacts, refused: Preview | Refused, *, now: datetime, origin: Origin
) -> Refused:
    answer = refused if isinstance(refused, Refused) else Refused(Reason.OUTDATED)
    audit.append(
        tx,
        Event.ACCOUNT_MERGED,
        now=now,
        actor=session.subject_id,
        origin=origin,
        outcome=answer.reason.value,
        subject_id=session.subject_id,
    )
    return answer


def _locked(tx: Session, into: str, gone: str) -> tuple[Subject, Subject] | None:
    """Both people's rows, before any session's and in one order, so that two merges never wait for each other (RA)."""
    both = select(Subject).where(Subject.id.in_((into, gone))).order_by(Subject.id).with_for_update()
    rows = {row.id: row for row in tx.scalars(both.execution_options(populate_existing=True))}
    return (rows[into], rows[gone]) if len(rows) == 2 else None


def _preview(tx: Session, found: Redeemed, *, now: datetime) -> Preview | Refused:
    me = subjects.by_id(tx, subject_id=found.subject_id or "")
    other = subjects.by_id(tx, subject_id=str(found.payload.get("other")))
    if me is None or other is None or [me.epoch, other.epoch] != found.payload.get("epochs"):
        return Refused(Reason.OUTDATED)
    if me.status is not Status.ACTIVE or other.status is Status.DISABLED:
        return Refused(Reason.OUTDATED)
    if guards.is_staff(tx, subject_id=other.id):
        return Refused(Reason.STAFF)
    if named(tx, other) != found.payload.get("factors"):  # set up since: what was proven is not all of it
        return Refused(Reason.OUTDATED)
    if contact.changed_lately(tx, subject_id=other.id, now=now):
        return Refused(Reason.ADDRESS_CHANGED)
    plans = moving.planned(tx, from_id=other.id, to_id=me.id, now=now)
    if isinstance(plans, Refused):
        return plans
    parties = map(relying_parties.find, consents.consented_by(tx, subject_id=other.id))
    return Preview(
        me=me,
        other=other,
        plans=plans,
        logins=legacy.of(tx, subject_id=other.id),
        agreements=consents.accepted_only_by(tx, from_id=other.id, to_id=me.id),
        apps=tuple(party for party in parties if party is not None),
        factors=factors.held(tx, subject_id=other.id),
    )


def _tell(tx: Session, seen: Preview, *, now: datetime) -> None:
    """To both addresses, before one of them is given up (AU-10)."""
    gone = masks.email(seen.other.email) or next((old.login for old in seen.logins), "") or seen.other.user_id or ""
    context = {
        "gone": gone,
        "kept": masks.email(seen.me.email) or seen.me.user_id or seen.me.name,
        "url": f"{house.get(Settings).issuer}/account/access",
    }
    for subject in (seen.me, seen.other):
        notices.notify(tx, notice="accounts_merged", subject=subject, party=None, context=context, now=now)
