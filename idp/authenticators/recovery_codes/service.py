"""Making ten codes, and using one up in the transaction that signs its owner in (MF-32, RA-04)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import proving
from idp.authenticators.factors.proving import Attempt, Proof
from idp.authenticators.factors.rules import Reason
from idp.authenticators.recovery_codes import facts, rules
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.sessions.service import NewSession
from idp.subjects import service as subjects
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

GOOD_FOR: Final = timedelta(days=3650)


def make(tx: Session, *, subject_id: str, origin: Origin, now: datetime) -> tuple[Secret, ...]:
    """Ten new codes, to be shown once; the former ones are void (MF-32)."""
    artefacts.void(tx, now=now, kind=Kind.RECOVERY_CODE, subject_id=subject_id)
    codes = tuple(Secret(rules.new_code()) for _ in range(rules.HOW_MANY))
    for code in codes:
        artefacts.issue(
            tx,
            kind=Kind.RECOVERY_CODE,
            now=now,
            lifetime=GOOD_FOR,
            subject_id=subject_id,
            bound_to=subject_id,
            digest=_digest(rules.canonical(code.reveal()) or "", subject_id=subject_id),
        )
    audit.append(tx, Event.RECOVERY_CODES_MADE, now=now, actor=subject_id, origin=origin, subject_id=subject_id)
    return codes


def prove(attempt: Attempt, *, typed: str) -> NewSession | Refused:
    """Use a code up in the place of a factor; its owner is told how many are left."""
    opened = proving.reserve(attempt, kind=Factor.RECOVERY)
    if isinstance(opened, Refused):
        return opened
    code = rules.canonical(typed)
    with writing() as tx:
        opened = proving.open_step(tx, attempt, kind=Factor.RECOVERY)
        if isinstance(opened, Refused):
            return opened
        subject_id = opened.subject.id
        digest = _digest(code or "", subject_id=subject_id)
        used = artefacts.redeem(tx, kind=Kind.RECOVERY_CODE, digest=digest, now=attempt.now, bound_to=subject_id)
        if code is None or isinstance(used, Refused):
            refused = Refused(Reason.WRONG_CODE)
            proving.fail(tx, attempt, opened, kind=Factor.RECOVERY, reason=refused)
            return refused
        client_id = opened.transaction.client_id
        notices.notify(
            tx,
            notice="recovery_code_used",
            subject=opened.subject,
            party=relying_parties.find(client_id) if client_id else None,
            context={"left": facts.left(tx, subject_id=subject_id, now=attempt.now)},
            now=attempt.now,
        )
        return proving.complete(tx, attempt, opened, proof=Proof.of(Factor.RECOVERY))


def make_anew(tx: Session, *, subject_id: str, origin: Origin, now: datetime) -> tuple[Secret, ...]:
    """Ten new codes in the place of the former ones; their owner is told."""
    codes = make(tx, subject_id=subject_id, origin=origin, now=now)
    subject = subjects.by_id(tx, subject_id=subject_id)
    assert subject is not None
    notices.notify(tx, notice="recovery_codes_made", subject=subject, party=None, context={}, now=now)
    return codes


def _digest(code: str, *, subject_id: str) -> bytes:
    return artefacts.short_digest(code, pepper=house.get(Keyring).index, context=f"recovery_code:{subject_id}")
