"""The telephone that a person's SMS codes go to."""

from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from idp.foundation.database import Model


class CodePhone(Model):
    """Sealed for its own row; an e-mail code goes to the person's own address and needs no row."""

    __tablename__ = "code_phone"

    factor_id: Mapped[UUID] = mapped_column(ForeignKey("factor.id", ondelete="CASCADE"), primary_key=True)
    phone_sealed: Mapped[bytes] = mapped_column(LargeBinary)
