"""The two steps of somebody who came from upstream and whom no link names: have an account, or begin one; then confirm.

Both act only in the browser and the sign-in where it arrived, and show whose identity it is (FE-12, FE-13, FE-17).
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.directory import service as directory
from idp.enrollment import brought, runs
from idp.enrollment.runs import Run
from idp.federation import arrivals, asserting, links, rules
from idp.federation.arrivals import Arrived
from idp.federation.connections import facts as connections
from idp.federation.connections.facts import Applied
from idp.federation.rules import Reason, UpstreamIdentity
from idp.federation.service import By, SignedIn, enter, proof_of
from idp.relying_parties import service as relying_parties
from idp.sessions import service as sessions
from idp.sessions import transactions
from idp.sessions.rules import TransactionFacts, Upstream
from idp.sessions.service import NewSession
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import NewSubject, Status, SubjectFacts, login_key
from idp.vocabulary.refused import Refused

FIRST_TIME: Final = "first-time"
LINK: Final = "link-identity"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Who arrived, and what may become of them."""

    arrived: Arrived
    applied: Applied
    may_create: bool
    has_account: bool
    """Their proven mailbox has an account already: told, since they have proven it."""
    ceremony: str | None

    @property
    def identity(self) -> UpstreamIdentity:
        return self.arrived.identity


@dataclass(frozen=True, slots=True)
class Begun:
    """The account exists, its person is in; the portal's ceremony goes on, where there is one."""

    entered: SignedIn
    ceremony: str | None
    run_id: UUID | None


def stranger(tx: Session, *, transaction: TransactionFacts) -> Stranger | Refused:
    """Who waits in this transaction."""
    arrived = arrivals.waiting(tx, txn=transaction.id)
    applied = connections.find(tx, arrived.identity.connection) if arrived is not None else None
    if arrived is None or applied is None or not applied.enabled or transaction.upstream is None:
        return Refused(Reason.NOTHING_ARRIVED)
    people = applied.connection.people
    proven = rules.proves_mailbox(applied.connection, arrived.identity)
    known = _known(tx, arrived.identity) if proven else None
    ceremony = people.ceremonies.get(transaction.client_id or "")
    free = known is None and not links.is_linked(tx, arrived.identity)  # it may have been, in another tab
    may_create = people.create and proven and free and (transaction.client_id is None or ceremony is not None)
    return Stranger(arrived, applied, may_create, known is not None, ceremony)


def has_account(tx: Session, txn: UUID, *, by: By) -> Refused | None:
    """*I have an account*: it is linked once they have signed in here and confirmed it."""
    opened = transactions.open_transaction(tx, txn=txn, browser_digest=by.browser_digest, step=FIRST_TIME, now=by.now)
    if isinstance(opened, Refused):
        return opened
    found = stranger(tx, transaction=opened)
    if isinstance(found, Refused):
        transactions.remember_upstream(tx, txn=txn, state=None)
        return found
    transactions.remember_upstream(tx, txn=txn, state=Upstream.LINKING)
    return None


def never_mind(tx: Session, txn: UUID, *, step: str, by: By) -> Refused | None:
    """Forget who arrived, and go on as if nobody had."""
    opened = transactions.open_transaction(tx, txn=txn, browser_digest=by.browser_digest, step=step, now=by.now)
    if isinstance(opened, Refused):
        return opened
    arrivals.drop(tx, txn=txn)
    transactions.remember_upstream(tx, txn=txn, state=None)
    return None


def begin(tx: Session, txn: UUID, *, given_name: str, family_name: str, locale: str, by: By) -> Begun | Refused:
    """*I am new*: the account begins with what upstream proved, linked and signed in; the ceremony asks for the rest."""
    opened = transactions.open_transaction(tx, txn=txn, browser_digest=by.browser_digest, step=FIRST_TIME, now=by.now)
    if isinstance(opened, Refused):
        return opened
    found = stranger(tx, transaction=opened)
    if isinstance(found, Refused):
        return found
    if not found.may_create or found.identity.email is None:
        return Refused(Reason.MAY_NOT_CREATE)
    identity = found.identity
    subjects.free_unproven_email(tx, email=identity.email or "", actor="federation", now=by.now, origin=by.origin)
    new = NewSubject(
        user_id=None,
        email=identity.email,
        email_proven=True,
        given_name=identity.given_name or given_name,
        family_name=identity.family_name or family_name,
        locale=locale,
    )
    made = subjects.create(tx, new=new, actor="federation", now=by.now, origin=by.origin)
    if isinstance(made, Refused):
        return Refused(Reason.MAY_NOT_CREATE)
    row = tx.get(Subject, made.id, with_for_update=True)
    assert row is not None, "the account was made in this transaction"
    if links.add(tx, identity, subject=row, now=by.now, origin=by.origin, told=False) is not None:
        tx.rollback()  # it was linked at this very moment: nobody is made
        return Refused(Reason.MAY_NOT_CREATE)
    transactions.remember_upstream(tx, txn=txn, state=None)
    asserting.hold(tx, identity, subject_id=made.id)
    asserting.settle(tx, found.applied.connection, identity, subject_id=made.id, now=by.now, origin=by.origin)
    entered = SignedIn(txn, _enter(tx, row, found, opened, by))
    return Begun(entered, found.ceremony, _run(tx, opened, found, subject_id=made.id, by=by))


