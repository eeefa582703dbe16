"""Proving by an authenticator app, and adding one: secret made here, kept sealed, proven before it counts (MF-05…09)."""

from base64 import b32decode
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from idp.authenticators.factors import adding, budgets, keeping, proving
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.adding import SetUp
from idp.authenticators.factors.proving import Attempt, Proof
from idp.authenticators.factors.rules import Reason, working
from idp.authenticators.totp import rules
from idp.authenticators.totp.models import TotpSecret
from idp.foundation import house, vault
from idp.foundation.database import writing
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.sessions.rules import TransactionFacts
from idp.sessions.service import NewSession
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_table: Table = TotpSecret.__table__  # type: ignore[assignment]
KIND: Final = Factor.TOTP


def prove(attempt: Attempt, *, typed: str) -> NewSession | Refused:
    """Take a code of one of the person's apps; each step of each app counts once, whoever comes first (RA-04).

    Whose apps they are is read under the lock: another tab may have typed somebody else's password meanwhile.
    """
    reserved = proving.reserve(attempt, kind=KIND)
    if isinstance(reserved, Refused):
        return reserved
    with writing() as tx:
        opened = proving.open_step(tx, attempt, kind=KIND)
        if isinstance(opened, Refused):
            return opened
        held = factors.held(tx, subject_id=opened.subject.id)
        mine = tuple(each.id for each in working(held) if each.kind is KIND)
        taken = _take(tx, typed, mine=mine, now=attempt.now)
        if isinstance(taken, Refused):
            proving.fail(tx, attempt, opened, kind=KIND, reason=taken)
            return taken
        return proving.complete(tx, attempt, opened, proof=Proof.of(KIND, taken))


def begin(set_up: SetUp) -> Refused | None:
    """Make the secret of a new app and keep it with the transaction; a former one that was never proven is gone."""
    with writing() as tx:
        place = adding.open_step(tx, set_up, kind=KIND)
        if isinstance(place, Refused):
            return place
        keeping.keep(tx, txn=set_up.txn, kind=KIND, value=Secret(rules.new_secret()))
    return None


def pending_secret(transaction: TransactionFacts) -> Secret | None:
    """The secret that is being set up, to be shown until it is proven and never after (MF-08)."""
    return keeping.kept(transaction, kind=KIND)


def confirm(set_up: SetUp, *, typed: str, name: str) -> NewSession | Refused:
    """Add the app once it shows a right code for the secret that was made here."""
    refused = adding.reserve(set_up, kind=KIND)
    if refused is not None:
        return refused
    with writing() as tx:
        place = adding.open_step(tx, set_up, kind=KIND)
        if isinstance(place, Refused):
            return place
        secret = pending_secret(place.transaction)
        step = rules.matching_step(secret.reveal(), typed, now=set_up.now) if secret is not None else None
        if secret is None or step is None:
            wrong = Refused(Reason.WRONG_CODE)
            return adding.refuse(tx, set_up, kind=KIND, reason=wrong, client_id=place.transaction.client_id)
        added = adding.add(tx, set_up, place, kind=KIND, name=name)
        if isinstance(added, Refused):
            return added
        factor_id, session = added
        keep(tx, factor_id=factor_id, secret=secret, last_step=step)
        keeping.forget_kept(tx, txn=set_up.txn)
        budgets.succeeded(tx, account=set_up.session.subject_id, txn=set_up.txn, now=set_up.now)
        return session


def keep(tx: Session, *, factor_id: UUID, secret: Secret, last_step: int) -> None:
    """Seal a secret for its row (ST-05)."""
    b32decode(secret.reveal())
    sealed = vault.seal(secret.reveal().encode(), keys=house.get(Keyring).vault, context=place_of(factor_id))
    tx.add(TotpSecret(factor_id=factor_id, secret_sealed=sealed, last_step=last_step))


def place_of(factor_id: UUID) -> str:
    """Where a secret is sealed for."""
    return f"totp_secret.secret_sealed:{factor_id}"


def _take(tx: Session, typed: str, *, mine: tuple[UUID, ...], now: datetime) -> UUID | Refused:
    """The app whose code this is, its step used up by one statement."""
    replayed = False
    for row in tx.execute(select(_table).where(_table.c.factor_id.in_(mine))):
        keys = house.get(Keyring).vault
        secret = vault.unseal(bytes(row.secret_sealed), keys=keys, context=place_of(row.factor_id)).decode()
        step = rules.matching_step(secret, typed, now=now)
        if step is None:
            continue
        newer = (_table.c.factor_id == row.factor_id, _table.c.last_step < step)
        if tx.execute(update(_table).where(*newer).values(last_step=step)).rowcount == 1:  # type: ignore[attr-defined]
            return UUID(str(row.factor_id))
        replayed = True
    return Refused(Reason.REPLAYED if replayed else Reason.WRONG_CODE)


resealing.register("totp_secret.secret", resealing.of_column(TotpSecret.secret_sealed, context=place_of))
