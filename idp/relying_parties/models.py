"""Clients as applied, and their secrets."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id


class Client(Model):
    """One relying party; `manifest` is the whole validated manifest, `texts` the files beside it."""

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    manifest: Mapped[dict[str, Any]] = mapped_column(Json)
    texts: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    """File name → text: `agreement-3.md`, `terms-1.md`, `logo.svg` …"""
    manifest_digest: Mapped[str] = mapped_column(String(64))
    enabled: Mapped[bool] = mapped_column(default=True)
    epoch: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ClientSecret(Model):
    """SHA-256 of a client's random secret; two may live side by side during a rotation (24 h)."""

    __tablename__ = "client_secret"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ClientsVersion(Model):
    """One row, raised by every change of a client, so that other nodes notice within a second."""

    __tablename__ = "clients_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    note: Mapped[str | None] = mapped_column(Text)
