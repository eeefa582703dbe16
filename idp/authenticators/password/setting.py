"""Setting a password: in the account, before entering a stricter portal, by a reset, or by an administrator.

Everything older dies with the old password: sessions, grants, tokens by the person's epoch, reset links outright
(RC-01, RC-11). The person is told by mail.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.password import budgets, facts, rules
from idp.authenticators.password.facts import Named
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.password.models import PasswordCredential
from idp.authenticators.password.rules import Credential, Reason, Unmet
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.foundation.database import new_id, reading, writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.manifest import PasswordPolicy
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices, transactions
from idp.sessions import service as sessions
from idp.sessions.rules import PASSWORD, Ended, SessionFacts
from idp.sessions.service import NewSession
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

STEP = "change-password"
USELESS: Final = "!"
"""A digest that matches nothing (SI-18)."""


@dataclass(frozen=True, slots=True)
class Unfit(Refused):
    """The new password breaks these rules; nothing was changed and no attempt was counted."""

    rules: tuple[Unmet, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes their password, in which browser, on whose pages."""

    session: SessionFacts
    browser_digest: bytes
    new: Secret
    origin: Origin
    now: datetime
    current: Secret | None = None
    """Typed again in the account; at the sign-in step it was typed in this very transaction."""
    txn: UUID | None = None
    client_id: str | None = None


def policy_asked(tx: Session, *, subject_id: str, client_id: str | None, now: datetime) -> PasswordPolicy:
    """What a new password must be: every held portal's minima, and those of the portal being entered (MODEL §4)."""
    held = facts.policies_held(tx, subject_id=subject_id, now=now)
    entering = facts.policies().get(client_id or "")
    return rules.policy_for_setting(held=[*held, *([entering] if entering else [])])


def unfit(plain: Secret, *, policy: PasswordPolicy, subject: Named) -> Unfit | None:
    """The rules that a new password breaks, if any."""
    broken = rules.unmet(plain.reveal(), policy=policy, person=facts.person_of(subject))
    return Unfit(Reason.UNMET_POLICY, broken) if broken else None


def change(asked: Change) -> NewSession | Refused:
    """Replace the password after the current one was proven; this browser stays signed in, with a new cookie (G7)."""
    subject_id = asked.session.subject_id
    with reading() as tx:
        subject = subjects.by_id(tx, subject_id=subject_id)
        policy = policy_asked(tx, subject_id=subject_id, client_id=asked.client_id, now=asked.now)
    if subject is None:
        return Refused(Reason.UNKNOWN_LOGIN)
    broken = unfit(asked.new, policy=policy, subject=subject)
    if broken is not None:
        return broken
    credential = _reserve(asked)
    if isinstance(credential, Refused):
        return credential
    digest = _prove_and_digest(asked, credential)
    with writing() as tx:
        changed = digest if isinstance(digest, Refused) else _replace(tx, asked, credential, subject, digest)
        if isinstance(changed, Refused):
            if changed.reason is Reason.BUSY:
                budgets.nothing_tried(tx, account=subject_id, now=asked.now)
            _audit(tx, asked, outcome=changed.reason.value)
        return changed


def digest_and_policies(plain: Secret, *, subject: Named) -> tuple[str, tuple[str, ...]] | Refused:
    """What `store_prepared` takes: the digest, and the portals whose policies the text meets; `Refused(BUSY)` else.

    Computed in no transaction. Ask `unfit` first: nothing is judged here.
    """
    digest = house.get(Kdf).digest(plain)
    return digest if isinstance(digest, Refused) else (digest, _satisfied(plain, subject=subject))


def store(
    tx: Session,
    *,
    subject: Subject,
    digest: str,
    plain: Secret,
    now: datetime,
    temporary_for: timedelta | None = None,
) -> None:
    """Put a new digest in place; all that is older than now is dead (D4). `subject` is locked by the caller."""
    satisfies = _satisfied(plain, subject=subject)
    store_prepared(tx, subject=subject, digest=digest, satisfies=satisfies, now=now, temporary_for=temporary_for)


def store_prepared(
    tx: Session,
    *,
    subject: Subject,
    digest: str,
    satisfies: Collection[str],
    now: datetime,
    temporary_for: timedelta | None = None,
) -> None:
    """As `store`, for who keeps the digest until a later proof and the plaintext nowhere."""
    subject.epoch += 1
    subject.version += 1
    subject.updated_at = now
    tx.flush()  # what follows reads by statement
    values = {
        "digest": digest,
        "satisfies": sorted(satisfies),
        "must_change": temporary_for is not None,
        "temporary_until": now + temporary_for if temporary_for is not None else None,
        "changed_at": now,
    }
    replaced = tx.execute(
        update(PasswordCredential).where(PasswordCredential.subject_id == subject.id).values(**values)
    )
    if replaced.rowcount == 0:  # type: ignore[attr-defined]
        tx.execute(insert(PasswordCredential).values(subject_id=subject.id, **values))
    artefacts.void(tx, now=now, kind=Kind.PASSWORD_RESET, subject_id=subject.id)
    budgets.succeeded_at_setting(tx, account=subject.id, now=now)


