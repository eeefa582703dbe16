"""A message to a portal's support: counted, audited, and owed to its stored address in one transaction (X7, RC-07)."""

from dataclasses import dataclass, field
from datetime import datetime

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.help import budgets
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote; all of it is a stranger's word."""

    name: str = field(repr=False)
    email: str = field(repr=False)
    text: str = field(repr=False)
    subject_id: str | None
    """Who is signed in at the browser, if anybody: the staff are told that it is so, and no more."""


def send(party: RelyingParty, message: Message, *, to: str, origin: Origin, now: datetime) -> Refused | None:
    """Owe it to the support's own address; the address typed is only ever read, never written to."""
    with writing() as tx:
        refused = budgets.reserve(tx, address=origin.address, client_id=party.client_id, now=now)
        if refused is None:
            notices.notify_address(
                tx,
                notice="support_message",
                email=to,
                name="",
                locale=None,
                zoneinfo=None,
                party=party,
                context={
                    "person": message.name,
                    "reply_to": message.email,
                    "message": message.text,
                    "signed_in": message.subject_id is not None,
                },
                now=now,
            )
        audit.append(
            tx,
            Event.SUPPORT_MESSAGE_SENT,
            now=now,
            actor=message.subject_id or "anonymous",
            origin=origin,
            outcome="ok" if refused is None else refused.reason.value,
            subject_id=message.subject_id,
            client_id=party.client_id,
        )
    return refused
