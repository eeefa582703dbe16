"""Connections as applied."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime


class AppliedConnection(Model):
    """One upstream provider; `document` is the whole validated file, `texts` the files beside it (SAML metadata)."""

    __tablename__ = "connection"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(Json)
    texts: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Our client secret there, for the methods that use one; upstream must be told it, so it is sealed and not hashed."""
    enabled: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tried: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """What came of it when staff last tried it: what is wrong, or what upstream said of them."""
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
