"""The table of single-use things: its kinds, its columns, why a redemption fails. Read by `artefacts` alone."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model, UtcDateTime, new_id


class Kind(StrEnum):
    """What a secret is good for; one of a kind is never taken for another (TK-07)."""

    AUTHORIZATION_CODE = "code"
    REFRESH = "refresh"
    ACCESS_TOKEN = "access_token"
    REVOKED_JTI = "revoked_jti"
    ASSERTION_JTI = "assertion_jti"
    PASSWORD_RESET = "password_reset"
    EMAIL_PROOF = "email_proof"
    MAILBOX_PROOF = "mailbox_proof"
    ACCOUNT_MERGE = "account_merge"
    MERGE_CODE = "merge_code"
    EMAIL_CHANGE = "email_change"
    PHONE_CHANGE = "phone_change"
    ACCOUNT_REOPENING = "account_reopening"
    PIN_LETTER = "pin_letter"
    SIGN_IN_ALERT = "sign_in_alert"
    FACTOR_RECOVERY = "factor_recovery"
    FACTOR_RECOVERY_STOP = "factor_recovery_stop"
    ACCESS_REQUEST = "access_request"
    INVITATION = "invitation"
    RECOVERY_CODE = "recovery_code"
    ONE_TIME_CODE = "one_time_code"
    WEBAUTHN_CHALLENGE = "webauthn_challenge"
    UPSTREAM_REQUEST = "upstream_request"
    UPSTREAM_ONCE = "upstream_once"
    """An answer or sign-out of an upstream provider that counts once: assertion ID, `jti` of a logout token."""
    PUSH_ENROLMENT = "push_enrolment"
    PUSH_PHONE = "push_phone"
    PUSH_REQUEST = "push_request"
    PUSH_APPROVAL = "push_approval"


class Reason(StrEnum):
    """Why a redemption failed. All but `REPLAYED` look the same from outside."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REPLAYED = "replayed"
    EXHAUSTED = "exhausted"


class Artefact(Model):
    """One single-use thing. `bindings` must be matched by whoever redeems it; `payload` is what it carries."""

    __tablename__ = "artefact"
    __table_args__ = (
        Index("uq_artefact_kind_digest", "kind", "digest", unique=True),
        Index("ix_artefact_family", "family"),
        Index("ix_artefact_expires_at", "expires_at"),
        Index("ix_artefact_subject_kind", "subject_id", "kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(24))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    family: Mapped[UUID | None]
    subject_id: Mapped[str | None] = mapped_column(String(64))
    bound_to: Mapped[str | None] = mapped_column(String(128))
    """One opaque value that the redeemer must present too: client, transaction, browser."""
    payload: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    number: Mapped[int] = mapped_column(default=0)
    """How often a refresh family was rotated."""
    attempts_left: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
