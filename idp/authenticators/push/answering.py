"""On the phone: what waits for it, and its answer, signed over the sign-in, the number, the decision and the nonce."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.authenticators.alerts import service as alerts
from idp.authenticators.push import calls, closing, facts, rules, service
from idp.authenticators.push.calls import Call
from idp.authenticators.push.rules import Asked, Decision, Outcome, Reason
from idp.authenticators.recovery import service as recovery
from idp.foundation import artefacts
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a phone is shown: whose it is, and what waits; never the number (MF-17)."""

    subject: SubjectFacts
    asked: Asked | None

    @property
    def nonce(self) -> str:
        return service.nonce_of(self.asked.id) if self.asked is not None else ""


def look(call: Call, *, now: datetime) -> Waiting | Refused:
    """What waits for this phone's owner."""
    with writing() as tx:
        refused = calls.take(tx, call)
        subject = subjects.by_id(tx, subject_id=call.phone.subject_id)
        if refused is not None or subject is None:
            return refused or Refused(Reason.UNKNOWN_PHONE)
        before = facts.recent(tx, subject_id=call.phone.subject_id)
        return Waiting(subject, next((each for each in before if each.waits(now=now)), None))


def answer(call: Call, *, now: datetime, origin: Origin) -> Outcome | Refused:
    """Close the request that the answer names by its nonce: of several answers at once one counts (RA-04)."""
    try:
        decision, txn = Decision(call.text("decision")), UUID(call.text("txn"))
    except ValueError:
        return Refused(Reason.BAD_CALL)
    with writing() as tx:
        row = tx.get(Subject, call.phone.subject_id, with_for_update=True, populate_existing=True)
        refused = calls.take(tx, call)
        if refused is not None or row is None:
            return refused or Refused(Reason.UNKNOWN_PHONE)
        used = artefacts.redeem(
            tx,
            kind=Kind.PUSH_REQUEST,
            digest=digest_of(call.text("jti")),
            now=now,
            bound_to=f"{txn}:{call.phone.subject_id}",
        )
        asked = None if isinstance(used, Refused) else facts.by_id(tx, request_id=UUID(used.payload["request"]))
        if isinstance(used, Refused) or asked is None or not asked.waits(now=now):
            return Refused(Reason.NOT_WAITING)
        outcome = rules.outcome_of(decision, typed=call.text("number"), number=asked.number)
        closing.close(tx, asked, outcome, now=now, origin=origin, factor_id=call.phone.factor_id)
        if outcome is Outcome.APPROVED:
            _approve(tx, used, now=now)
        if outcome is Outcome.DISOWNED:
            _disown(tx, row, asked, now=now, origin=origin)
        return outcome


def _approve(tx: Session, used: Redeemed, *, now: datetime) -> None:
    artefacts.issue(
        tx,
        kind=Kind.PUSH_APPROVAL,
        now=now,
        lifetime=rules.APPROVAL_LIFE,
        subject_id=used.subject_id,
        family=used.family,
        bound_to=used.payload["place"],
        digest=digest_of(service.nonce_of(UUID(used.payload["request"]))),
    )


def _disown(tx: Session, row: Subject, asked: Asked, *, now: datetime, origin: Origin) -> None:
    """*Not me*: somebody knows the password. All that the mailed link would do, and the mail for a new password."""
    subject = alerts.disown(tx, row, since=asked.created_at, now=now, origin=origin)
    recovery.start_for(tx, subject=subject, actor=row.id, now=now, origin=origin)
