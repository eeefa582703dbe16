"""Saying that the evidence was seen, or that it was not enough; under the staff person's name."""

from uuid import UUID

from idp.authenticators.lost_factors import service
from idp.authenticators.lost_factors.rules import Starter
from idp.console.staff.service import By
from idp.foundation.database import writing
from idp.vocabulary.refused import Refused


def confirm(by: By, *, recovery_id: UUID, note: str) -> Refused | None:
    """The registrar saw what the person's access rests on; never whoever started it, never for themselves."""
    assert by.subject_id is not None
    with writing() as tx:
        outcome = service.confirm(tx, recovery_id=recovery_id, staff_id=by.subject_id, note=note, by=_by(by))
    return outcome if isinstance(outcome, Refused) else None


def refuse(by: By, *, recovery_id: UUID, note: str) -> Refused | None:
    """End it; the person is told."""
    with writing() as tx:
        outcome = service.refuse(tx, recovery_id=recovery_id, note=note, by=_by(by))
    return outcome if isinstance(outcome, Refused) else None


def _by(by: By) -> service.By:
    return service.By(Starter.ADMINISTRATOR, by.actor, by.now, by.origin)
