"""What a set-up needs between its two requests, sealed on the transaction and never from the browser (MF-08)."""

from uuid import UUID

from sqlalchemy.orm import Session

from idp.foundation import house, vault
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.sessions import transactions
from idp.sessions.models import Transaction
from idp.sessions.rules import TransactionFacts
from idp.vocabulary.assurance import Factor
from idp.vocabulary.secret import Secret


def keep(tx: Session, *, txn: UUID, kind: Factor, value: Secret) -> None:
    """Keep it for this kind; what was kept before, for whatever kind, is gone."""
    plain = f"{kind.value}:{value.reveal()}".encode()
    sealed = vault.seal(plain, keys=house.get(Keyring).vault, context=_place(txn))
    transactions.keep_secret(tx, txn=txn, sealed=sealed)


def kept(transaction: TransactionFacts, *, kind: Factor) -> Secret | None:
    """What is kept for this kind."""
    if transaction.set_up_sealed is None:
        return None
    keys = house.get(Keyring).vault
    plain = vault.unseal(transaction.set_up_sealed, keys=keys, context=_place(transaction.id)).decode()
    whose, _, value = plain.partition(":")
    return Secret(value) if whose == kind.value else None


def forget_kept(tx: Session, *, txn: UUID) -> None:
    """It is proven now."""
    transactions.keep_secret(tx, txn=txn, sealed=None)


def _place(txn: UUID) -> str:
    return f"sign_in_transaction.set_up_sealed:{txn}"


resealing.register("sign_in_transaction.set_up", resealing.of_column(Transaction.set_up_sealed, context=_place))
