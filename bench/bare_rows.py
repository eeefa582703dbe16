"""What the bare views share: the statements by key, built once, the secret of a client, the signature of a token."""

from base64 import b64decode, urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final

import orjson
from flask import Response, request
from sqlalchemy import Connection, bindparam, insert, select, update

from idp.affiliations.models import Affiliation, HeldLevel
from idp.audit.models import AuditHead
from idp.authenticators.password.models import PasswordCredential
from idp.consent.models import AgreementAcceptance, Grant
from idp.directory.models import Practice, Provider
from idp.foundation import artefacts, database
from idp.foundation.algorithms import Alg, is_signature
from idp.foundation.artefact_table import Artefact
from idp.foundation.epochs import SystemState
from idp.keyring.service import Keyring
from idp.oidc.tokens import grant_of_jti
from idp.relying_parties.models import Client, ClientSecret
from idp.sessions.models import BrowserSession, Participant
from idp.settings import load
from idp.subjects.models import Subject

settings: Final = load(serving=True)
keyring: Final = Keyring.open(settings.keys_dir, production=False)


def by(model: Any, *names: str) -> Any:
    """A row by its key, as a statement built once."""
    table = model.__table__
    return select(table).where(*(table.c[name] == bindparam(f"k{at}") for at, name in enumerate(names)))


EPOCH, SESSION, SUBJECT = by(SystemState, "id"), by(BrowserSession, "digest"), by(Subject, "id")
GRANT, OF_SESSION = by(Grant, "id"), by(Grant, "session_id", "client_id")
PROVIDER, PRACTICE, CLIENT = by(Provider, "id"), by(Practice, "id"), by(Client, "client_id")
AFFILIATION, LEVELS = by(Affiliation, "id"), by(HeldLevel, "affiliation_id")
JTI, PARTICIPANT = by(Artefact, "kind", "digest"), by(Participant, "session_id", "client_id")
PASSWORD, ACCEPTED = by(PasswordCredential, "subject_id"), by(AgreementAcceptance, "subject_id", "client_id")
HEAD = by(AuditHead, "stream")
ISSUE = insert(Artefact.__table__)
USE = (
    update(Affiliation.__table__)
    .where(Affiliation.__table__.c.id == bindparam("k0"))
    .values(last_used_at=bindparam("at"))
)
ADVANCE = update(AuditHead.__table__).where(AuditHead.__table__.c.stream == 0).values(sequence=AuditHead.sequence + 1)
SECRET = by(ClientSecret, "client_id")
LOGIN, FAMILY = by(Subject, "user_id_key"), by(Artefact, "id")
_artefacts = Artefact.__table__
USE_CODE = (
    update(_artefacts)
    .where(_artefacts.c.kind == "code", _artefacts.c.digest == bindparam("k0"), _artefacts.c.used_at.is_(None))
    .values(used_at=bindparam("at"))
    .returning(_artefacts.c.payload)
)
TURN = (
    update(_artefacts)
    .where(_artefacts.c.id == bindparam("k0"), _artefacts.c.number == bindparam("k1"))
    .values(number=_artefacts.c.number + 1, used_at=bindparam("at"))
)
_digests: dict[str, bytes] = {}


def row(tx: Connection, statement: Any, *keys: Any) -> Any:
    return tx.execute(statement, {f"k{at}": key for at, key in enumerate(keys)}).first()


def authenticate() -> str:
    client_id, _, secret = b64decode(request.headers["Authorization"][6:]).decode().partition(":")
    if client_id not in _digests:
        with database.looking_up() as tx:
            _digests[client_id] = bytes(row(tx, SECRET, client_id).digest)
    assert compare_digest(artefacts.digest_of(secret), _digests[client_id])
    return client_id


def verified(token: str) -> dict[str, Any]:
    message, _, signature = token.rpartition(".")
    header, payload = (orjson.loads(urlsafe_b64decode(part + "==")) for part in message.split("."))
    key = keyring.verification_keys()[header["kid"]].key
    assert is_signature(urlsafe_b64decode(signature + "=="), message.encode(), alg=Alg.ES256, key=key)
    return payload  # type: ignore[no-any-return]


def said(answer: Any) -> Response:
    return Response(orjson.dumps(answer), mimetype="application/json")


def standing(tx: Connection, claims: dict[str, Any]) -> Any:
    """Not revoked; its grant."""
    assert row(tx, JTI, "revoked_jti", artefacts.digest_of(claims["jti"])) is None
    return row(tx, GRANT, grant_of_jti(claims["jti"]))


def told_of(tx: Connection, grant: Any) -> dict[str, Any]:
    """What is told of a grant: the person, and for whom they act."""
    subject, provider = row(tx, SUBJECT, grant.subject_id), row(tx, PROVIDER, grant.provider_id)
    practice, level = row(tx, PRACTICE, grant.practice_id), row(tx, LEVELS, grant.affiliation_id)
    named = {"given_name": subject.given_name, "family_name": subject.family_name, "email": subject.email}
    acting = {"provider_id": provider.provider_id, "tin": practice.tin_last4, "entitlements": [level and level.level]}
    return {"sub": grant.sub, **named, **acting}


def artefact(
    kind: str,
    digest: bytes,
    now: datetime,
    *,
    seconds: int,
    grant: Any = None,
    payload: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A row of the table of single-use things."""
    of_grant = {"family": grant.id, "subject_id": grant.subject_id, "bound_to": grant.client_id} if grant else {}
    return {
        "id": database.new_id(), "kind": kind, "digest": digest, "number": 0, "family": None, "subject_id": None,
        "bound_to": None, "attempts_left": None, "payload": dict(payload or {}), "created_at": now,
        "expires_at": now + timedelta(seconds=seconds), **of_grant,
    }  # fmt: skip
