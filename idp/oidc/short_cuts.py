"""The short cuts of this room: the same functions as the views', called before Flask (PERFORMANCE: the next step).

At once, on the event loop: client credentials by a secret, discovery and keys. What they need is `AtHand`, at most a
second old as the clients are for every view; the epoch that is stamped into an issued token may be that old too, since
a token with a former epoch is void at its first use. Whoever checks a token reads epochs as they are.
In a thread: UserInfo and introspection, which read, and tokens for a code or a refresh token, which write.
"""

import contextvars
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import orjson
from flask import Flask

from idp.foundation import clock, house, logs
from idp.foundation.algorithms import Alg
from idp.foundation.database import never_write
from idp.foundation.pages import CLOSED_POLICY
from idp.foundation.short_cuts import (
    Asked,
    FallThrough,
    Serve,
    ShortCuts,
    Told,
    authorization,
    in_a_thread,
    origin_of,
    sent_form,
)
from idp.keyring.service import Keyring
from idp.oidc import cors, discovery, token_endpoint
from idp.oidc import userinfo as info
from idp.oidc.answers import CACHEABLE, NOT_STORED, written
from idp.oidc.at_hand import AtHand
from idp.oidc.authlib_adapter import ClientCredentials, CodeGrant, RefreshGrant
from idp.oidc.client_authentication import known_by_secret
from idp.oidc.errors import OAuthError
from idp.oidc.grants import client_credentials
from idp.oidc.grants.answer import TokenRequest, bearing, signed
from idp.oidc.proven import Proven, Standing
from idp.oidc.requests import FORM, Parameters, bearer, read_encoded
from idp.relying_parties.rules import RelyingParty

PARAMETERS: Final = frozenset({"grant_type", "scope", "client_id", "client_secret"})
FOR_PEOPLE: Final = frozenset({CodeGrant.GRANT_TYPE, RefreshGrant.GRANT_TYPE})
_ALONE: Final = ClientCredentials.GRANT_TYPE.encode()
"""Where these bytes are missing it is another grant; who writes them in another way is served by Flask."""
QUICK_TO_SIGN: Final = frozenset({Alg.ES256, Alg.ES384, Alg.EDDSA})
"""RSA takes ten to a hundred times as long: on the loop everybody would wait for it."""
LONGEST: Final = 4096
"""Of a form that is read on the loop, before anybody is known; more is for a thread, whose turn others do not wait for."""
_CLOSED: Final = ("Content-Security-Policy", CLOSED_POLICY)
_PUBLIC_HEADERS: Final = (CACHEABLE, cors.VARY, _CLOSED)
_TOKEN_HEADERS: Final = (*NOT_STORED, cors.VARY, _CLOSED)


def of(app: Flask, at_hand: AtHand) -> ShortCuts:
    """Every short cut of this room."""
    at_once = AtOnce(at_hand)
    return ShortCuts(
        at_once={
            ("POST", "/oauth/token"): _on_the_loop(app, at_once.token),
            ("GET", "/oauth/jwks"): _on_the_loop(app, _keys),
            ("GET", "/.well-known/openid-configuration"): _on_the_loop(app, _metadata),
            ("GET", "/.well-known/oauth-authorization-server"): _on_the_loop(app, _metadata),
        },
        in_thread={
            ("POST", "/oauth/token"): in_a_thread(app, _token),
            ("GET", "/oauth/userinfo"): in_a_thread(app, _userinfo),
            ("POST", "/oauth/introspect"): in_a_thread(app, _introspect),
        },
    )


