"""SMS: one POST to a gateway that the operator names; no vendor's kit."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import orjson

from idp.foundation.outgoing import Outgoing, Purpose
from idp.messaging.rules import Reason, Undelivered
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


class SmsTransport(Protocol):
    """Where short messages go: `None` once one was taken, else why not."""

    def send(self, text: str, *, phone: str, identity: UUID) -> Undelivered | None: ...


@dataclass(frozen=True, slots=True)
class GatewayTransport:
    """POSTs `{"id", "to", "text"}` as JSON; `id` is the same for a repeat, any 2xx means taken."""

    url: str = field(repr=False)
    token: Secret | None
    outgoing: Outgoing = field(repr=False)

    def send(self, text: str, *, phone: str, identity: UUID) -> Undelivered | None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(identity)}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        body = orjson.dumps({"id": str(identity), "to": phone, "text": text})
        reply = self.outgoing.post(self.url, purpose=Purpose.SMS_GATEWAY, body=body, headers=headers)
        if isinstance(reply, Refused):
            return Undelivered(Reason.TRY_LATER, f"gateway {reply.reason.value}")
        if 200 <= reply.status < 300:
            return None
        wrong_message = reply.status in {400, 422}
        return Undelivered(Reason.REJECTED if wrong_message else Reason.TRY_LATER, f"gateway {reply.status}")


@dataclass(frozen=True, slots=True)
class NoSms:
    """Without a gateway no SMS is sent, and the outbox says so at once."""

    def send(self, text: str, *, phone: str, identity: UUID) -> Undelivered | None:
        return Undelivered(Reason.REJECTED, "IDP_SMS_URL is not set")
