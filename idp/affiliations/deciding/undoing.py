"""Taking back what was done a moment ago, where that harms nobody: by who did it, as long as nothing changed since.

AD-26 and *Undo*: enabling asks for a fresh proof of the mailbox; undoing one's own disabling within ten minutes does not. It
says that the disabling was a slip, so it gives back what was, and nothing that was ended with it: no token, no session's
grant, no open link or invitation. The line in the history, the ten minutes and the row's version, all judged under the lock,
keep it from being a way around the proof.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding import service
from idp.affiliations.deciding.facts import (
    COMMENT_LENGTH,
    Line,
    actor_at,
    history,
    member_of,
    next_number,
    place_of,
    row_of,
)
from idp.affiliations.deciding.models import Comment
from idp.affiliations.deciding.rules import Act, Member, Reason
from idp.affiliations.deciding.service import Asked, Done
from idp.affiliations.managers.facts import lock
from idp.foundation.database import see_as
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.affiliation import Acting, AffiliationStatus
from idp.vocabulary.refused import Refused

UNDO_FOR: Final = timedelta(minutes=10)
LINE: Final = "undo"
_FROM: Final = {AffiliationStatus.ACTIVE.value, AffiliationStatus.UNVERIFIED.value}


def undoable(line: Line | None, *, by: str, member: Member, now: datetime) -> Act | None:
    """The act that may be taken back: the last line of the history, one's own, of a moment ago. Pure."""
    if line is None or line.author != by or member.subject_id == by or now - line.at >= UNDO_FOR:
        return None
    if line.action == Act.DISABLE and line.text in _FROM:
        lasts = member.status is AffiliationStatus.DISABLED and member.disabled_by == "manager"
        return Act.DISABLE if lasts else None
    if line.action == Act.ENABLE:
        return Act.ENABLE if member.status is AffiliationStatus.UNVERIFIED else None
    if line.action == Act.SET_LEVELS and line.text and len(line.text) < COMMENT_LENGTH:
        return Act.SET_LEVELS
    return None


def undo(
    tx: Session,
    *,
    affiliation_id: UUID,
    version: int,
    acting: Acting,
    party: RelyingParty,
    now: datetime,
    origin: Origin,
) -> Done | Refused:
    """Undo, judged under the same lock and, where it is an act of its own, by the same rule."""
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    lock(tx, place.target)
    actor = actor_at(tx, place, acting=acting, now=now)
    row = None if isinstance(actor, Refused) else row_of(tx, place, affiliation_id, lock=True)
    if isinstance(actor, Refused) or row is None:
        return actor if isinstance(actor, Refused) else Refused(Reason.UNKNOWN)
    member, last = member_of(place, row, now=now), next(iter(history(tx, row.id, limit=1)), None)
    what = undoable(last, by=actor.subject_id, member=member, now=now)
    if what is None or last is None:
        return Refused(Reason.NOTHING_TO_UNDO)
    if version != row.version:
        return Refused(Reason.CHANGED_MEANWHILE)
    if what is not Act.DISABLE:
        levels = _before(last, member) if what is Act.SET_LEVELS else ()
        asked = Asked(Act.SET_LEVELS if levels else Act.DISABLE, row.id, version, levels=levels)
        return service.act(tx, asked, acting=acting, party=party, now=now, origin=origin)
    affiliations.change_status(
        tx, affiliation_id=row.id, status=AffiliationStatus(last.text), now=now, actor=actor.subject_id,
        origin=origin, acting=acting,
    )  # fmt: skip
    see_as(tx, target_id=place.target.id)
    tx.add(
        Comment(
            affiliation_id=row.id, target_id=row.target_id, number=next_number(tx, row.id), action=LINE, text="",
            author=actor.subject_id, at=now,
        )
    )  # fmt: skip
    tx.flush()
    return Done(Act.DISABLE, row.id, row.subject_id, member.status)


def _before(line: Line, member: Member) -> tuple[str, ...]:
    """The levels of before, from what the history says came and went."""
    parts = line.text.split(", ")
    came = {part[1:] for part in parts if part.startswith("+")}
    went = {part[1:] for part in parts if part.startswith("-")}
    return tuple(sorted((member.levels - came) | went))
