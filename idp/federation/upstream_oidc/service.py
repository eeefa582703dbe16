"""Sending somebody to an upstream OpenID provider, and taking its answer: everything that needs the network.

Nothing here is called inside a transaction, and nothing here writes.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from idp.federation.connections.facts import Applied, secret_of
from idp.federation.connections.manifest import Connection, Oidc
from idp.federation.requests import Asked, derived
from idp.federation.rules import Reason, Said, UpstreamIdentity, identity_of
from idp.federation.upstream_oidc import authlib_client, rules
from idp.federation.upstream_oidc.authlib_client import Credentials
from idp.federation.upstream_oidc.opening import opened
from idp.federation.upstream_oidc.patience import patience
from idp.federation.upstream_oidc.providers import Failed, providers
from idp.federation.upstream_oidc.rules import Expected, Metadata, Wrong
from idp.foundation import house, jose, jwe
from idp.foundation.database import reading
from idp.foundation.jose import Purpose
from idp.foundation.outgoing import Outgoing
from idp.foundation.outgoing import Purpose as Errand
from idp.keyring.rules import Use
from idp.keyring.service import Keyring
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_ASSERTION_LIVES: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the sign-in here asks of the one there (passed through)."""

    prompt: str | None = None
    login_hint: str | None = None
    acr_values: tuple[str, ...] = ()
    ui_locales: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The parameters that came to a connection's callback, once each."""

    state: Secret
    code: str | None = field(default=None, repr=False)
    error: str | None = None
    iss: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A verified answer: whom it names, and the signed ID token that its sign-out will want to see again."""

    identity: UpstreamIdentity
    id_token: Secret


def callback_of(name: str) -> str:
    """The one redirect URI of a connection (FE-05)."""
    return f"{house.get(Settings).issuer}/federation/{name}/callback"


def leave(applied: Applied, asked: Asked, state: Secret, *, wishes: Wishes, metadata: Metadata) -> str:
    """The address that carries the browser to the provider."""
    oidc = _oidc(applied.connection)
    parameters = {
        "scope": oidc.scope,
        "state": state.reveal(),
        "nonce": derived(state, purpose="nonce"),
        "response_mode": "query",
    }
    values = dict.fromkeys((*oidc.acr_values, *wishes.acr_values))
    more = {
        "prompt": "login" if asked.again else wishes.prompt,
        "max_age": "0" if asked.again else None if asked.max_age is None else str(asked.max_age),
        "login_hint": wishes.login_hint,
        "acr_values": " ".join(values) or None,
        "ui_locales": wishes.ui_locales,
    }
    parameters |= {name: value for name, value in more.items() if value}
    return authlib_client.authorization_url(
        metadata.authorization_endpoint,
        client_id=oidc.client_id,
        redirect_uri=callback_of(applied.name),
        verifier=derived(state, purpose="pkce"),
        **parameters,
    )


def take(applied: Applied, asked: Asked, answer: Answer, *, now: datetime) -> Taken | Failed:
    """Turn the answer at the callback into an identity, or say what is wrong with it."""
    metadata = providers().metadata(applied.connection, now=now)
    if isinstance(metadata, Failed):
        return metadata
    if asked.issuer != applied.connection.issuer or rules.wrong_issuer(metadata, named=answer.iss):
        return Failed(Reason.OTHER_ISSUER, Wrong.ISSUER)
    if answer.error is not None or not answer.code:
        return Failed(Reason.DENIED, Wrong.DENIED, rules.known_error(answer.error))
    lacking = providers().lacks_keys(applied.connection, metadata, now=now)
    if lacking is not None:  # a code that buys what nobody can verify is not spent
        return lacking
    with patience().turn(applied.connection.issuer) as mine:
        return _taken(applied, asked, answer, metadata, now=now) if mine else Failed(Reason.BUSY, Wrong.BUSY)


def _taken(applied: Applied, asked: Asked, answer: Answer, metadata: Metadata, *, now: datetime) -> Taken | Failed:
    tokens = _tokens(applied, metadata, answer, now=now)
    if isinstance(tokens, Failed):
        return tokens
    inside = opened(applied.connection, tokens["id_token"])
    if isinstance(inside, Refused):
        return Failed(Reason.TOKEN, Wrong.ENCRYPTION)
    tokens["id_token"] = inside.token
    claims = _id_token(applied.connection, metadata, asked, answer, tokens, now=now)
    if isinstance(claims, Failed):
        return claims
    if not jwe.same_claims(inside, claims):
        return Failed(Reason.TOKEN, Wrong.ENCRYPTION)
    more = _userinfo(applied.connection, metadata, claims, tokens)
    if isinstance(more, Failed):
        return more
    said = Said(
        subject=claims["sub"],
        claims={**more, **claims},
        acr=claims["acr"] if isinstance(claims.get("acr"), str) else None,
        amr=rules.methods_of(claims),
        authenticated_at=rules.authenticated_at(claims),
        session=claims["sid"] if isinstance(claims.get("sid"), str) else None,
    )
    identity = identity_of(applied.name, applied.connection, said)
    if isinstance(identity, Refused):
        return Failed(Reason.BAD_SUBJECT, Wrong.SUBJECT)
    return Taken(identity, Secret(tokens["id_token"]))


def sign_out(applied: Applied, hint: Secret | None, *, back_to: str, now: datetime) -> Callable[[Secret], str] | None:
    """How the browser signs out there too (RP-Initiated Logout §2), where the provider offers that."""
    oidc = _oidc(applied.connection)
    metadata = providers().metadata(applied.connection, now=now) if oidc.sends_out else None
    if metadata is None or isinstance(metadata, Failed) or metadata.end_session_endpoint is None:
        return None
    endpoint = metadata.end_session_endpoint
    parameters = {"client_id": oidc.client_id, "post_logout_redirect_uri": back_to}
    parameters |= {"id_token_hint": hint.reveal()} if hint is not None else {}

    def to(state: Secret) -> str:
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode({**parameters, 'state': state.reveal()})}"

    return to


def logout_claims(applied: Applied, token: str, *, now: datetime) -> Mapping[str, Any] | Refused:
    """The claims of a genuine logout token of this provider for us (FE-16)."""
    metadata = providers().metadata(applied.connection, now=now)
    if isinstance(metadata, Failed):
        return metadata
    inside = opened(applied.connection, token, may_be_plain=True)
    if isinstance(inside, Refused):
        return inside
    claims = providers().verify(
        inside.token, purpose=Purpose.UPSTREAM_LOGOUT, connection=applied.connection, metadata=metadata, now=now
    )
    return claims if isinstance(claims, Refused) or jwe.same_claims(inside, claims) else Refused(jose.Reason.CLAIMS)


def credentials(applied: Applied, metadata: Metadata, *, now: datetime) -> Credentials | Failed:
    """Our proof to the provider: the secret set for it, or an assertion by our federation key."""
    oidc = _oidc(applied.connection)
    method = oidc.client_authentication
    if method != "private_key_jwt":
        with reading() as tx:
            secret = secret_of(tx, applied.name)
        return Credentials(method, secret=secret) if secret else Failed(Reason.UNREACHABLE, Wrong.NO_SECRET)
    ours = house.get(Keyring).upstream(Use.FEDERATION)
    key = ours.keys.get(oidc.assertion.alg) if ours is not None else None
    if key is None:
        return Failed(Reason.UNREACHABLE, Wrong.NO_KEYS)
    at = int(now.timestamp())
    claims = {
        "iss": oidc.client_id,
        "sub": oidc.client_id,
        "aud": metadata.issuer if oidc.assertion.audience == "issuer" else metadata.token_endpoint,
        "jti": secrets.token_urlsafe(24),
        "iat": at,
        "exp": at + int(_ASSERTION_LIVES.total_seconds()),
    }
    return Credentials(method, assertion=jose.sign(claims, key=key, typ="JWT"))


def _tokens(applied: Applied, metadata: Metadata, answer: Answer, *, now: datetime) -> dict[str, str] | Failed:
    proof = credentials(applied, metadata, now=now)
    if isinstance(proof, Failed):
        return proof
    response = authlib_client.fetch_token(
        house.get(Outgoing),
        metadata.token_endpoint,
        client_id=_oidc(applied.connection).client_id,
        credentials=proof,
        redirect_uri=callback_of(applied.name),
        code=answer.code or "",
        verifier=derived(answer.state, purpose="pkce"),
    )
    if isinstance(response, Refused):
        return Failed(Reason.UNREACHABLE, Wrong.UNREACHABLE)
    if response is None or isinstance(response, str):
        return Failed(Reason.TOKEN, Wrong.TOKEN_REFUSED, rules.known_error(response))
    found = {name: response.get(name) for name in ("id_token", "access_token")}
    if not all(isinstance(value, str) and value for value in found.values()):
        return Failed(Reason.TOKEN, Wrong.NO_ID_TOKEN)
    return {name: str(value) for name, value in found.items()}


_WRONG: Final = {
    jose.Reason.AUDIENCE: Wrong.AUDIENCE,
    jose.Reason.ISSUER: Wrong.ISSUER,
    jose.Reason.EXPIRED: Wrong.EXPIRED,
    jose.Reason.NOT_YET: Wrong.EXPIRED,
    jose.Reason.TOO_OLD: Wrong.EXPIRED,
}


def _id_token(
    connection: Connection,
    metadata: Metadata,
    asked: Asked,
    answer: Answer,
    tokens: Mapping[str, str],
    *,
    now: datetime,
) -> Mapping[str, Any] | Failed:
    token = tokens["id_token"]
    claims = providers().verify(
        token, purpose=Purpose.UPSTREAM_ID_TOKEN, connection=connection, metadata=metadata, now=now
    )
    if isinstance(claims, Refused):
        return Failed(Reason.TOKEN, _WRONG.get(jose.Reason(claims.reason), Wrong.SIGNATURE))
    alg = jose.algorithm_of(token)
    assert alg is not None, "it was verified by that"
    wrong = rules.wrong_id_token(
        claims,
        expected=Expected(
            client_id=_oidc(connection).client_id,
            nonce=derived(answer.state, purpose="nonce"),
            asked_at=asked.at,
            again=asked.again,
            max_age=asked.max_age,
        ),
        alg=alg,
        access_token=tokens["access_token"],
        code=answer.code or "",
        now=now,
    )
    if wrong is None:
        return claims
    return Failed(Reason.NOT_AGAIN if wrong is Wrong.OLD_SIGN_IN else Reason.TOKEN, wrong)


def _userinfo(
    connection: Connection, metadata: Metadata, claims: Mapping[str, Any], tokens: Mapping[str, str]
) -> Mapping[str, Any] | Failed:
    """What UserInfo adds, where the connection asks it; about the same person or not at all (FE-09)."""
    if not _oidc(connection).userinfo:
        return {}
    if metadata.userinfo_endpoint is None:
        return Failed(Reason.USERINFO, Wrong.USERINFO)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    try:
        reply = house.get(Outgoing).get(metadata.userinfo_endpoint, purpose=Errand.UPSTREAM_USERINFO, headers=bearer)
        found = None if isinstance(reply, Refused) or reply.status != 200 else orjson.loads(reply.body)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("sub") != claims["sub"]:
        return Failed(Reason.USERINFO, Wrong.USERINFO)
    return found


def _oidc(connection: Connection) -> Oidc:
    assert connection.oidc is not None, "a connection of this protocol was checked to have it"
    return connection.oidc
