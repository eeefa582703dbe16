"""The bare limit: one Flask view a case, written by hand, with the same signatures, look-ups by key and commit.

Served as the product is (same server, same bridge, same outer wall, same engine and durability) beside it, on its
data. It checks nothing that needs no look-up and says almost nothing: what the product costs beyond it is the price
of everything that it promises. Started by `python -m bench`, never by anybody else.
"""

import secrets
from base64 import b64decode, urlsafe_b64decode
from datetime import timedelta
from hmac import compare_digest
from typing import Any, Final

import orjson
from flask import Flask, Response, redirect, request
from sqlalchemy import Connection, bindparam, insert, select, update

from idp.affiliations.models import Affiliation, HeldLevel
from idp.audit.models import AuditHead
from idp.authenticators.password.models import PasswordCredential
from idp.consent.models import AgreementAcceptance, Grant
from idp.directory.models import Practice, Provider
from idp.foundation import artefacts, clock, database, jose
from idp.foundation.algorithms import Alg, is_signature
from idp.foundation.artefact_table import Artefact
from idp.foundation.bridge import Bridge
from idp.foundation.epochs import SystemState
from idp.foundation.outer_wall import OuterWall
from idp.keyring.service import Keyring
from idp.oidc import discovery
from idp.oidc.tokens import grant_of_jti
from idp.relying_parties.models import Client, ClientSecret
from idp.sessions.models import BrowserSession, Participant
from idp.settings import load
from idp.subjects.models import Subject

settings: Final = load(serving=True)
keyring: Final = Keyring.open(settings.keys_dir, production=False)
app: Final = Flask("bare", static_folder=None)
database.attach(app, url=settings.database_url)


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
_digests: dict[str, bytes] = {}
_documents: dict[str, bytes] = {}


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


@app.get("/healthz")
@app.get("/readyz")
def health() -> Response:
    return Response("ok\n", mimetype="text/plain")


@app.get("/.well-known/openid-configuration")
def configuration() -> Response:
    if "discovery" not in _documents:
        _documents["discovery"] = orjson.dumps(discovery.metadata(settings.issuer, sorted(keyring.algs)))
    return Response(_documents["discovery"], mimetype="application/json")


@app.get("/oauth/jwks")
def jwks() -> Response:
    return Response(keyring.jwks(), mimetype="application/json")


@app.post("/oauth/token")
def token() -> Response:
    """Client credentials: the secret, the epoch, one signature."""
    client_id, now = authenticate(), clock.now()
    assert request.form["grant_type"] == "client_credentials"
    with database.looking_up() as tx:
        epoch = row(tx, EPOCH, 1).epoch
    claims = {"iss": settings.issuer, "sub": client_id, "aud": settings.issuer, "client_id": client_id, "epoch": epoch}
    claims |= {"iat": int(now.timestamp()), "exp": int(now.timestamp()) + 300, "jti": secrets.token_urlsafe(16)}
    signed = jose.sign(claims, key=keyring.signing("ES256"), typ="at+jwt")
    return said({"access_token": signed, "token_type": "Bearer", "expires_in": 300})


@app.post("/oauth/introspect")
def introspect() -> Response:
    """The secret, one verification, what a token hangs on."""
    authenticate()
    claims = verified(request.form["token"])
    with database.looking_up() as tx:
        standing(tx, claims)
    return said(claims | {"active": True})


@app.get("/oauth/userinfo")
def userinfo() -> Response:
    """One verification, what a token hangs on, and what is told."""
    claims = verified(request.headers["Authorization"][7:])
    with database.looking_up() as tx:
        grant = standing(tx, claims)
        subject, provider = row(tx, SUBJECT, grant.subject_id), row(tx, PROVIDER, grant.provider_id)
        practice, level = row(tx, PRACTICE, grant.practice_id), row(tx, LEVELS, grant.affiliation_id)
    named = {"given_name": subject.given_name, "family_name": subject.family_name, "email": subject.email}
    acting = {"provider_id": provider.provider_id, "tin": practice.tin_last4, "entitlements": [level and level.level]}
    return said({"sub": grant.sub, **named, **acting})


def standing(tx: Connection, claims: dict[str, Any]) -> Any:
    """Not revoked; its grant."""
    assert row(tx, JTI, "revoked_jti", artefacts.digest_of(claims["jti"])) is None
    return row(tx, GRANT, grant_of_jti(claims["jti"]))


@app.get("/oauth/authorize")
def authorize() -> Any:
    """A live session's code: the same rows by key, then a code, a use and a link of the audit in one commit."""
    asked, now = request.args, clock.now()
    with database.looking_up() as tx:
        session = row(tx, SESSION, artefacts.digest_of(request.cookies["credence_session"]))
    with database.writing() as held:
        tx = held.connection()
        grant = row(tx, OF_SESSION, session.id, asked["client_id"])
        keys = ((SUBJECT, session.subject_id), (PASSWORD, session.subject_id), (CLIENT, asked["client_id"]))
        acting = ((AFFILIATION, grant.affiliation_id), (LEVELS, grant.affiliation_id), (PROVIDER, grant.provider_id))
        for statement, key in (*keys, *acting, (EPOCH, 1), (HEAD, 0)):
            assert row(tx, statement, key) is not None or statement is LEVELS
        for statement, key in ((PARTICIPANT, session.id), (ACCEPTED, session.subject_id)):
            row(tx, statement, key, asked["client_id"])
        code = secrets.token_urlsafe(32)
        tx.execute(ISSUE, _code(code, grant, now))
        tx.execute(USE, {"k0": grant.affiliation_id, "at": now})
        tx.execute(ADVANCE)
    return redirect(f"{asked['redirect_uri']}?code={code}&state={asked['state']}", 303)


def _code(code: str, grant: Any, now: Any) -> dict[str, Any]:
    kept = {"kind": "code", "digest": artefacts.digest_of(code), "family": grant.id, "number": 0}
    return kept | {
        "id": database.new_id(), "subject_id": grant.subject_id, "bound_to": grant.client_id, "attempts_left": None,
        "payload": {"grant": str(grant.id)}, "created_at": now, "expires_at": now + timedelta(seconds=60),
    }  # fmt: skip


app.wsgi_app = OuterWall(app.wsgi_app, settings=settings)  # type: ignore[method-assign]
bridged: Final = Bridge(app, sign_ins=settings.kdf_concurrency + settings.kdf_queue)
