"""The short cuts of this room: the same functions as the views', called before Flask (PERFORMANCE: the next step).

At once, on the event loop: client credentials by a secret, discovery and keys. What they need is `AtHand`, at most a
second old as the clients are for every view; the epoch that is stamped into an issued token may be that old too, since
a token with a former epoch is void at its first use. Whoever checks a token reads epochs as they are.
In a thread: UserInfo and introspection, which read.
"""

import contextvars
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from flask import Flask

from idp.foundation import clock, house
from idp.foundation.algorithms import Alg
from idp.foundation.pages import CLOSED_POLICY
from idp.foundation.short_cuts import FallThrough, ShortCut, ShortCuts, Told, authorization, origin_of, sent_form
from idp.keyring.service import Keyring
from idp.oidc import cors, discovery, token_endpoint
from idp.oidc import userinfo as info
from idp.oidc.answers import CACHEABLE, written
from idp.oidc.at_hand import AtHand
from idp.oidc.authlib_adapter import ClientCredentials
from idp.oidc.client_authentication import known_by_secret
from idp.oidc.errors import OAuthError
from idp.oidc.grants import client_credentials
from idp.oidc.grants.answer import TokenRequest, as_response
from idp.oidc.requests import FORM, Parameters, bearer, read_encoded

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PARAMETERS: Final = frozenset({"grant_type", "scope", "client_id", "client_secret"})
QUICK_TO_SIGN: Final = frozenset({Alg.ES256, Alg.ES384, Alg.EDDSA})
"""RSA takes ten to a hundred times as long: on the loop everybody would wait for it."""
_CLOSED: Final = ("Content-Security-Policy", CLOSED_POLICY)


def of(app: Flask, at_hand: AtHand) -> ShortCuts:
    """Every short cut of this room, not yet behind its wall."""
    at_once = AtOnce(at_hand)
    return ShortCuts(
        at_once={
            ("POST", "/oauth/token"): _on_the_loop(app, ShortCut(at_once.token)),
            ("GET", "/oauth/jwks"): _on_the_loop(app, ShortCut(_keys)),
            ("GET", "/.well-known/openid-configuration"): _on_the_loop(app, ShortCut(_metadata)),
            ("GET", "/.well-known/oauth-authorization-server"): _on_the_loop(app, ShortCut(_metadata)),
        },
        in_thread={
            ("GET", "/oauth/userinfo"): _in_a_thread(app, ShortCut(_userinfo)),
            ("POST", "/oauth/introspect"): _in_a_thread(app, ShortCut(_introspect)),
        },
    )


class AtOnce:
    """Client credentials from what is at hand."""

    def __init__(self, at_hand: AtHand) -> None:
        self._at_hand = at_hand

    def token(self, environ: "WSGIEnvironment") -> Told:
        """A token for an app that asks for all it is approved for; nothing is written, counted, or waited for."""
        sent, now = _form(environ), clock.now()
        if sent.resources or not sent.single.keys() <= PARAMETERS:
            raise FallThrough
        if sent.single.get("grant_type") != ClientCredentials.GRANT_TYPE:
            raise FallThrough
        known = self._at_hand.at(now)
        if known is None:
            raise FallThrough
        party = known_by_secret(authorization(environ), sent.single, parties=known.parties, now=now)
        if party is None or party.registration.access_token.alg not in QUICK_TO_SIGN:
            raise FallThrough
        request = TokenRequest(party, sent.single, (), now, origin_of(environ))
        if not request.is_registered_for(ClientCredentials.GRANT_TYPE):
            raise FallThrough
        minted = client_credentials.grant_unasked(request, system_epoch=known.system_epoch)
        if minted is None:
            raise FallThrough
        status, headers, body = written(as_response(minted, request=request))
        return status, [*headers, cors.VARY, _CLOSED], body


def _keys(environ: "WSGIEnvironment") -> Told:
    keyring = house.get(Keyring)
    if not keyring.settled:
        raise FallThrough
    return 200, [CACHEABLE, cors.VARY, _CLOSED], keyring.jwks()


def _metadata(environ: "WSGIEnvironment") -> Told:
    if not house.get(Keyring).settled:
        raise FallThrough
    return 200, [CACHEABLE, cors.VARY, _CLOSED], discovery.document()


def _userinfo(environ: "WSGIEnvironment") -> Told:
    """OIDC Core §5.3 with the token in its header."""
    sent = bearer(environ.get("HTTP_AUTHORIZATION", ""), in_body="")
    answer = sent if isinstance(sent, OAuthError) else info.userinfo(sent, now=clock.now())
    status, headers, body = written(answer)
    return status, [*headers, cors.VARY, _CLOSED], body


def _introspect(environ: "WSGIEnvironment") -> Told:
    """RFC 7662."""
    sent = _form(environ)
    answer = token_endpoint.introspect(authorization(environ), sent, now=clock.now(), origin=origin_of(environ))
    status, headers, body = written(answer)
    return status, [*headers, _CLOSED], body


def _form(environ: "WSGIEnvironment") -> Parameters:
    read = read_encoded(sent_form(environ, content_type=FORM))
    if isinstance(read, OAuthError):
        raise FallThrough
    return read


def _on_the_loop(app: Flask, short_cut: ShortCut) -> "WSGIApplication":
    """In one application context that stays: the loop serves one request after the other, and none keeps anything."""
    staying = contextvars.copy_context()
    staying.run(app.app_context().push)

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return staying.run(short_cut, environ, start_response)

    return serve


def _in_a_thread(app: Flask, short_cut: ShortCut) -> "WSGIApplication":
    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with app.app_context():
            return short_cut(environ, start_response)

    return serve
