"""Leaving the set-up step: whoever holds a factor leaves with recovery codes (C4)."""

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import facts
from idp.authenticators.factors.adding import STEP, SetUp
from idp.authenticators.factors.rules import Reason, is_fresh, to_prove
from idp.authenticators.recovery_codes import facts as recovery_codes
from idp.authenticators.recovery_codes import service as codes
from idp.foundation.database import writing
from idp.sessions import service as sessions
from idp.sessions import transactions
from idp.sessions.rules import Reason as Parking
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


def finish(set_up: SetUp) -> tuple[Secret, ...] | Refused:
    """Note that the person is done; the recovery codes, where they hold a factor and no code yet: to be shown once."""
    with writing() as tx:
        transaction = transactions.open_transaction(
            tx,
            txn=set_up.txn,
            browser_digest=set_up.browser_digest,
            step=STEP,
            now=set_up.now,
            session_id=set_up.session.id,
        )
        if isinstance(transaction, Refused):
            return transaction
        if sessions.hold(tx, set_up.session) is None:
            return Refused(Parking.SESSION_GONE)
        subject_id = set_up.session.subject_id
        held = facts.held(tx, subject_id=subject_id)
        if not is_fresh(set_up.session, held=to_prove(held), now=set_up.now):
            return Refused(Reason.NOT_FRESH)
        if transaction.set_up_at is None:
            transactions.remember_set_up(tx, txn=set_up.txn, now=set_up.now)
            _audit(tx, set_up, client_id=transaction.client_id)
        if not held or recovery_codes.left(tx, subject_id=subject_id, now=set_up.now):
            return ()
        return codes.make(tx, subject_id=subject_id, origin=set_up.origin, now=set_up.now)


def _audit(tx: Session, set_up: SetUp, *, client_id: str | None) -> None:
    audit.append(
        tx,
        Event.FACTORS_SET_UP,
        now=set_up.now,
        actor=set_up.session.subject_id,
        origin=set_up.origin,
        subject_id=set_up.session.subject_id,
        client_id=client_id,
    )
