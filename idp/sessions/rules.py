"""When a session lives, and whether a transaction may go on (SECURITY D2, D4; SE-03)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from idp.vocabulary.assurance import Acr, Amr, Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

PASSWORD: Final = "password"
"""The password among what a session has proven."""
UPSTREAM: Final = "upstream"
"""A sign-in at an upstream provider among it, at the moment that provider names."""
_UPSTREAM_FACTOR: Final = "upstream_factor:"
"""That sign-in had a second factor of its own, and this connection says that none is asked here for it."""
PENDING_FOR: Final = timedelta(minutes=15)
"""How long a right password waits for its second factor."""


class Reason(StrEnum):
    """Why a transaction cannot go on."""

    UNKNOWN_TRANSACTION = "unknown_transaction"
    EXPIRED_TRANSACTION = "expired_transaction"
    OTHER_BROWSER = "other_browser"
    NOT_AWAITED = "not_awaited"
    FINISHED = "finished"
    SESSION_GONE = "session_gone"
    """The session was ended or rotated meanwhile (RA-13)."""


class Ended(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    BY_OWNER = "by_owner"
    REPLACED = "replaced"
    EXPIRED = "expired"
    IDLE = "idle"
    EPOCH = "epoch"
    PASSWORD_RESET = "password_reset"
    FACTORS_REMOVED = "factors_removed"
    DEVICE_COPIED = "device_copied"
    MERGED = "merged"
    CLOSED = "closed"
    UPSTREAM = "upstream"
    """The upstream provider said that its session is over."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One browser's sign-in as read from its row."""

    id: UUID
    subject_id: str
    auth_time: datetime
    acr: frozenset[Acr]
    amr: tuple[Amr, ...]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    subject_epoch: int
    system_epoch: int
    digest_prefix: str
    proven: Mapping[str, datetime] = field(default_factory=dict)
    """When each factor was last proven here, by its kind; a password by `password`."""
    looked_at: datetime | None = None
    """When the browser last asked for a page; `None` in rows of before that was kept."""
    resumed_at: datetime | None = None
    """When the person came back after being away so long that they prove themselves anew before they act for others."""
    ended_at: datetime | None = None
    user_agent: str = ""
    address: str = ""
    owes_factor: bool = False
    """Every factor of the person was taken away as lost: one is set up before anything else, whatever the portal asks."""

    @property
    def spared_by(self) -> str | None:
        """By which connection it began with a second factor that stands in for ours; one that was linked since does not."""
        named = (kind for kind in self.proven if kind.startswith(_UPSTREAM_FACTOR))
        return next((kind.removeprefix(_UPSTREAM_FACTOR) for kind in named), None)

    @property
    def last_look(self) -> datetime:
        """When the person was there themselves: what a portal does in their name by itself is no presence (ruling 18)."""
        return self.looked_at or self.last_seen_at

    def is_back(self, *, away: timedelta, now: datetime) -> bool:
        """Whether this very look is the first after a pause of `away`; it stands in `resumed_at` from the next on."""
        return now - self.last_look >= away


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A remembered browser's new cookie value, and the one that it replaces."""

    value: Secret
    replaces: Secret | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Currency:
    """What a session is held against: the person's and the system's state now."""

    subject_status: str
    subject_epoch: int
    system_epoch: int


def upstream_factor(connection: str) -> str:
    """What a session has proven that begins by `connection` with a second factor which stands in for ours."""
    return f"{_UPSTREAM_FACTOR}{connection}"


def why_dead(session: SessionFacts, *, current: Currency, now: datetime, idle: timedelta) -> Ended | None:
    """`None` while the session lives, else what ended it, by whichever is noticed first."""
    if session.ended_at is not None:
        return Ended.SIGNED_OUT
    if session.system_epoch != current.system_epoch or session.subject_epoch != current.subject_epoch:
        return Ended.EPOCH
    if current.subject_status != "active":
        return Ended.EPOCH
    if now >= session.expires_at:
        return Ended.EXPIRED
    if now - session.last_seen_at >= idle:
        return Ended.IDLE
    return None


def is_awake(session: SessionFacts, *, by: Collection[str], away: timedelta, now: datetime) -> bool:
    """Whether the person has been here without a pause of `away` since they last proved one of `by` (SE-03, ruling 18)."""
    if session.is_back(away=away, now=now):
        return False
    proofs = [at for kind, at in session.proven.items() if kind in by]
    return bool(proofs) and (session.resumed_at is None or max(proofs) >= session.resumed_at)


