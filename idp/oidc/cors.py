"""CORS for browser apps: only the origins of public clients' redirect URIs, never with credentials (UI-06)."""

from typing import Final

from flask import Flask, Response, request

from idp.relying_parties import service as relying_parties

READABLE: Final = frozenset(
    {
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/oauth/jwks",
        "/oauth/token",
        "/oauth/userinfo",
        "/oauth/revoke",
    }
)
"""What a browser app may call from its own origin."""
VARY: Final = ("Vary", "Origin")


def attach(app: Flask) -> None:
    """Answer preflights, and add the headers where they belong."""
    app.before_request(preflight)
    app.after_request(allow)


def allow(response: Response) -> Response:
    """Name the asking origin if it is a public client's; say always that the answer depends on it."""
    if request.path in READABLE:
        response.headers.add(*VARY)
        asking = request.headers.get("Origin")
        if asking is not None and asking in relying_parties.origins_of_public_clients():
            response.headers["Access-Control-Allow-Origin"] = asking
            response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate"
    return response


def preflight() -> Response | None:
    """The answer to `OPTIONS` (Fetch §3.2.2); an origin that is nobody's is allowed nothing."""
    if request.method != "OPTIONS" or request.path not in READABLE or request.environ.get("credence.refusal"):
        return None
    response = Response(status=204)
    if request.headers.get("Origin") in relying_parties.origins_of_public_clients():
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Access-Control-Max-Age"] = "600"
    return response
