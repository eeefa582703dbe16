"""What was typed at `identify`, sealed until the password page shows it again (AU-07).

The transaction's row holds no readable login: somebody may have typed their password there.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from typing import Final
from uuid import UUID

from idp.foundation import house, vault
from idp.keyring.service import Keyring
from idp.subjects.rules import NOBODY

LONGEST: Final = 140
"""Longer logins do not fit the row once sealed; the page asks again."""


def seal(login: str, *, txn: UUID) -> str:
    """A canonical login key as the transaction may keep it."""
    sealed = vault.seal(login.encode(), keys=house.get(Keyring).vault, context=_context(txn))
    return urlsafe_b64encode(sealed).decode("ascii")


def unseal(kept: str | None, *, txn: UUID) -> str:
    """The login key kept for `txn`; anything else is nobody's."""
    try:
        sealed = urlsafe_b64decode((kept or "").encode("ascii"))
        return vault.unseal(sealed, keys=house.get(Keyring).vault, context=_context(txn)).decode()
    except (Error, ValueError, vault.Unopenable):
        return NOBODY


def _context(txn: UUID) -> str:
    return f"sign_in_transaction.login:{txn}"
