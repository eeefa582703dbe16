"""What the payer's acts leave behind: lines in a person's history at a target, as managers do (E9), and audit events."""

from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import next_number
from idp.affiliations.deciding.models import Comment
from idp.affiliations.models import Affiliation
from idp.audit import service as audit
from idp.audit.events import Event
from idp.console.staff.service import By
from idp.foundation.database import see_as
from idp.vocabulary.refused import Refused


def remember(tx: Session, by: By, row: Affiliation, *, action: str, text: str) -> None:
    """One more line; the affiliation's row is locked."""
    see_as(tx, target_id=row.target_id)
    tx.add(
        Comment(
            affiliation_id=row.id,
            target_id=row.target_id,
            number=next_number(tx, row.id),
            action=action,
            text=text.strip(),
            author=by.actor,
            at=by.now,
        )
    )
    tx.flush()  # while the fence is open for this target


def record(
    tx: Session,
    by: By,
    row: Affiliation,
    *,
    client_id: str,
    act: str,
    event: Event = Event.AFFILIATION_CHANGED,
    refused: Refused | None = None,
) -> None:
    """The audit event of an act on somebody's access, done or refused."""
    audit.append(
        tx,
        event,
        now=by.now,
        actor=by.actor,
        origin=by.origin,
        outcome="ok" if refused is None else refused.reason.value,
        subject_id=row.subject_id,
        client_id=client_id,
        target_kind=row.target_kind,
        target_id=row.target_id,
        details={"act": act},
    )
