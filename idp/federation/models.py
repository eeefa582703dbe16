"""Who is known here by which upstream identity, and what arrived lately."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model, UtcDateTime, new_id


class UpstreamLink(Model):
    """A person's upstream identity; the key is all three parts, and never an e-mail address (D6)."""

    __tablename__ = "upstream_link"
    __table_args__ = (UniqueConstraint("connection", "issuer", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[str] = mapped_column(ForeignKey("subject.id"), index=True)
    connection: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    shown_as: Mapped[str] = mapped_column(String(254), default="")
    """The e-mail address that upstream named at the linking: only to tell two links apart on a page."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UpstreamArrival(Model):
    """A verified upstream answer in one browser's transaction, and the session that came of it.

    Before there is a session it waits for its person's word (link it, begin with it); afterwards it says which
    upstream session this one rests on, so that each side's sign-out finds the other.
    """

    __tablename__ = "upstream_arrival"
    __table_args__ = (
        Index("ix_upstream_arrival_txn", "txn"),
        Index("ix_upstream_arrival_whose", "connection", "subject"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    txn: Mapped[UUID]
    connection: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    sid: Mapped[str | None] = mapped_column(String(255))
    identity_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    hint_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What upstream's own sign-out wants to be shown: its ID token, or SAML's NameID."""
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("browser_session.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
