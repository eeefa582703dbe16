"""The bare limit: one Flask view a case, written by hand, with the same signatures, look-ups by key and commit.

Served as the product is (same server, same bridge, same outer wall, same engine and durability) beside it, on its
data. It checks nothing that needs no look-up and says almost nothing: what the product costs beyond it is the price
of everything that it promises. Started by `python -m bench`, never by anybody else.
"""

import math
import secrets
import time
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from argon2 import PasswordHasher
from flask import Flask, Response, redirect, request
from sqlalchemy import Connection

from bench.bare_rows import (
    ACCEPTED,
    ADVANCE,
    AFFILIATION,
    CLIENT,
    EPOCH,
    FAMILY,
    GRANT,
    HEAD,
    ISSUE,
    LEVELS,
    LOGIN,
    OF_SESSION,
    PARTICIPANT,
    PASSWORD,
    PROVIDER,
    SESSION,
    SUBJECT,
    TURN,
    USE,
    USE_CODE,
    artefact,
    authenticate,
    keyring,
    row,
    said,
    settings,
    standing,
    told_of,
    verified,
)  # fmt: skip
from bench.flow import COUNTED, SIGN_IN_COMMITS
from idp.foundation import artefacts, clock, database, jose
from idp.foundation.bridge import Bridge
from idp.foundation.outer_wall import OuterWall
from idp.oidc import discovery
from idp.oidc.at_hand import RENEW_AFTER
from idp.oidc.tokens import jti_of

_SIGN_IN_COMMITS: Final = SIGN_IN_COMMITS - (COUNTED if settings.redis_url else 0)
app: Final = Flask("bare", static_folder=None)
database.attach(app, url=settings.database_url)
_documents: dict[str, bytes] = {}
_epoch: Final = [-math.inf, 0]
"""When the system's epoch was read, and the epoch."""


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
    """The secret, then what the grant type needs."""
    client_id, now = authenticate(), clock.now()
    kinds = {"client_credentials": credentials, "authorization_code": exchange, "refresh_token": refresh}
    return said(kinds[request.form["grant_type"]](client_id, now) | {"token_type": "Bearer", "expires_in": 300})


def credentials(client_id: str, now: datetime) -> dict[str, Any]:
    """The epoch, held as the product holds it, and one signature."""
    claims = {"sub": client_id, "client_id": client_id, "epoch": _epoch_held(), "jti": secrets.token_urlsafe(16)}
    return {"access_token": signed(claims, now, "ES256", "at+jwt")}


def _epoch_held() -> int:
    """Read again every 0.4 seconds, as what the product has at hand."""
    read_at, epoch = _epoch
    if time.monotonic() - read_at > RENEW_AFTER.total_seconds():
        with database.looking_up() as tx:
            _epoch[:] = time.monotonic(), row(tx, EPOCH, 1).epoch
        epoch = _epoch[1]
    return int(epoch)


def exchange(client_id: str, now: datetime) -> dict[str, Any]:
    """The code used up, all that its tokens tell, a refresh family and a link of the audit in one commit; two signatures."""
    with database.writing() as held:
        tx = held.connection()
        used = tx.execute(USE_CODE, {"k0": artefacts.digest_of(request.form["code"]), "at": now}).one()
        grant, told = _standing(tx, UUID(used.payload["grant"]), client_id)
        family = artefact("refresh", secrets.token_bytes(32), now, seconds=3600, grant=grant)
        family["payload"] = {"grant": str(grant.id)}
        tx.execute(ISSUE, family)
        tx.execute(ADVANCE)
    return _both(grant, told, now) | {"refresh_token": f"{family['id']}.0"}


def refresh(client_id: str, now: datetime) -> dict[str, Any]:
    """The family turned, all that its tokens tell, in one commit; two signatures."""
    family, _, number = request.form["refresh_token"].partition(".")
    with database.writing() as held:
        tx = held.connection()
        kept = row(tx, FAMILY, UUID(family))
        grant, told = _standing(tx, UUID(kept.payload["grant"]), client_id)
        assert tx.execute(TURN, {"k0": kept.id, "k1": int(number), "at": now}).rowcount == 1
    return _both(grant, told, now) | {"refresh_token": f"{family}.{int(number) + 1}"}


