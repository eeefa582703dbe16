"""The secret that an authenticator app shares with us."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model


class TotpSecret(Model):
    """Sealed for its own row; `last_step` is the newest time step that was taken (RFC 6238 §5.2)."""

    __tablename__ = "totp_secret"

    factor_id: Mapped[UUID] = mapped_column(ForeignKey("factor.id", ondelete="CASCADE"), primary_key=True)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger)
