"""Asking for access in a test, and the mailed link."""

from datetime import datetime
from typing import Any
from uuid import UUID

from idp.affiliations.requests import service
from idp.affiliations.requests.service import Requester, Submitted
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused

HERE = Origin("192.0.2.9", "r")
JUNE = Requester(
    email="June.Harwood@mail.test", given_name="June", family_name="Harwood", position="Office manager",
    phone="+15555550199", extension="12",
)  # fmt: skip


def submit(
    party: RelyingParty,
    target_id: UUID,
    *,
    now: datetime,
    requester: Requester = JUNE,
    kind: TargetKind = TargetKind.PROVIDER,
    reason: str = "I send the claims.",
) -> Submitted | Refused:
    with writing() as tx:
        return service.submit(
            tx, requester=requester, party=party, kind=kind, target_id=target_id, reason=reason, now=now, origin=HERE
        )


def link_of(make: Any) -> str:
    """The secret in the newest mail with a link to a request."""
    rows = [row for row in make.rows(OutboxMessage) if row.notice == "access_request_received"]
    newest = max(rows, key=lambda row: row.id)
    url: str = messaging.opened(newest).payload.context["url"]
    return url.partition("token=")[2]
