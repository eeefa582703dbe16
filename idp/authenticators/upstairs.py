"""What rooms above this one do inside its transactions, handed in by `create_app`.

Affiliations and consent stand beside and above the authenticators, so they are not imported here; the facts that
a sign-in needs of them come through this.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.sessions.rules import Ahead, Known, SessionFacts, TransactionFacts
from idp.subjects.rules import SubjectFacts


class PortalsHeld(Protocol):
    """`client_id` of every portal at which a person holds an affiliation that has not ended (MODEL §4)."""

    def __call__(self, tx: Session, *, subject_id: str, now: datetime) -> Collection[str]: ...


class AcceptTerms(Protocol):
    """Record that a person accepted the terms beside a portal's sign-in button (B1), once per version; tells kind and
    version of all that they have accepted there.
    """

    def __call__(
        self, tx: Session, *, subject_id: str, party: RelyingParty, now: datetime, origin: Origin
    ) -> frozenset[tuple[str, str]]: ...


class RememberedFor(Protocol):
    """How long ago a device may have been remembered to stand in for the factor at this sign-in (C5); zero: it may not."""

    def __call__(self, tx: Session, *, transaction: TransactionFacts, subject_id: str, now: datetime) -> timedelta: ...


class GoOn(Protocol):
    """Settle what comes next for a browser that was just signed in: a step, or the answer to the client that asked."""

    def __call__(
        self,
        tx: Session,
        *,
        transaction: TransactionFacts,
        session: SessionFacts,
        known: Known,
        origin: Origin,
        now: datetime,
    ) -> Ahead: ...


class Joined(Protocol):
    """Note that the session which an upstream sign-in began was made, after its second factor."""

    def __call__(self, tx: Session, *, txn: UUID, session_id: UUID) -> object: ...


class IsStaff(Protocol):
    """Whether a person holds a staff role: their factors open the console, so more is asked before they are taken away."""

    def __call__(self, tx: Session, *, subject_id: str) -> bool: ...


class UnlinkSince(Protocol):
    """Take away the upstream identities that were linked to a person from `since` on (*This wasn't me*)."""

    def __call__(
        self, tx: Session, *, subject: SubjectFacts, since: datetime, now: datetime, origin: Origin
    ) -> object: ...


class SparesAt(Protocol):
    """Whether the upstream sign-in by which a session began stands in for a local factor at this portal."""

    def __call__(self, tx: Session, *, session: SessionFacts, portal: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Upstairs:
    """Furnished once by `create_app` (`idp.account.upstairs` makes it)."""

    portals_held: PortalsHeld
    accept_terms: AcceptTerms
    remembered_for: RememberedFor
    go_on: GoOn
    joined: Joined
    is_staff: IsStaff
    unlink_since: UnlinkSince
    spares_at: SparesAt