class AtOnce:
    """Client credentials from what is at hand."""

    def __init__(self, at_hand: AtHand) -> None:
        self._at_hand = at_hand
        self._proven = Proven()

    def token(self, asked: Asked) -> Told:
        """A token for an app that asks for all it is approved for; nothing is written, counted, or waited for."""
        if len(asked.body) > LONGEST:
            raise FallThrough
        form, now = sent_form(asked, content_type=FORM), clock.now()
        if _ALONE not in form:
            raise FallThrough
        known = self._at_hand.at(now)
        if known is None:
            raise FallThrough
        sent = asked.headers.get("authorization", "")
        standing = self._proven.recall(known.parties, authorization=sent, form=form)
        if standing is None:
            standing = _judged(asked, parties=known.parties, now=now)
            self._proven.keep(known.parties, standing, authorization=sent, form=form)
        content = client_credentials.minted_now(
            standing.content, now=now, epochs=(standing.party.epoch, known.system_epoch)
        )
        asked.client = {"client_id": standing.party.client_id, "grant_type": ClientCredentials.GRANT_TYPE}
        body = bearing(signed(content), content=content, scope=content.claims["scope"])
        return 200, _TOKEN_HEADERS, orjson.dumps(body)


def _judged(asked: Asked, *, parties: Mapping[str, RelyingParty], now: datetime) -> Standing:
    """Who asks and what for, from what was sent alone."""
    sent = _form(asked)
    if sent.resources or not sent.single.keys() <= PARAMETERS:
        raise FallThrough
    if sent.single.get("grant_type") != ClientCredentials.GRANT_TYPE:
        raise FallThrough
    party = known_by_secret(authorization(asked), sent.single, parties=parties, now=now)
    if party is None or party.registration.access_token.alg not in QUICK_TO_SIGN:
        raise FallThrough
    request = TokenRequest(party, sent.single, (), now, origin_of(asked))
    if not request.is_registered_for(ClientCredentials.GRANT_TYPE):
        raise FallThrough
    content = client_credentials.standing(request)
    if content is None:
        raise FallThrough
    return Standing(party, content)


def _keys(asked: Asked) -> Told:
    keyring = house.get(Keyring)
    if not keyring.settled:
        raise FallThrough
    return 200, _PUBLIC_HEADERS, keyring.jwks()


def _metadata(asked: Asked) -> Told:
    if not house.get(Keyring).settled:
        raise FallThrough
    return 200, _PUBLIC_HEADERS, discovery.document()


def _userinfo(asked: Asked) -> Told:
    """OIDC Core §5.3 with the token in its header."""
    sent = bearer(asked.headers.get("authorization", ""), in_body="")
    answer = sent if isinstance(sent, OAuthError) else info.userinfo(sent, now=clock.now())
    status, headers, body = written(answer)
    return status, (*headers, cors.VARY, _CLOSED), body


def _token(asked: Asked) -> Told:
    """RFC 6749 §4.1.3 and §6; whatever is wrong with such a request is refused by the same function as the view's."""
    sent = _form(asked)
    if sent.single.get("grant_type") not in FOR_PEOPLE:
        raise FallThrough
    answer = token_endpoint.token(authorization(asked), sent, now=clock.now(), origin=origin_of(asked))
    status, headers, body = written(answer)
    return status, (*headers, cors.VARY, _CLOSED), body


def _introspect(asked: Asked) -> Told:
    """RFC 7662."""
    sent = _form(asked)
    answer = token_endpoint.introspect(authorization(asked), sent, now=clock.now(), origin=origin_of(asked))
    status, headers, body = written(answer)
    return status, (*headers, _CLOSED), body


def _form(asked: Asked) -> Parameters:
    read = read_encoded(sent_form(asked, content_type=FORM))
    if isinstance(read, OAuthError):
        raise FallThrough
    return read


def _on_the_loop(app: Flask, serve: Serve) -> Serve:
    """In one application context that stays: the loop serves one request after the other, and none keeps anything."""
    staying = contextvars.copy_context()
    staying.run(app.app_context().push)
    staying.run(never_write)

    def named(asked: Asked) -> Told:
        logs.request_id.set(asked.request_id)
        return serve(asked)

    def in_context(asked: Asked) -> Told:
        return staying.run(named, asked)

    return in_context
