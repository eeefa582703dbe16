"""Opening the mailed link: what the page behind it asks, and what pressing its button does, once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.admission import Arrival, admit
from idp.authenticators.password import setting
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.password.rules import Reason as PasswordReason
from idp.enrollment import completing, runs
from idp.enrollment.completing import Undone
from idp.enrollment.mailbox import ACCOUNT, LINK, known_at, mark_of
from idp.enrollment.place import Visit, stand
from idp.enrollment.rules import Complete, Reason, options_of, pages_of
from idp.enrollment.runs import Run
from idp.foundation import artefacts, house, limiter
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import new_id, reading, writing
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions.rules import PASSWORD, SessionFacts
from idp.sessions.service import NewSession
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import NewSubject, user_id_key
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

TYPED: Final = Budget(
    name="enrollment_password",
    limit=5,
    window=timedelta(minutes=15),
    lock_first=timedelta(minutes=15),
    lock_max=timedelta(hours=24),
    ever=50,
)
"""Passwords tried at one enrollment's link."""


class Asks(StrEnum):
    """What the page behind the link asks."""

    CONFIRM = "confirm"
    """Only the button: this browser typed the password itself."""
    PASSWORD = "password"
    """The password chosen at registration (A9), or proof that another browser's person is the same."""
    SIGN_IN = "sign_in"
    """The mailbox has an account: sign in to it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that is good now."""

    run: Run
    party: RelyingParty
    asks: Asks
    user_id_taken: bool = False
    """Somebody took the user ID since; another one is asked for."""


@dataclass(frozen=True, slots=True)
class Press:
    """The button behind the link was pressed."""

    token: str
    browser_digest: bytes
    session: SessionFacts | None
    origin: Origin
    now: datetime
    plain: Secret | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Proven:
    """The mailbox is proven: the run goes on here, with a session where the password was typed."""

    run: Run
    cookie: NewSession | None = None


def look(token: str, *, browser_digest: bytes, now: datetime) -> Opened | Refused:
    """What a link is good for; uses nothing up, so that a mail scanner may open it (RC-09)."""
    with reading() as tx:
        return _opened(tx, token, browser_digest=browser_digest, now=now)


def prove(press: Press) -> Proven | Opened | Refused:
    """Use the link: the account is made with what was typed, or the run waits for its owner's sign-in.

    `Opened` asks once more (for another user ID); `Refused(WRONG_PASSWORD)` and `TOO_MANY` leave the link as it was.
    """
    opened = look(press.token, browser_digest=press.browser_digest, now=press.now)
    if isinstance(opened, Refused):
        return opened
    if opened.asks is Asks.PASSWORD:
        refused = _check_password(press, opened)
        if refused is not None:
            return refused
    with writing() as tx:
        run = runs.held(tx, opened.run.id, lock=True)
        again = _opened(tx, press.token, browser_digest=press.browser_digest, now=press.now)
        if run is None or isinstance(again, Refused) or (again.asks, again.run.kept) != (opened.asks, opened.run.kept):
            return Refused(Reason.DEAD_LINK)
        act = _await_sign_in if again.asks is Asks.SIGN_IN else _make_account
        try:
            with tx.begin_nested():
                return act(tx, press, again, run)
        except Undone as undone:
            _audit(tx, again, press, outcome=undone.refused.reason.value)
            return undone.refused


def _opened(tx: Session, token: str, *, browser_digest: bytes, now: datetime) -> Opened | Refused:
    found = artefacts.peek(tx, kind=Kind.EMAIL_PROOF, digest=digest_of(token), now=now)
    if not isinstance(found, Redeemed) or "run" not in found.payload:
        return Refused(Reason.DEAD_LINK)
    run = runs.held(tx, UUID(found.payload["run"]))
    party = relying_parties.find(run.client_id) if run is not None else None
    if run is None or party is None or not party.enabled or run.ceremony not in party.manifest.enrollment:
        return Refused(Reason.DEAD_LINK)
    email = str(run.kept.get(ACCOUNT, {}).get("email", ""))
    options = options_of(pages_of(party.manifest.enrollment[run.ceremony])).get(LINK)
    if options is None or found.payload.get("mailbox") != mark_of(email):
        return Refused(Reason.DEAD_LINK)
    if run.subject_id is not None or known_at(tx, email) is not None:
        return Opened(run, party, Asks.SIGN_IN)
    typed_here = run.browser_digest == browser_digest and not getattr(options, "password", False)
    return Opened(run, party, Asks.CONFIRM if typed_here else Asks.PASSWORD)


def _check_password(press: Press, opened: Opened) -> Refused | None:
    """The password typed at registration, tried within limits; hashed in no transaction."""
    with writing() as tx:
        counted = limiter.reserve(tx, budget=TYPED, key=str(opened.run.id), now=press.now)
        if isinstance(counted, Refused):
            _audit(tx, opened, press, outcome=PasswordReason.TOO_MANY.value)
            return Refused(PasswordReason.TOO_MANY)
    digest = str(opened.run.kept[ACCOUNT]["password_digest"])
    verdict = house.get(Kdf).check(press.plain or Secret(""), digest=digest)
    if isinstance(verdict, Refused):
        return verdict
    return None if verdict.right else Refused(PasswordReason.WRONG_PASSWORD)


