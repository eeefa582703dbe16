"""Asking for a reset link or a user ID, and using the link.

An account that is not there costs the same statements as one that is: a link that nobody ever gets takes the place
of the mail (SI-02, ruling 12).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.challenge_questions.rules import Question
from idp.authenticators.password import facts as passwords
from idp.authenticators.password import mailbox, setting
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.recovery import questions, rules
from idp.authenticators.recovery.rules import Reason
from idp.foundation import artefacts, house, limiter
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import reading, writing
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.messaging.rules import Link
from idp.relying_parties import service as relying_parties
from idp.relying_parties.manifest import PasswordPolicy
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.sessions import service as sessions
from idp.sessions.rules import Ended
from idp.settings import Settings
from idp.subjects import legacy
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import NOBODY, SubjectFacts, account_key
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

ASKED: Final = Budget(
    name="recovery",
    limit=rules.ASKED_AN_HOUR,
    window=timedelta(hours=1),
    lock_first=timedelta(hours=1),
    lock_max=timedelta(hours=1),
)
_NO_MAILBOX: Final = "nobody@mailbox.example"
RESET_PATH: Final = "/sign-in/reset"


@dataclass(frozen=True, slots=True)
class Ask:
    """One filled-in form: the login key typed, and the parked sign-in it came from, if this browser holds one."""

    login: str
    origin: Origin
    now: datetime
    txn: UUID | None = None
    client_id: str | None = None
    actor: str | None = None
    """Who asks on the person's behalf; `None`: whoever sits at the form."""
    caller_checked: bool = False
    """The help desk held what the caller said against what we know; it stands for the secret questions (ruling 1)."""


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A reset link that is good now: whose it is, what the new password must be, where the person came from."""

    subject: SubjectFacts
    policy: PasswordPolicy
    txn: UUID | None
    client_id: str | None
    questions: tuple[Question, ...] = ()
    """To be answered too (ruling 1)."""


def ask_for_reset(ask: Ask) -> None:
    """Mail a reset link to the stored address, if there is somebody to mail it to; tells the caller nothing."""
    with writing() as tx:
        _start(tx, ask, subjects.find_by_login(tx, key=ask.login, portal=ask.client_id))


def start_for(
    tx: Session,
    *,
    subject: SubjectFacts,
    actor: str,
    now: datetime,
    origin: Origin,
    client_id: str | None = None,
    caller_checked: bool = False,
) -> Reason | None:
    """What *Forgot password* does, begun by the help desk for somebody who calls, or by a manager (X5, E5).

    The mail goes to the stored address alone and counts like one that the person asked for; says why there was none.
    A manager checks nobody: who reads the practice's mail must not get around the questions by sending it.
    """
    ask = Ask(subject.id, origin, now, client_id=client_id, actor=actor, caller_checked=caller_checked)
    return _start(tx, ask, subject)


def _start(tx: Session, ask: Ask, subject: SubjectFacts | None) -> Reason | None:
    account = subject.id if subject else ask.login
    has_password = passwords.credential_of(tx, subject_id=account) is not None
    came_from_elsewhere = bool(legacy.of(tx, subject_id=account))
    refused = _reserve(tx, ask, account) or rules.why_no_reset(
        subject, has_password=has_password, had_password_elsewhere=came_from_elsewhere
    )
    proves = refused is Reason.NOT_ACTIVE and rules.may_prove_mailbox(subject, has_password=has_password)
    kind = Kind.MAILBOX_PROOF if proves else Kind.PASSWORD_RESET
    voided = account if refused is None or proves else NOBODY
    artefacts.void(tx, now=ask.now, kind=kind, subject_id=voided)
    if proves and subject is not None:
        mailbox.mail(tx, subject=subject, txn=ask.txn, client_id=ask.client_id, now=ask.now)
    else:
        _mail_reset(tx, ask, subject if refused is None else None)
    event = Event.MAILBOX_PROOF_ASKED if proves else Event.PASSWORD_RESET_ASKED
    _audit(tx, event, ask, subject=subject, refused=None if proves else refused)
    return None if proves else refused


def ask_for_user_id(ask: Ask) -> None:
    """Mail the user ID to the stored address of that e-mail's account; tells the caller nothing.

    Who has none but signed in elsewhere with an old one is told that: of the portal they come from, if there is one.
    """
    with writing() as tx:
        subject = subjects.find_by_login(tx, key=ask.login)
        user_id = _user_id(tx, ask, subject)
        refused = _reserve(tx, ask, account_key(subject, login=ask.login)) or rules.why_no_reminder(
            subject, user_id=user_id
        )
        if refused is None and subject is not None:
            url = f"{house.get(Settings).issuer}/account/"
            context = {"user_id": user_id, "url": url}
            party = _party(ask.client_id)
            notices.notify(tx, notice="user_id_reminder", subject=subject, party=party, context=context, now=ask.now)
        else:
            artefacts.issue(tx, kind=Kind.PASSWORD_RESET, now=ask.now, lifetime=timedelta(0))
        _audit(tx, Event.USER_ID_REMINDED, ask, subject=subject, refused=refused)


def look_at_link(token: str, *, now: datetime) -> OpenLink | Refused:
    """What a reset link is good for; uses nothing up, so that a mail scanner may open it (RC-09)."""
    with reading() as tx:
        found = artefacts.peek(tx, kind=Kind.PASSWORD_RESET, digest=digest_of(token), now=now)
        return found if isinstance(found, Refused) else _opened(tx, found, now=now)


def reset(
    token: str, *, plain: Secret, now: datetime, origin: Origin, answers: Mapping[int, Secret] | None = None
) -> OpenLink | Refused:
    """Set the new password with a link, once (RC-01); whose it is comes from the link alone (RC-02).

    Nobody is signed in by it (RC-10); every session, grant and older link of the person is dead after it (RC-11).
    """
    link = look_at_link(token, now=now)
    if isinstance(link, Refused):
        return Refused(Reason.DEAD_LINK)
    broken = setting.unfit(plain, policy=link.policy, subject=link.subject)
    if broken is not None:
        return broken
    digest = house.get(Kdf).digest(plain)
    if isinstance(digest, Refused):
        return digest
    passed = None
    if link.questions:
        judged = questions.judge(link.subject.id, answers or {}, now=now, origin=origin)
        if isinstance(judged, Refused):
            return judged
        passed = judged
    with writing() as tx:
        row = tx.get(Subject, link.subject.id, with_for_update=True)
        used = artefacts.redeem(tx, kind=Kind.PASSWORD_RESET, digest=digest_of(token), now=now)
        if row is None or isinstance(used, Refused) or isinstance(_opened(tx, used, now=now), Refused):
            return Refused(Reason.DEAD_LINK)
        questions.note(tx, passed, subject_id=row.id, now=now, origin=origin)
        setting.store(tx, subject=row, digest=digest, plain=plain, now=now)
        sessions.end_sessions_of(tx, subject_id=row.id, reason=Ended.PASSWORD_RESET, now=now, origin=origin)
        setting.tell_changed(tx, subject=link.subject, party=_party(link.client_id), now=now)
        audit.append(
            tx,
            Event.PASSWORD_RESET,
            now=now,
            actor=row.id,
            origin=origin,
            subject_id=row.id,
            client_id=link.client_id,
        )
    return link


def _reserve(tx: Session, ask: Ask, account: str) -> Reason | None:
    counted = limiter.reserve(tx, budget=ASKED, key=account, now=ask.now)
    return Reason.TOO_MANY if isinstance(counted, Refused) else None


def _user_id(tx: Session, ask: Ask, subject: SubjectFacts | None) -> str | None:
    old = [each for each in legacy.of(tx, subject_id=account_key(subject, login=ask.login)) if "@" not in each.key]
    if subject is None or subject.user_id:
        return subject.user_id if subject else None
    here = [each for each in old if each.portal == ask.client_id]
    return (here or old)[0].login if old else None


def _mail_reset(tx: Session, ask: Ask, subject: SubjectFacts | None) -> None:
    """The link and its mail; for nobody the statements that they take, and the look at the mailbox's owner of the other."""
    subjects.holder_of_email(tx, email=_NO_MAILBOX)
    secret, identity = _link(tx, ask, subject)
    if subject is None:
        _cost_a_mail(tx, now=ask.now, link=identity)
        return
    lifetime = house.get(Settings).reset_lifetime
    url = Secret(f"{house.get(Settings).issuer}{RESET_PATH}?token={secret.reveal()}")
    notices.notify(
        tx,
        notice="password_reset",
        subject=subject,
        party=_party(ask.client_id),
        context={"url": url},
        now=ask.now,
        link=Link(identity, lifetime),
    )


