"""Lines that the payer leaves in a person's history at a target, as managers do (E9)."""

from sqlalchemy.orm import Session

from idp.affiliations.deciding.facts import next_number
from idp.affiliations.deciding.models import Comment
from idp.affiliations.models import Affiliation
from idp.console.staff.service import By
from idp.foundation.database import see_as


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
