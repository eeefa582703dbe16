"""The link by which whoever asked sees how their request stands, and may take it back."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.affiliations.requests.models import AccessRequest
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.settings import Settings
from idp.vocabulary.secret import Secret

STATUS_PATH: Final = "/access-request"
LINK_LIFETIME: Final = timedelta(days=30)
"""How long the requester may look at what became of it."""


def status_link(tx: Session, row: AccessRequest, *, now: datetime) -> Secret:
    """A new one; those before it work on."""
    secret, _identity = artefacts.issue(
        tx,
        kind=Kind.ACCESS_REQUEST,
        now=now,
        lifetime=LINK_LIFETIME,
        subject_id=row.subject_id,
        family=row.id,
        payload={"target": str(row.target_id)},
    )
    return Secret(f"{house.get(Settings).issuer}{STATUS_PATH}?token={secret.reveal()}")
