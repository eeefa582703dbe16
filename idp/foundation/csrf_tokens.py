"""The CSRF token of a form: the browser's secret, signed as Flask-WTF signs it, which checks it (SECURITY D9).

Its own `generate_csrf` makes a serializer, derives its key and compresses 64 hex digits for each page; tokens are read alike.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Final

import orjson
from flask import Flask, current_app, g
from flask_wtf.csrf import generate_csrf
from itsdangerous import TimestampSigner
from itsdangerous.encoding import base64_encode

from idp.foundation import house

_NAME: Final = "csrf_token"


class Signer:
    """One application's; `secret` is that of the browser that is being answered."""

    def __init__(self, key: str | bytes, secret: Callable[[], str]) -> None:
        self._signer = _KeyedOnce(key, salt=b"wtf-csrf-token")
        self.secret = secret

    def token(self, secret: str) -> str:
        """A token for the browser whose secret this is."""
        return self._signer.sign(base64_encode(orjson.dumps(secret))).decode()


class _KeyedOnce(TimestampSigner):
    """As every signer of this key and salt, but for deriving its key at each signature."""

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        if secret_key is None:
            return self._derived
        return super().derive_key(secret_key)

    @cached_property
    def _derived(self) -> bytes:
        return super().derive_key(None)


def attach(app: Flask, *, secret: Callable[[], str]) -> None:
    """Sign with the application's key what `secret` says at each page."""
    assert app.secret_key, "the keyring gave it before"
    house.furnish(app, Signer(app.secret_key, secret))


def of(secret: str) -> str:
    """A token for the browser whose secret this is."""
    return house.get(Signer).token(secret)


def of_this_page() -> str:
    """This response's one token."""
    signer: Signer | None = current_app.extensions.get("credence", {}).get(Signer)
    if signer is None:
        return str(generate_csrf())
    if _NAME not in g:
        g.csrf_token = signer.token(signer.secret())
    token: str = g.csrf_token
    return token