def _await_sign_in(tx: Session, press: Press, opened: Opened, run: Run) -> Proven:
    """The mailbox's owner has an account: what was typed is dropped, and the run is theirs once they sign in (X4)."""
    _use_up(tx, press)
    email = str(run.kept.get(ACCOUNT, {}).get("email", ""))
    known = known_at(tx, email)
    owner = run.subject_id or (known.id if known is not None else None)
    kept = {name: answers for name, answers in run.kept.items() if name not in _OF_A_NEW_ACCOUNT}
    done = run.done - _OF_A_NEW_ACCOUNT
    moved = runs.save(
        tx,
        run,
        done=done,
        kept=kept,
        subject_id=owner,
        browser_digest=press.browser_digest,
        expires_at=press.now + runs.LIFETIME,
    )
    _audit(tx, opened, press, subject_id=owner)
    return Proven(moved)


def _make_account(tx: Session, press: Press, opened: Opened, run: Run) -> Proven | Opened:
    """The first proof of the mailbox: nobody else's claim on it stands, and the account begins with what was typed."""
    typed = run.kept[ACCOUNT]
    user_id = press.user_id or typed.get("user_id")
    if user_id and not _is_free(tx, user_id):
        return replace(opened, user_id_taken=True)
    _use_up(tx, press)
    subjects.free_unproven_email(tx, email=typed["email"], actor="enrollment", now=press.now, origin=press.origin)
    new = NewSubject(
        user_id=user_id,
        email=typed["email"],
        email_proven=True,
        phone=typed.get("phone"),
        given_name=typed.get("first_name"),
        family_name=typed.get("last_name"),
        display_name=typed.get("display_name"),
        locale=typed.get("locale"),
        zoneinfo=typed.get("zoneinfo"),
    )
    made = subjects.create(tx, new=new, actor="enrollment", now=press.now, origin=press.origin)
    if isinstance(made, Refused):  # somebody was faster with the mailbox or the user ID
        raise Undone(made)
    row = tx.get(Subject, made.id, with_for_update=True)
    assert row is not None, "the account was made in this transaction"
    setting.store_prepared(
        tx, subject=row, digest=typed["password_digest"], satisfies=typed["satisfies"], now=press.now
    )
    run = runs.save(
        tx,
        run,
        done=run.done | {LINK},
        subject_id=made.id,
        browser_digest=press.browser_digest,
        expires_at=press.now + runs.LIFETIME,
    )
    _audit(tx, opened, press, subject_id=made.id)
    cookie = _session(tx, press, row) if opened.asks is Asks.PASSWORD else None
    return _complete(tx, press, opened, run, cookie)


def _complete(tx: Session, press: Press, opened: Opened, run: Run, cookie: NewSession | None) -> Proven:
    visit = Visit(
        party=opened.party,
        ceremony=run.ceremony,
        browser_digest=press.browser_digest,
        session=None,
        origin=press.origin,
        now=press.now,
        run_id=run.id,
    )
    place = stand(tx, visit, run)
    if isinstance(place.verdict(), Complete):
        refused = completing.complete(tx, place)
        if refused is not None:
            raise Undone(refused)
    return Proven(run, cookie)


def _session(tx: Session, press: Press, row: Subject) -> NewSession:
    """The password was typed just now, so this is a sign-in (A9)."""
    arrival = Arrival(
        txn=new_id(),
        client_id=None,
        browser_digest=press.browser_digest,
        session=press.session,
        origin=press.origin,
        now=press.now,
    )
    return admit(
        tx,
        arrival,
        subject=row,
        method=Amr.PASSWORD.value,
        acr=[Acr.AAL1],
        amr=[Amr.PASSWORD],
        proven={PASSWORD: press.now},
    )


def _is_free(tx: Session, user_id: str) -> bool:
    key = user_id_key(user_id)
    return isinstance(key, str) and not subjects.user_id_is_taken(tx, key=key)


def _use_up(tx: Session, press: Press) -> None:
    used = artefacts.redeem(tx, kind=Kind.EMAIL_PROOF, digest=digest_of(press.token), now=press.now)
    if isinstance(used, Refused):
        raise Undone(Refused(Reason.DEAD_LINK))


def _audit(tx: Session, opened: Opened, press: Press, *, outcome: str = "ok", subject_id: str | None = None) -> None:
    audit.append(
        tx,
        Event.MAILBOX_PROVEN,
        now=press.now,
        actor=subject_id or "anonymous",
        origin=press.origin,
        outcome=outcome,
        subject_id=subject_id,
        client_id=opened.party.client_id,
        details={"ceremony": opened.run.ceremony},
    )


_OF_A_NEW_ACCOUNT: Final = frozenset({ACCOUNT, LINK, "site_key", "challenge_questions", "agreement"})
"""Sent before anybody knew that the mailbox has an account: only its owner adds site key and questions, or agrees."""