def _standing(tx: Connection, grant_id: UUID, client_id: str) -> tuple[Any, dict[str, Any]]:
    """A grant with all that it hangs on, and what is told of it."""
    grant = row(tx, GRANT, grant_id)
    assert grant.client_id == client_id
    database.see_as(tx, subject_id=grant.subject_id)
    for statement, key in ((EPOCH, 1), (CLIENT, client_id), (AFFILIATION, grant.affiliation_id)):
        assert row(tx, statement, key) is not None
    return grant, told_of(tx, grant)


def _both(grant: Any, told: dict[str, Any], now: datetime) -> dict[str, Any]:
    """An access token by ES256 and an ID token by RS256, as the portal of the bench is registered."""
    access_token = signed(told | {"client_id": grant.client_id, "jti": jti_of(grant.id)}, now, "ES256", "at+jwt")
    return {"access_token": access_token, "id_token": signed(told | {"sid": str(grant.sid)}, now, "RS256", "JWT")}


def signed(claims: dict[str, Any], now: datetime, alg: str, typ: str) -> str:
    moments = {"iat": int(now.timestamp()), "exp": int(now.timestamp()) + 300}
    stated = {"iss": settings.issuer, "aud": settings.issuer, **moments, **claims}
    return jose.sign(stated, key=keyring.signing(alg), typ=typ)


@app.post("/sign-in")
def sign_in() -> Response:
    """One argon2id verification, two signatures, and as many commits of a row and a link of the audit as a sign-in has."""
    now = clock.now()
    with database.looking_up() as tx:
        subject = row(tx, LOGIN, request.form["username"])
        digest = row(tx, PASSWORD, subject.id).digest
    assert PasswordHasher().verify(digest, request.form["password"])
    with database.write_budget(_SIGN_IN_COMMITS):
        for _ in range(_SIGN_IN_COMMITS):
            _commit(now)
    claims = {"sub": subject.id, "jti": secrets.token_urlsafe(16)}
    return said(
        {"access_token": signed(claims, now, "ES256", "at+jwt"), "id_token": signed(claims, now, "RS256", "JWT")}
    )


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
        return said(told_of(tx, standing(tx, claims)))


@app.get("/oauth/authorize")
def authorize() -> Any:
    """A live session's code: the same rows by key, then a code, a use and a link of the audit in one commit."""
    asked, now = request.args, clock.now()
    with database.looking_up() as tx:
        session = row(tx, SESSION, artefacts.digest_of(_session_cookie()))
    with database.writing() as held:
        database.see_as(held, subject_id=session.subject_id)
        tx = held.connection()
        grant = row(tx, OF_SESSION, session.id, asked["client_id"])
        keys = ((SUBJECT, session.subject_id), (PASSWORD, session.subject_id), (CLIENT, asked["client_id"]))
        acting = ((AFFILIATION, grant.affiliation_id), (LEVELS, grant.affiliation_id), (PROVIDER, grant.provider_id))
        for statement, key in (*keys, *acting, (EPOCH, 1), (HEAD, 0)):
            assert row(tx, statement, key) is not None or statement is LEVELS
        for statement, key in ((PARTICIPANT, session.id), (ACCEPTED, session.subject_id)):
            row(tx, statement, key, asked["client_id"])
        code = secrets.token_urlsafe(32)
        kept = {"grant": str(grant.id)}
        tx.execute(ISSUE, artefact("code", artefacts.digest_of(code), now, seconds=60, grant=grant, payload=kept))
        tx.execute(USE, {"k0": grant.affiliation_id, "at": now})
        tx.execute(ADVANCE)
    return redirect(f"{asked['redirect_uri']}?code={code}&state={asked['state']}", 303)


def _session_cookie() -> str:
    """As the product beside it named it: by its own port."""
    return next(value for name, value in request.cookies.items() if name.startswith("credence_session_"))


def _commit(now: datetime) -> None:
    with database.writing() as held:
        tx = held.connection()
        tx.execute(ISSUE, artefact("code", secrets.token_bytes(32), now, seconds=60))
        tx.execute(ADVANCE)


app.wsgi_app = OuterWall(app.wsgi_app, settings=settings)  # type: ignore[method-assign]
bridged: Final = Bridge(app, sign_ins=settings.kdf_concurrency + settings.kdf_queue)
