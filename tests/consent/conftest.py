"""Grants of one session at one client."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from idp.consent import grants
from idp.directory.models import Practice, Provider
from idp.foundation.database import writing
from idp.sessions.models import Participant
from idp.subjects.models import Subject
from tests.consent.worlds import authorized
from tests.factories import Make

Authorize = Callable[..., UUID]


@pytest.fixture
def authorize(make: Make, now: datetime) -> Authorize:
    """Grants of one session at one client, for one provider unless told otherwise."""
    client, subject = make.client(), make.subject()
    session, _ = make.session(subject)
    participant = make._save(
        Participant(session_id=session.id, client_id=client.client_id, sub=subject.id, joined_at=now)
    )

    def ask(**changed: Any) -> UUID:
        values: dict[str, Any] = {
            "subject_id": subject.id, "sub": subject.id, "session_id": session.id, "sid": participant.sid,
            "subject_epoch": subject.epoch, "client_epoch": client.epoch,
        }  # fmt: skip
        with writing() as tx:
            return grants.make(tx, authorized(**(values | changed)), now=now, lifetime=timedelta(days=1))

    return ask


def acting(make: Make, target: Any, **changed: Any) -> dict[str, Any]:
    subject = make.rows(Subject)[0]
    row = make.affiliation(subject, target, **changed)
    provider = target.id if isinstance(target, Provider) else None
    practice = target.practice_id if provider else target.id if isinstance(target, Practice) else None
    return {"affiliation_id": row.id, "affiliation_epoch": row.epoch, "provider_id": provider, "practice_id": practice}
