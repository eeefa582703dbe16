"""Proving the other account, looking at what would happen, and doing it: one transaction, once (X4).

The person proves this account by a fresh sign-in (with the second factor they hold) and the other one by its
password, under the same budgets as signing in (D7), by a code shown inside it where it holds factors, and by its
mailbox where it has a proven one. The proof is one
artefact of this very session; where a mailbox is asked, only the mail says its name.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.account.closing import guards
from idp.account.merging import codes, rules
from idp.account.merging.rules import Reason
from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.rules import is_fresh, to_prove
from idp.authenticators.password import budgets, setting
from idp.authenticators.password import facts as passwords
from idp.authenticators.password.kdf import Kdf, Verdict
from idp.authenticators.password.rules import Credential
from idp.authenticators.password.rules import Reason as PasswordReason
from idp.foundation import artefacts, house, limiter, masks
from idp.foundation.artefacts import Kind, digest_of
from idp.foundation.database import new_id, writing
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.messaging.rules import Link
from idp.sessions import notices
from idp.sessions import service as sessions
from idp.sessions.rules import SessionFacts
from idp.settings import Settings
from idp.subjects import contact, legacy
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts, login_key
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

MAILS: Final = Budget(
    name="merge_mail",
    limit=5,
    window=timedelta(hours=1),
    lock_first=timedelta(hours=1),
    lock_max=timedelta(hours=1),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The other account as typed, by whom, in which session."""

    session: SessionFacts
    portal: str
    """Where the other login was used; empty: anywhere."""
    login: str
    plain: Secret
    origin: Origin
    now: datetime
    code: str = ""
    """Shown inside the other account, where it holds factors."""


@dataclass(frozen=True, slots=True)
class _Reserved:
    me: SubjectFacts
    other: SubjectFacts | None
    credential: Credential | None
    account: str


@dataclass(frozen=True, slots=True)
class Mailed:
    """The password was right; the way on is in the other account's mailbox."""


def fresh(tx: Session, session: SessionFacts, *, now: datetime) -> bool:
    """Whether this account was proven, as strongly as it can be, within the last 15 minutes."""
    return is_fresh(session, held=to_prove(factors.held(tx, subject_id=session.subject_id)), now=now)


def prove(claim: Claim) -> UUID | Mailed | Refused:
    """Try the other account's password; what comes back or is mailed names the proof, good in this session only."""
    reserved = _reserve(claim)
    if isinstance(reserved, Refused):
        return reserved
    credential = reserved.credential
    kdf = house.get(Kdf)
    verdict = kdf.check(claim.plain, digest=credential.digest if credential else None)
    new_digest = kdf.digest(claim.plain) if isinstance(verdict, Verdict) and verdict.outdated else None
    with writing() as tx:
        if isinstance(verdict, Refused):
            budgets.nothing_tried(tx, account=reserved.account, now=claim.now)
            return verdict
        reason = _why_not(tx, claim, reserved, verdict) or _too_often(tx, reserved, now=claim.now)
        _audit(tx, claim, reserved, outcome=reason.value if reason else "ok")
        if reason is not None:
            return Refused(reason)
        assert reserved.other is not None
        assert credential is not None
        setting.refresh(tx, subject=reserved.other, credential=credential, plain=claim.plain, digest=new_digest)
        budgets.succeeded(tx, account=reserved.account, now=claim.now)
        return _issue(tx, claim, reserved.me, reserved.other)


def named(tx: Session, other: SubjectFacts) -> list[str]:
    """The factors that the proof speaks for: with another among them it is outdated."""
    return sorted(str(factor.id) for factor in factors.held(tx, subject_id=other.id))


def digest_for(session: SessionFacts, proof: UUID) -> bytes:
    """By what a proof is found: by nobody but the session that made it."""
    return digest_of(f"{session.id}:{session.subject_id}:{proof}")


