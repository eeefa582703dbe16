"""The telephone of an SMS factor, sealed for its own row."""

from uuid import UUID

from sqlalchemy import select

from idp.authenticators.codes.models import CodePhone
from idp.foundation import house, vault
from idp.foundation.database import Rows
from idp.keyring import resealing
from idp.keyring.service import Keyring


def number_of(tx: Rows, *, factor_id: UUID) -> str | None:
    """Where the factor's codes go; `None` for any other kind."""
    table = CodePhone.__table__
    sealed = tx.execute(select(table.c.phone_sealed).where(table.c.factor_id == factor_id)).scalar()
    if sealed is None:
        return None
    return vault.unseal(bytes(sealed), keys=house.get(Keyring).vault, context=place_of(factor_id)).decode()


def place_of(factor_id: UUID) -> str:
    """Where a telephone is sealed for."""
    return f"code_phone.phone_sealed:{factor_id}"


resealing.register("code_phone.phone", resealing.of_column(CodePhone.phone_sealed, context=place_of))
