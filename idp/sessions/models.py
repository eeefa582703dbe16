"""Sessions, transactions, participants, logout deliveries."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id


class BrowserSession(Model):
    """One person signed in at one browser."""

    __tablename__ = "browser_session"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """SHA-256 of the cookie; replaced at every privilege change."""
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"), index=True)
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    auth_time: Mapped[datetime] = mapped_column(UtcDateTime)
    acr: Mapped[list[str]] = mapped_column(Json)
    """Every class held (MODEL §8)."""
    amr: Mapped[list[str]] = mapped_column(Json)
    proven: Mapped[dict[str, str] | None] = mapped_column(Json)
    """When each factor was last proven in this session, by kind; `None` in rows of before there were factors."""
    subject_epoch: Mapped[int]
    system_epoch: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the browser last asked for a page: a portal that refreshes its tokens is seen, and nobody has looked."""
    resumed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the person was last seen again after being away for `IDP_SESSION_IDLE_STAFF` (SECURITY ruling 18)."""
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """The absolute end; idleness is read from `last_seen_at`."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_reason: Mapped[str | None] = mapped_column(String(32))
    user_agent: Mapped[str] = mapped_column(String(256), default="")
    address: Mapped[str] = mapped_column(String(45), default="")


class Transaction(Model):
    """One authorization request (or visit to an own page) parked while the person signs in (SECURITY D2)."""

    __tablename__ = "sign_in_transaction"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the browser cookie that started it; another browser's request is refused."""
    client_id: Mapped[str | None] = mapped_column(String(64))
    """Whose request it is; `None` for the provider's own pages (`return_to`)."""
    request: Mapped[dict[str, Any]] = mapped_column(Json)
    """The parsed request, never changed (`idp.sign_in.rules.AuthorizationRequest`)."""
    awaiting: Mapped[str] = mapped_column(String(32), default="")
    """The step that the dispatcher showed last; only that step's POST acts."""
    login: Mapped[str | None] = mapped_column(String(254))
    """What was typed as user ID or e-mail at the `identify` step (canonical form)."""
    pending_subject_id: Mapped[str | None] = mapped_column(String(26))
    """Whose password was right, while a second factor is still asked: nobody is signed in by that (MF-01)."""
    pending_epoch: Mapped[int | None]
    pending_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pending_proof: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """What was proven instead of the password, where an upstream provider let the person in; `None`: the password."""
    upstream: Mapped[str | None] = mapped_column(String(16))
    """`arrived`: somebody came from upstream whom nobody is linked to; `linking`: they will be, once it is confirmed."""
    accepts: Mapped[list[str] | None] = mapped_column(Json)
    """Kinds of factor that the step shown last takes or sets up; the dispatcher's word, not the browser's."""
    set_up_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The secret of a factor that is being set up, until it is proven; never one from the browser (MF-08)."""
    set_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the person left *set up*, where the visit was for that."""
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("browser_session.id"))
    authenticated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the person authenticated *in this transaction* (answers `prompt=login` and `max_age`)."""
    affiliation_id: Mapped[UUID | None]
    provider_id: Mapped[UUID | None]
    practice_id: Mapped[UUID | None]
    """Choice of this transaction: affiliation, and the provider or practice acted for."""
    chosen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    consented_scopes: Mapped[str | None] = mapped_column(String(1000))
    refused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The person said no (consent denied, sign-in cancelled): answered with `access_denied`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Participant(Model):
    """A relying party that received an ID token in a session: whom to tell of its end."""

    __tablename__ = "participant"
    __table_args__ = (UniqueConstraint("session_id", "client_id"),)

    sid: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    """The `sid` claim: one per client and session."""
    session_id: Mapped[UUID] = mapped_column(ForeignKey("browser_session.id"))
    client_id: Mapped[str] = mapped_column(String(64))
    sub: Mapped[str] = mapped_column(String(64))
    """As this client knows the person (pairwise or public)."""
    affiliation_id: Mapped[UUID | None]
    """This session's choice at this client, reused while it is valid (MODEL §5)."""
    provider_id: Mapped[UUID | None]
    practice_id: Mapped[UUID | None]
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LogoutDelivery(Model):
    """One back-channel logout call owed to a relying party; retried, bounded, visible (OIDC Back-Channel Logout)."""

    __tablename__ = "logout_delivery"
    __table_args__ = (Index("ix_logout_delivery_due", "done_at", "due_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(String(64))
    sid: Mapped[UUID]
    sub: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(32))
    """`delivered` or `dead`."""
    last_error: Mapped[str | None] = mapped_column(String(200))
