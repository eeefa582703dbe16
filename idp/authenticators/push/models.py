"""Enrolled phones, what they were asked, and what push services are still to be told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime, new_id


class PushPhone(Model):
    """What only a phone has; whose it is and its name stand on its `factor`, with which it goes."""

    __tablename__ = "push_phone"

    factor_id: Mapped[UUID] = mapped_column(ForeignKey("factor.id", ondelete="CASCADE"), primary_key=True)
    thumbprint: Mapped[str] = mapped_column(String(43), unique=True)
    """Of its public key (RFC 7638); how it names itself."""
    x: Mapped[str] = mapped_column(String(43))
    y: Mapped[str] = mapped_column(String(43))
    last_call: Mapped[int] = mapped_column(BigInteger)
    """The number of its latest call; only a higher one is listened to."""
    subscription_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Where and how to ring it, as its browser said."""
    push_kid: Mapped[str | None] = mapped_column(String(64))
    """The push key that its subscription names."""


class PushRequest(Model):
    """One question to a person's phones: is it you who signs in there?"""

    __tablename__ = "push_request"
    __table_args__ = (
        Index("ix_push_request_subject", "subject_id", "created_at"),
        Index("ix_push_request_open", "outcome", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"))
    txn: Mapped[UUID]
    """The parked sign-in that it is for."""
    number: Mapped[int]
    client_id: Mapped[str | None] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(128))
    """In our words, never the browser's own (MF-19)."""
    address: Mapped[str] = mapped_column(String(45))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    factor_id: Mapped[UUID | None]
    """The phone that answered."""


class PushDelivery(Model):
    """One push message owed to one phone; leased by the worker as any other."""

    __tablename__ = "push_delivery"
    __table_args__ = (Index("ix_push_delivery_due", "done_at", "due_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    factor_id: Mapped[UUID] = mapped_column(ForeignKey("factor.id", ondelete="CASCADE"), index=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("push_request.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """With its request; nobody is rung for what is over."""
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    """`delivered` or `dead`."""
    last_error: Mapped[str | None] = mapped_column(String(64))
