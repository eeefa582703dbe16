"""Reading stored passkeys, each with the factor that says whose it is."""

from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, select

from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.webauthn.models import WebauthnCredential
from idp.authenticators.webauthn.rules import Credential
from idp.foundation.database import Rows
from idp.vocabulary.assurance import Acr, Amr

_key, _factor = WebauthnCredential.__table__, HeldFactor.__table__
_EVERY: Final[Select[Any]] = select(_key, _factor.c.subject_id, _factor.c.gives, _factor.c.amr).join(
    _factor, _factor.c.id == _key.c.factor_id
)
_OF_SUBJECT: Final = _EVERY.where(_factor.c.subject_id == bindparam("subject_id")).order_by(_factor.c.created_at)
_BY_CREDENTIAL_ID: Final = _EVERY.where(_key.c.credential_id == bindparam("credential_id"))


def of_subject(tx: Rows, *, subject_id: str) -> tuple[Credential, ...]:
    """A person's passkeys, oldest first, stopped ones too."""
    return tuple(_credential(row) for row in tx.execute(_OF_SUBJECT, {"subject_id": subject_id}))


def by_credential_id(tx: Rows, *, credential_id: bytes) -> Credential | None:
    """The passkey that an authenticator names."""
    row = tx.execute(_BY_CREDENTIAL_ID, {"credential_id": credential_id}).one_or_none()
    return None if row is None else _credential(row)


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        factor_id=row.factor_id,
        subject_id=row.subject_id,
        credential_id=row.credential_id,
        public_key=row.public_key,
        sign_count=row.sign_count,
        backup_eligible=row.backup_eligible,
        backed_up=row.backed_up,
        attested=row.attested,
        transports=tuple(row.transports),
        acr=frozenset(Acr(value) for value in row.gives),
        amr=tuple(Amr(value) for value in row.amr),
    )