def _run(tx: Session, opened: TransactionFacts, found: Stranger, *, subject_id: str, by: By) -> UUID | None:
    """The portal's ceremony, begun for its new person, with what the connection may bring to it."""
    if found.ceremony is None or opened.client_id is None:
        return None
    run = runs.begin(
        tx,
        client_id=opened.client_id,
        ceremony=found.ceremony,
        browser_digest=by.browser_digest,
        subject_id=subject_id,
        now=by.now,
    )
    _bring(tx, found, run, by)
    return run.id


def _bring(tx: Session, found: Stranger, run: Run, by: By) -> None:
    """What the connection may bring to this portal's ceremony is filled in and locked."""
    identity, connection = found.identity, found.applied.connection
    said = rules.brought(connection, identity.claims, portal=run.client_id)
    practice = directory.practice_by_tin(tx, said.tin) if said is not None else None
    party = relying_parties.find(run.client_id)
    if said is None or practice is None or party is None:
        return
    source = {
        "connection": identity.connection,
        "issuer": identity.issuer,
        "subject": identity.subject,
        "claims": {name: list(values) for name, values in said.claims.items()},
    }
    brought.bring(
        tx,
        run,
        practice,
        party=party,
        evidence=said.kind,
        source=source,
        names=asserting.names_of(connection),
        may_manage=said.may_manage,
        now=by.now,
        origin=by.origin,
    )


def confirm(tx: Session, txn: UUID, *, by: By) -> Refused | None:
    """*Link it*: to whoever is signed in and has just proven it, in the session to which the page was shown."""
    session = by.session
    if session is None:
        return Refused(Reason.NOT_FRESH)
    waiting = arrivals.waiting(tx, txn=txn)
    if waiting is not None:
        asserting.hold(tx, waiting.identity, subject_id=session.subject_id)
    opened = transactions.open_transaction(
        tx, txn=txn, browser_digest=by.browser_digest, step=LINK, now=by.now, session_id=session.id
    )
    if isinstance(opened, Refused):
        return opened
    if sessions.hold(tx, session) is None or not links.is_fresh_enough(tx, session, now=by.now):
        return Refused(Reason.NOT_FRESH)
    found = stranger(tx, transaction=opened)
    row = tx.get(Subject, session.subject_id, with_for_update=True)
    if isinstance(found, Refused) or row is None or row.status != Status.ACTIVE:
        transactions.remember_upstream(tx, txn=txn, state=None)
        return found if isinstance(found, Refused) else Refused(Reason.DISABLED)
    transactions.remember_upstream(tx, txn=txn, state=None)
    refused = links.add(tx, found.identity, subject=row, now=by.now, origin=by.origin)
    if refused is None:
        arrivals.joined(tx, txn=txn, session_id=session.id)
        asserting.settle(tx, found.applied.connection, found.identity, subject_id=row.id, now=by.now, origin=by.origin)
    return refused


def _enter(tx: Session, row: Subject, found: Stranger, transaction: TransactionFacts, by: By) -> NewSession:
    spared = rules.spares_factor(found.applied.connection, found.identity)
    spared_by = found.identity.connection if spared else None
    return enter(tx, row, proof_of(found.identity, now=by.now), transaction, by, spared_by=spared_by)


def _known(tx: Session, identity: UpstreamIdentity) -> SubjectFacts | None:
    found = subjects.find_by_login(tx, key=login_key(identity.email or "?"))
    return found if found is not None and found.status is not Status.UNVERIFIED else None
