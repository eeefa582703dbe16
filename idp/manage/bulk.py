"""Several acts in one transaction: the first that is refused undoes them all, and is kept in the audit (AD-23)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from idp.affiliations.deciding.service import Asked
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.manage.service import Opened, act_in
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Undone:
    """Why nothing was done, and at whom it failed."""

    refused: Refused
    affiliation_id: UUID


class _Stop(Exception):
    """Rolls the transaction back."""

    def __init__(self, undone: Undone) -> None:
        super().__init__(undone.refused.reason.value)
        self.undone = undone


def act(opened: Opened, every: Sequence[Asked], *, now: datetime, origin: Origin) -> Undone | None:
    """Do all, in the order of their ids, so that two managers at once wait for one another instead of for ever."""
    try:
        with writing() as tx:
            for asked in sorted(every, key=lambda each: each.affiliation_id):
                outcome = act_in(tx, opened, asked, now=now, origin=origin)
                if isinstance(outcome, Refused):
                    raise _Stop(Undone(outcome, asked.affiliation_id))
    except _Stop as stopped:
        _keep(opened, stopped.undone, every, now=now, origin=origin)
        return stopped.undone
    return None


def _keep(opened: Opened, undone: Undone, every: Sequence[Asked], *, now: datetime, origin: Origin) -> None:
    target = opened.place.target
    with writing() as tx:
        audit.append(
            tx,
            Event.AFFILIATION_CHANGED,
            now=now,
            actor=opened.acting.subject_id,
            origin=origin,
            outcome=undone.refused.reason.value,
            client_id=opened.place.party.client_id,
            target_kind=target.kind.value,
            target_id=target.id,
            details={"act": every[0].act.value, "affiliation": undone.affiliation_id, "people": len(every)},
        )
