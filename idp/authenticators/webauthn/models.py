"""Passkeys and security keys."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Json, Model


class WebauthnCredential(Model):
    """What only a passkey has; whose it is, its name and what it proves stand on its `factor`, with which it goes."""

    __tablename__ = "webauthn_credential"

    factor_id: Mapped[UUID] = mapped_column(ForeignKey("factor.id", ondelete="CASCADE"), primary_key=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    """Made by the authenticator; nobody else may register the same one (WebAuthn §7.1 step 26)."""
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    """COSE_Key, as py_webauthn reads it."""
    sign_count: Mapped[int] = mapped_column(BigInteger)
    """32 bits without a sign."""
    backup_eligible: Mapped[bool]
    """A key that may be copied to other devices; it never changes."""
    backed_up: Mapped[bool]
    """Whether it was, when it was used last."""
    attested: Mapped[bool]
    """Its maker's certificate leads to one of the operator's roots."""
    aaguid: Mapped[UUID]
    """The model of authenticator, as it says itself."""
    transports: Mapped[list[str]] = mapped_column(Json, default=list)
