"""What a registrar is shown of a recovery."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.authenticators.lost_factors import facts as recoveries
from idp.authenticators.lost_factors.rules import Recovery
from idp.foundation import masks
from idp.subjects import service as subjects


@dataclass(frozen=True, slots=True)
class Waiting:
    """One person, and whom they act for."""

    recovery: Recovery
    name: str
    login: str
    access: tuple[str, ...]


def waiting(tx: Session, *, now: datetime) -> list[Waiting]:
    """Recoveries that the payer did not speak for yet, oldest first."""
    found = []
    for recovery in recoveries.waiting_for_staff(tx, now=now):
        subject = subjects.by_id(tx, subject_id=recovery.subject_id)
        if subject is None:
            continue
        held = affiliations.held(tx, subject_id=subject.id, now=now)
        login = subject.user_id or masks.email(subject.email)
        found.append(Waiting(recovery, subject.name, login, tuple(each.target.name for each in held)))
    return found
