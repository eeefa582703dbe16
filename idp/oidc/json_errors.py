"""Errors at the endpoints that machines call, in OAuth's own shape (RFC 6749 §5.2)."""

from typing import Final

import orjson
from flask import Flask, Response

from idp.foundation import error_pages
from idp.oidc.cors import READABLE

_CODES: Final = {
    400: "invalid_request",
    404: "not_found",
    405: "invalid_request",
    408: "invalid_request",
    411: "invalid_request",
    413: "invalid_request",
    414: "invalid_request",
    415: "invalid_request",
    429: "temporarily_unavailable",
    431: "invalid_request",
    503: "temporarily_unavailable",
}


def attach(app: Flask) -> None:
    """Give each machine's endpoint its JSON answer."""
    for path in (*READABLE, "/oauth/introspect"):
        error_pages.register_json_prefix(app, prefix=path, answer=_answer)


def _answer(status: int, path: str) -> Response:
    body = orjson.dumps({"error": _CODES.get(status, "server_error")})
    return Response(body, status=status, mimetype="application/json", headers={"Cache-Control": "no-store"})
