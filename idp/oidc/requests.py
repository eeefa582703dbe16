"""The strict front door of the endpoints that clients call: body only, form encoded, each name once (SECURITY D3).

Werkzeug merges, guesses and forgives (T6, T7, T22); here the raw body is read once into one value a name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from flask import Request

from idp.foundation.parsing import MAX_FIELDS, acceptable
from idp.oidc.errors import INVALID_REQUEST, NO_TOKEN, OAuthError
from idp.oidc.rules import REPEATABLE

FORM: Final = "application/x-www-form-urlencoded"
NOT_A_FORM: Final = OAuthError("invalid_request", "The body must be application/x-www-form-urlencoded.", 415)
IN_THE_QUERY: Final = OAuthError("invalid_request", "Parameters belong in the body.")


@dataclass(frozen=True, slots=True)
class Parameters:
    """One value a name; only `resource` may stand several times."""

    single: Mapping[str, str]
    resources: tuple[str, ...] = ()


def read_body(request: Request) -> Parameters | OAuthError:
    """The form of a client's POST."""
    if request.mimetype != FORM:
        return NOT_A_FORM
    if request.query_string:
        return IN_THE_QUERY
    return read_encoded(request.get_data(cache=False))


def bearer(authorization: str, *, in_body: str) -> str | OAuthError:
    """One token, sent one way (RFC 6750 §2)."""
    scheme, _, sent = authorization.partition(" ")
    if not scheme:
        return in_body or NO_TOKEN
    if in_body:
        return INVALID_REQUEST
    return sent.strip() if scheme.lower() == "bearer" and sent.strip() else NO_TOKEN


def read_encoded(raw: bytes) -> Parameters | OAuthError:
    """Decode `application/x-www-form-urlencoded` bytes; anything doubtful is refused as a whole."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        return INVALID_REQUEST
    single: dict[str, str] = {}
    resources: list[str] = []
    for name, value in pairs:
        if not (acceptable(name) and acceptable(value)):
            return INVALID_REQUEST
        if name in REPEATABLE:
            resources.append(value)
        elif name in single:
            return INVALID_REQUEST
        else:
            single[name] = value
    return Parameters(single, tuple(resources))