def _satisfied(plain: Secret, *, subject: Named) -> tuple[str, ...]:
    return rules.satisfied_policies(plain.reveal(), policies=facts.policies(), person=facts.person_of(subject))


def refresh(
    tx: Session, *, subject: SubjectFacts, credential: Credential, plain: Secret, digest: str | Refused | None
) -> Credential:
    """After a right password: keep which policies it meets, and a digest made as today's are (MODEL §4); tells what is kept."""
    satisfied = _satisfied(plain, subject=subject)
    values: dict[str, object] = {"digest": digest} if isinstance(digest, str) else {}
    if satisfied != credential.satisfies:
        values["satisfies"] = list(satisfied)
    if values:
        tx.execute(
            update(PasswordCredential)
            .where(PasswordCredential.subject_id == subject.id, PasswordCredential.digest == credential.digest)
            .values(**values)
        )
    return replace(credential, satisfies=satisfied, digest=digest if isinstance(digest, str) else credential.digest)


def make_useless(tx: Session, *, subject: Subject, now: datetime) -> None:
    """Nobody's password opens the account any more; a reset by mail does. All that is older than now is dead (D4)."""
    subject.epoch += 1
    subject.version += 1
    subject.updated_at = now
    tx.execute(
        update(PasswordCredential)
        .where(PasswordCredential.subject_id == subject.id)
        .values(digest=USELESS, satisfies=[], must_change=True, temporary_until=None)
    )
    artefacts.void(tx, now=now, kind=Kind.PASSWORD_RESET, subject_id=subject.id)


def tell_changed(tx: Session, *, subject: SubjectFacts, party: RelyingParty | None, now: datetime) -> None:
    """*Your password was changed*, to the stored address (AU-10)."""
    notices.notify(tx, notice="password_changed", subject=subject, party=party, context={}, now=now)


def _reserve(asked: Change) -> Credential | Refused:
    with writing() as tx:
        if asked.txn is not None:
            opened = transactions.open_transaction(
                tx, txn=asked.txn, browser_digest=asked.browser_digest, step=STEP, now=asked.now
            )
            if isinstance(opened, Refused):
                return opened
        credential = facts.credential_of(tx, subject_id=asked.session.subject_id)
        refused = budgets.reserve(tx, account=asked.session.subject_id, now=asked.now)
        if refused is not None:
            _audit(tx, asked, outcome=refused.reason.value)
            return refused
        return credential if credential is not None else Refused(Reason.NO_PASSWORD)


def _prove_and_digest(asked: Change, credential: Credential) -> str | Refused:
    """The digest of the new password, once the current one is right and the new one is another."""
    kdf = house.get(Kdf)
    verdict = kdf.check(asked.current if asked.current is not None else asked.new, digest=credential.digest)
    if isinstance(verdict, Refused):
        return verdict
    if asked.current is None and verdict.right:
        return Refused(Reason.SAME_PASSWORD)
    if asked.current is not None and not verdict.right:
        return Refused(Reason.WRONG_PASSWORD)
    if asked.current is not None and asked.current.matches(asked.new.reveal()):
        return Refused(Reason.SAME_PASSWORD)
    return kdf.digest(asked.new)


def _replace(
    tx: Session, asked: Change, credential: Credential, subject: SubjectFacts, digest: str
) -> NewSession | Refused:
    row = tx.get(Subject, subject.id, with_for_update=True)
    stored = facts.credential_of(tx, subject_id=subject.id)
    if row is None or row.epoch != asked.session.subject_epoch or stored is None or stored.digest != credential.digest:
        return Refused(Reason.CHANGED_MEANWHILE)
    if asked.txn is not None:
        opened = transactions.open_transaction(
            tx, txn=asked.txn, browser_digest=asked.browser_digest, step=STEP, now=asked.now
        )
        if isinstance(opened, Refused):
            return opened
    store(tx, subject=row, digest=digest, plain=asked.new, now=asked.now)
    sessions.end_sessions_of(
        tx,
        subject_id=subject.id,
        except_session=asked.session.id,
        reason=Ended.BY_OWNER,
        now=asked.now,
        origin=asked.origin,
    )
    rotated = _rotate(tx, asked, row)
    party = relying_parties.find(asked.client_id) if asked.client_id else None
    tell_changed(tx, subject=subject, party=party, now=asked.now)
    _audit(tx, asked, outcome="ok")
    return rotated


def _rotate(tx: Session, asked: Change, row: Subject) -> NewSession:
    """The password was typed just now, so this is a sign-in; without a transaction no row of that name is marked."""
    return sessions.authenticated(
        tx,
        txn=asked.txn or new_id(),
        subject=row,
        acr=sorted(asked.session.acr),
        amr=asked.session.amr,
        proven={**asked.session.proven, PASSWORD: asked.now},
        browser_digest=asked.browser_digest,
        now=asked.now,
        origin=asked.origin,
        replacing=asked.session,
    )


def _audit(tx: Session, asked: Change, *, outcome: str) -> None:
    audit.append(
        tx,
        Event.PASSWORD_CHANGED,
        now=asked.now,
        actor=asked.session.subject_id,
        origin=asked.origin,
        outcome=outcome,
        subject_id=asked.session.subject_id,
        client_id=asked.client_id,
    )
