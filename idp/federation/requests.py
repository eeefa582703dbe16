"""What we asked of an upstream provider, kept until its answer comes: one artefact, good once, in one browser (FE-04).

Its secret is `state` (SAML: RelayState). Whatever else the answer must match is derived from that under our own key, so
nothing secret is kept, and nothing can be swapped between two requests.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.federation.rules import Reason
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import Rows
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

REMEMBERED: Final = timedelta(hours=25)
"""How long a message that counts once is remembered: longer than any of them is taken."""
LIFETIME: Final = timedelta(minutes=30)
"""How long somebody may take at the other provider; within the transaction's own hour."""


class Purpose(StrEnum):
    """What the answer is for."""

    SIGN_IN = "sign_in"
    LINK = "link"
    """Somebody signed in adds it to their account."""
    TEST = "test"
    """Staff try the connection; nobody is signed in by that."""
    SIGN_OUT = "sign_out"
    """The browser comes back from signing out there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under way, as it was when it was sent."""

    connection: str
    issuer: str
    purpose: Purpose
    at: datetime
    txn: UUID | None = None
    """The parked sign-in that it serves; `None` for a test."""
    again: bool = False
    """The person was to sign in there anew: an older sign-in is no answer."""
    max_age: int | None = None
    """Seconds; how old that sign-in may be."""
    by: str | None = None
    """Who is signed in here and links or tests; the answer counts for nobody else."""
    onward: str | None = None
    """Where a sign-out goes on, as it was checked here."""


def keep(tx: Session, asked: Asked, *, browser_digest: bytes) -> Secret:
    """Park it for this browser; the secret is the request's `state`."""
    payload = {
        "connection": asked.connection,
        "issuer": asked.issuer,
        "purpose": asked.purpose.value,
        "at": asked.at.isoformat(),
        "txn": None if asked.txn is None else str(asked.txn),
        "again": asked.again,
        "max_age": asked.max_age,
        "by": asked.by,
        "onward": asked.onward,
    }
    state, _ = artefacts.issue(
        tx,
        kind=Kind.UPSTREAM_REQUEST,
        now=asked.at,
        lifetime=LIFETIME,
        bound_to=_bound_to(asked.connection, browser_digest),
        payload=payload,
    )
    return state


def look(tx: Rows, state: str, *, connection: str, browser_digest: bytes, now: datetime) -> Asked | Refused:
    """The request that an answer at this connection's own callback names, while it is open in this browser (FE-05)."""
    found = artefacts.peek(
        tx,
        kind=Kind.UPSTREAM_REQUEST,
        digest=digest_of(state),
        now=now,
        bound_to=_bound_to(connection, browser_digest),
    )
    return _asked(found) if isinstance(found, Redeemed) else Refused(Reason.STATE)


def use_up(tx: Session, state: str, *, connection: str, browser_digest: bytes, now: datetime) -> Asked | Refused:
    """As `look`, once: of two answers to one request one is taken."""
    found = artefacts.redeem(
        tx,
        kind=Kind.UPSTREAM_REQUEST,
        digest=digest_of(state),
        now=now,
        bound_to=_bound_to(connection, browser_digest),
    )
    return _asked(found) if isinstance(found, Redeemed) else Refused(Reason.STATE)


def derived(state: Secret, *, purpose: str) -> str:
    """256 bits that belong to this `state` and purpose (`nonce`, `pkce`, `request-id`), known to nobody without our key."""
    key = house.get(Keyring).derive(f"upstream-{purpose}")
    return urlsafe_b64encode(hmac.digest(key, state.reveal().encode(), "sha256")).rstrip(b"=").decode("ascii")


def _bound_to(connection: str, browser_digest: bytes) -> str:
    return f"{browser_digest.hex()}:{connection}"


def _asked(found: Redeemed) -> Asked:
    kept = found.payload
    return Asked(
        connection=kept["connection"],
        issuer=kept["issuer"],
        purpose=Purpose(kept["purpose"]),
        at=datetime.fromisoformat(kept["at"]),
        txn=None if kept["txn"] is None else UUID(kept["txn"]),
        again=kept["again"],
        max_age=kept["max_age"],
        by=kept["by"],
        onward=kept["onward"],
    )
