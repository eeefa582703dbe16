"""What the pages of both steps need to know before they show anything; everything comes from the transaction's row."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from idp.authenticators.factors import adding, facts, proving
from idp.authenticators.factors.kinds import CHALLENGE_PAGES, SET_UP_PAGES
from idp.authenticators.factors.rules import Held, kinds_of, still_pending, working
from idp.authenticators.upstairs import Upstairs
from idp.foundation import clock, house
from idp.foundation.database import reading
from idp.foundation.front_door import origin
from idp.foundation.pages import show_person
from idp.sessions import cookies
from idp.sessions import parked as pages
from idp.sessions.parked import Parked
from idp.sessions.rules import SessionFacts, TransactionFacts
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.assurance import Factor


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who is asked for a second factor: what they hold of what is accepted here."""

    parked: Parked
    subject: SubjectFacts
    ways: tuple[Held, ...]
    accepts: tuple[Factor, ...]
    remember_days: int = 0
    """For how long *do not challenge me on this device* may be offered here; 0: not at all."""

    @property
    def txn(self) -> UUID:
        return self.parked.transaction.id

    def others(self, kind: Factor) -> tuple[Factor, ...]:
        """Other kinds that would do here: what *Another way* lists."""
        kinds = {*kinds_of(self.ways), *(k for k in self.accepts if k is Factor.RECOVERY)}
        return tuple(each for each in CHALLENGE_PAGES if each in kinds and each is not kind)

    def of_kind(self, kind: Factor) -> tuple[Held, ...]:
        return tuple(way for way in self.ways if way.kind is kind)


@dataclass(frozen=True, slots=True)
class SettingUp:
    """Somebody at the set-up step: what they hold, and which kinds may be added here."""

    parked: Parked
    session: SessionFacts
    subject: SubjectFacts
    held: tuple[Held, ...]
    kinds: tuple[Factor, ...]

    @property
    def txn(self) -> UUID:
        return self.parked.transaction.id


def asked(txn: UUID) -> Asked | None:
    """Whom the dispatcher asks here; `None`: back to it, it knows what is next."""
    parked = pages.at_step(txn, step=proving.STEP)
    if parked is None:
        return None
    transaction, session = parked.transaction, cookies.current_session()
    if transaction.pending is None and not parked.was_shown_to(session):
        return None
    subject_id = transaction.pending.subject_id if transaction.pending else session.subject_id if session else ""
    with reading() as tx:
        subject = subjects.by_id(tx, subject_id=subject_id)
        held = facts.held(tx, subject_id=subject_id)
        days = _remember_days(tx, transaction, subject_id=subject_id)
    if subject is None:
        return None
    if transaction.pending is not None:
        if not still_pending(transaction.pending, subject=subject, now=clock.now()):
            return None
        show_person(None)  # nobody is signed in yet, whoever's session this browser may hold
    ways = tuple(each for each in working(held) if each.kind in transaction.accepts)
    return Asked(parked, subject, ways, transaction.accepts, days)


def _remember_days(tx: Session, transaction: TransactionFacts, *, subject_id: str) -> int:
    if transaction.pending is None:
        return 0
    allowed = house.get(Upstairs).remembered_for
    return allowed(tx, transaction=transaction, subject_id=subject_id, now=clock.now()).days


def setting_up(txn: UUID) -> SettingUp | None:
    """Who sets up a factor here; `None`: back to the dispatcher."""
    parked, session = pages.at_step(txn, step=adding.STEP), cookies.current_session()
    if parked is None or session is None or not parked.was_shown_to(session):
        return None
    with reading() as tx:
        subject = subjects.by_id(tx, subject_id=session.subject_id)
        held = facts.held(tx, subject_id=session.subject_id)
    if subject is None:
        return None
    offered = SET_UP_PAGES.keys() - _unreachable()
    kinds = tuple(kind for kind in Factor if kind in parked.transaction.accepts and kind in offered)
    return SettingUp(parked, session, subject, held, kinds)


def _unreachable() -> frozenset[Factor]:
    """Without a gateway no SMS is sent, so nobody may come to rely on one."""
    settings = house.get(Settings)
    return frozenset() if settings.demo or settings.sms_url is not None else frozenset({Factor.SMS})


def attempt(txn: UUID, *, remember: bool = False) -> proving.Attempt:
    """This request as a try at the second-factor step."""
    return proving.Attempt(
        txn=txn,
        browser_digest=cookies.browser_digest(),
        session=cookies.current_session(),
        origin=origin(),
        now=clock.now(),
        devices=cookies.sent_devices(),
        remember=remember,
    )


def set_up(at: SettingUp) -> adding.SetUp:
    """This request as an act at the set-up step."""
    return adding.SetUp(
        txn=at.txn,
        browser_digest=cookies.browser_digest(),
        session=at.session,
        origin=origin(),
        now=clock.now(),
    )