@dataclass(frozen=True, slots=True)
class FirstFactor:
    """A right password that a second factor must follow: whose, at which epoch, when typed; or an upstream sign-in."""

    subject_id: str
    epoch: int
    at: datetime
    proof: "FirstProof | None" = None
    """`None`: the password."""


@dataclass(frozen=True, slots=True)
class FirstProof:
    """What an upstream sign-in is worth as the first half of one here."""

    method: str
    acr: frozenset[Acr]
    amr: tuple[Amr, ...]
    at: datetime
    """When the person signed in there; where nobody told, when they came back."""
    told: bool = True
    """Whether upstream said when: a sign-in of unknown age may be hours old, and is no fresh proof of anybody (MF-33)."""

    @property
    def proven(self) -> dict[str, datetime]:
        """What a session rests on that is made of it."""
        return {UPSTREAM: self.at} if self.told else {}


class Upstream(StrEnum):
    """How far somebody who came from upstream, and whom no link names, has got."""

    ARRIVED = "arrived"
    LINKING = "linking"


@dataclass(frozen=True, slots=True)
class TransactionFacts:
    """A parked request and how far its sign-in has come."""

    id: UUID
    client_id: str | None
    request: Mapping[str, Any]
    awaiting: str
    browser_digest: bytes
    expires_at: datetime
    finished_at: datetime | None = None
    login: str | None = None
    pending: FirstFactor | None = None
    upstream: Upstream | None = None
    accepts: tuple[Factor, ...] = ()
    set_up_sealed: bytes | None = field(default=None, repr=False)
    set_up_at: datetime | None = None
    session_id: UUID | None = None
    authenticated_at: datetime | None = None
    affiliation_id: UUID | None = None
    provider_id: UUID | None = None
    practice_id: UUID | None = None
    chosen_at: datetime | None = None
    consented_scopes: str | None = None
    refused_at: datetime | None = None

    def settled_by(self, session_id: UUID | None) -> "TransactionFacts":
        """What counts for this session: authentication, choice and consent of another one never happened (D2)."""
        if self.session_id is None or self.session_id == session_id:
            return self
        return replace(
            self,
            session_id=None,
            authenticated_at=None,
            set_up_sealed=None,
            set_up_at=None,
            affiliation_id=None,
            provider_id=None,
            practice_id=None,
            chosen_at=None,
            consented_scopes=None,
        )

    def authenticated_by(self, session_id: UUID, *, now: datetime) -> "TransactionFacts":
        """As `transactions.mark_authenticated` leaves it."""
        return replace(self.settled_by(session_id), session_id=session_id, authenticated_at=now, pending=None)


@dataclass(frozen=True, slots=True)
class Ahead:
    """Where a browser goes that was just signed in: back to the client that asked, or to a page of ours by its endpoint."""

    uri: str | None = None
    endpoint: str = "sign_in.resume"


@dataclass(frozen=True, slots=True)
class Known:
    """What the transaction that signed somebody in has read already: the dispatcher does not read it again."""

    password_must_change: bool
    accepted: frozenset[tuple[str, str]] | None
    """Kind and version of every text of the portal's that the person has accepted; `None`: not read."""
    joined: bool
    """Whether relying parties may take part in the session already; in one that was made just now nobody does."""


@dataclass(frozen=True, slots=True)
class Participation:
    """What a session remembers about one relying party: its `sid` and the choice of whom to act for."""

    sid: UUID
    affiliation_id: UUID | None = None
    provider_id: UUID | None = None
    practice_id: UUID | None = None


def may_continue(
    transaction: TransactionFacts, *, browser_digest: bytes, now: datetime, step: str | None = None
) -> Refused | None:
    """Whether this browser may go on with the transaction, and act at `step` if one is named."""
    if transaction.browser_digest != browser_digest:
        return Refused(Reason.OTHER_BROWSER)
    if transaction.finished_at is not None:
        return Refused(Reason.FINISHED)
    if now >= transaction.expires_at:
        return Refused(Reason.EXPIRED_TRANSACTION)
    if step is not None and transaction.awaiting != step:
        return Refused(Reason.NOT_AWAITED)
    return None