def _reserve(claim: Claim) -> _Reserved | Refused:
    with writing() as tx:
        me = subjects.by_id(tx, subject_id=claim.session.subject_id)
        if sessions.hold(tx, claim.session) is None or me is None or not fresh(tx, claim.session, now=claim.now):
            return Refused(Reason.NOT_FRESH)
        key = login_key(claim.login)
        other = _find(tx, claim.portal, key)
        account = other.id if other else key
        reserved = _Reserved(me, other, passwords.credential_of(tx, subject_id=account), account)
        refused = budgets.reserve(tx, account=account, now=claim.now)
        if refused is None:
            return reserved
        _audit(tx, claim, reserved, outcome=refused.reason.value)
        return refused if refused.reason is PasswordReason.BUSY else Refused(Reason.NOT_RIGHT)


def _find(tx: Session, portal: str, key: str) -> SubjectFacts | None:
    """Whose old login at that portal it is, an e-mail address too; else as at sign-in there."""
    old = legacy.owner(tx, portal=portal, key=key)
    found = subjects.find_by_login(tx, key=key, portal=portal or None)
    return subjects.by_id(tx, subject_id=old) if old is not None else found


def _why_not(tx: Session, claim: Claim, reserved: _Reserved, verdict: Verdict) -> Reason | None:
    """Look again at everything now that the hash is known (RA-09)."""
    other = subjects.by_id(tx, subject_id=reserved.account)
    credential = passwords.credential_of(tx, subject_id=reserved.account)
    unchanged = credential is not None and reserved.credential is not None
    same = unchanged and credential.digest == reserved.credential.digest  # type: ignore[union-attr]
    if sessions.hold(tx, claim.session) is None:
        return Reason.NOT_FRESH
    holds = bool(factors.held(tx, subject_id=reserved.account))
    reason = rules.unfit(
        other,
        me=reserved.me,
        credential=credential,
        right=verdict.right and same,
        mailboxes=[old.email_key for old in legacy.of(tx, subject_id=reserved.account)],
        address_changed=contact.changed_lately(tx, subject_id=reserved.account, now=claim.now),
        now=claim.now,
    )
    if reason is None and other is not None and guards.is_staff(tx, subject_id=other.id):
        reason = Reason.STAFF  # as for closing it: no administrator goes without another one's doing (MODEL §7)
    if reason is not None or not holds or other is None:
        return reason
    return None if codes.take(tx, claim.code, other=other, now=claim.now) else Reason.SECOND_FACTOR


def _too_often(tx: Session, reserved: _Reserved, *, now: datetime) -> Reason | None:
    if reserved.other is None or not rules.mailbox_to_ask(reserved.other):
        return None
    counted = limiter.reserve(tx, budget=MAILS, key=reserved.other.id, now=now)
    return Reason.TOO_MANY_MAILS if isinstance(counted, Refused) else None


def _issue(tx: Session, claim: Claim, me: SubjectFacts, other: SubjectFacts) -> UUID | Mailed:
    proof = new_id()
    asks = rules.mailbox_to_ask(other)
    lifetime = rules.MAILED_FOR if asks else rules.REVIEW_FOR
    artefacts.void(tx, now=claim.now, kind=Kind.ACCOUNT_MERGE, subject_id=me.id)
    _, identity = artefacts.issue(
        tx,
        kind=Kind.ACCOUNT_MERGE,
        now=claim.now,
        lifetime=lifetime,
        subject_id=me.id,
        payload={"other": other.id, "epochs": [me.epoch, other.epoch], "factors": named(tx, other)},
        digest=digest_for(claim.session, proof),
    )
    if not asks:
        return proof
    url = Secret(f"{house.get(Settings).issuer}/account/merge/{proof}")
    kept = masks.email(me.email) or me.user_id or me.name
    context = {"url": url, "kept": kept}
    link = Link(identity, lifetime)
    notices.notify(tx, notice="confirm_merge", subject=other, party=None, context=context, now=claim.now, link=link)
    return Mailed()


def _audit(tx: Session, claim: Claim, reserved: _Reserved, *, outcome: str) -> None:
    """In the history of the account that was claimed, whoever claimed it."""
    audit.append(
        tx,
        Event.MERGE_ASKED,
        now=claim.now,
        actor=claim.session.subject_id,
        origin=claim.origin,
        outcome=outcome,
        subject_id=reserved.other.id if reserved.other else None,
    )
