"""Grants, remembered consents, agreements accepted."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id

_LIVE = text("revoked_at IS NULL AND offline = false")
_LIVE_SQLITE = text("revoked_at IS NULL AND offline = 0")


class Grant(Model):
    """What one person authorized for one relying party: scopes, for whom, since when; tokens hang on it."""

    __tablename__ = "oauth_grant"
    __table_args__ = (
        Index(
            "uq_oauth_grant_live",
            "session_id",
            "client_id",
            unique=True,
            sqlite_where=_LIVE_SQLITE,
            postgresql_where=_LIVE,
        ),
        Index("ix_oauth_grant_subject_client", "subject_id", "client_id"),
        Index("ix_oauth_grant_affiliation", "affiliation_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("browser_session.id"))
    """The session it was made in; unless `offline`, it dies with it."""
    offline: Mapped[bool] = mapped_column(default=False)
    sid: Mapped[UUID]
    sub: Mapped[str] = mapped_column(String(64))
    affiliation_id: Mapped[UUID | None] = mapped_column(ForeignKey("affiliation.id"))
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    practice_id: Mapped[UUID | None] = mapped_column(ForeignKey("practice.id"))
    scopes: Mapped[str] = mapped_column(String(2000))
    claims: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """The request's `claims` parameter, as parsed (OIDC Core §5.5)."""
    resource: Mapped[list[str]] = mapped_column(Json, default=list)
    auth_time: Mapped[datetime] = mapped_column(UtcDateTime)
    acr: Mapped[str] = mapped_column(String(8))
    amr: Mapped[list[str]] = mapped_column(Json)
    subject_epoch: Mapped[int]
    affiliation_epoch: Mapped[int | None]
    client_epoch: Mapped[int]
    system_epoch: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_reason: Mapped[str | None] = mapped_column(String(32))


class Consent(Model):
    """A remembered yes of one person to one partner app, for one affiliation (or none)."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_subject_client", "subject_id", "client_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    affiliation_id: Mapped[UUID | None] = mapped_column(ForeignKey("affiliation.id"))
    scopes: Mapped[str] = mapped_column(String(2000))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AgreementAcceptance(Model):
    """A person accepted one version of one portal's text: terms, provider agreement or banner (C10)."""

    __tablename__ = "agreement_acceptance"
    __table_args__ = (UniqueConstraint("subject_id", "client_id", "kind", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    kind: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(16))
    text_digest: Mapped[str] = mapped_column(String(64))
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    address: Mapped[str] = mapped_column(String(45))