def _link(tx: Session, ask: Ask, subject: SubjectFacts | None) -> tuple[Secret, UUID]:
    """The link's artefact; for nobody one that is dead already and whose secret nobody learns."""
    return artefacts.issue(
        tx,
        kind=Kind.PASSWORD_RESET,
        now=ask.now,
        lifetime=house.get(Settings).reset_lifetime if subject else timedelta(0),
        subject_id=subject.id if subject else None,
        payload={
            "epoch": subject.epoch if subject else 0,
            "email": subject.email if subject else "",
            "txn": str(ask.txn) if ask.txn else None,
            "client_id": ask.client_id,
            "caller_checked": ask.caller_checked,
        },
    )


def _cost_a_mail(tx: Session, *, now: datetime, link: UUID) -> None:
    """The two statements that owing a mail with a link takes."""
    artefacts.issue(tx, kind=Kind.PASSWORD_RESET, now=now, lifetime=timedelta(0))
    artefacts.start_life(tx, identity=link, now=now, expires_at=now)


def _opened(tx: Session, found: Redeemed, *, now: datetime) -> OpenLink | Refused:
    subject = subjects.by_id(tx, subject_id=found.subject_id or "")
    issued = found.payload
    if subject is None or not rules.link_is_current(
        issued_epoch=issued.get("epoch"), issued_email=issued.get("email"), subject=subject
    ):
        return Refused(Reason.DEAD_LINK)
    policy = setting.policy_asked(tx, subject_id=subject.id, client_id=issued.get("client_id"), now=now)
    txn, client_id = issued.get("txn"), issued.get("client_id")
    asked = (
        ()
        if issued.get("caller_checked")
        else questions.asked_of(tx, subject_id=subject.id, client_id=client_id, now=now)
    )
    return OpenLink(subject, policy, UUID(txn) if txn else None, client_id, asked)


def _party(client_id: str | None) -> RelyingParty | None:
    return relying_parties.find(client_id) if client_id else None


def _audit(tx: Session, event: Event, ask: Ask, *, subject: SubjectFacts | None, refused: Reason | None) -> None:
    audit.append(
        tx,
        event,
        now=ask.now,
        actor=ask.actor or (subject.id if subject else "anonymous"),
        origin=ask.origin,
        outcome=refused.value if refused else "ok",
        subject_id=subject.id if subject else None,
        client_id=ask.client_id,
    )
