"""One back-channel logout call (OIDC Back-Channel Logout §2.5): a token minted now, sent through the guarded door."""

from datetime import datetime, timedelta
from typing import Any, Final

from idp.foundation import house
from idp.foundation.outgoing import Outgoing, Purpose
from idp.messaging.rules import Reason
from idp.oidc import tokens
from idp.relying_parties import service as relying_parties
from idp.vocabulary.refused import Refused

TIMEOUT: Final = timedelta(seconds=5)


def deliver(row: Any, now: datetime) -> Refused | None:
    """Tell one relying party that one session has ended; `None` when it took the token (LO-12)."""
    party = relying_parties.find(row.client_id)
    if party is None or party.registration.backchannel_logout_uri is None:
        return None
    token = tokens.logout_token(party, sub=row.sub, sid=row.sid, now=now)
    reply = house.get(Outgoing).post(
        party.absolute(party.registration.backchannel_logout_uri),
        purpose=Purpose.BACKCHANNEL_LOGOUT,
        form={"logout_token": token},
        timeout=TIMEOUT,
    )
    if isinstance(reply, Refused):
        return reply
    return None if reply.status in {200, 204} else Refused(Reason.TRY_LATER)
