"""Authlib's OAuth 2 client over our own way out: it writes the requests, and none of its own connections is reached.

Client authentication is ours: a form-encoded Basic header (RFC 6749 §2.3.1), a secret in the body, or an assertion
signed by our federation key (RFC 7523).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from idp.foundation.outgoing import Outgoing, Purpose, Reply
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class NoAnswer(Exception):
    """The token endpoint gave nothing usable; `refused` says why the network did not, where it did not."""

    def __init__(self, refused: Refused | None = None) -> None:
        super().__init__("no answer")
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Credentials:
    """How we prove to an upstream provider who asks: one of the two."""

    method: str
    secret: Secret | None = None
    assertion: str | None = None


class _Response:
    """As much of a response as Authlib reads."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self._body = reply.body

    def json(self) -> Any:
        return json.loads(self._body)

    def raise_for_status(self) -> None:
        raise NoAnswer


class _Session:
    """As much of a session as Authlib uses: one POST of a form."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> _Response:
        sent = {"Content-Type": "application/x-www-form-urlencoded"}
        url, sent, body = auth.prepare("POST", url, sent, urlencode(dict(data)))
        reply = self._outgoing.post(url, purpose=Purpose.UPSTREAM_TOKEN, body=str(body).encode("ascii"), headers=sent)
        if isinstance(reply, Refused):
            raise NoAnswer(reply)
        return _Response(reply)


def _basic(client: Any, _method: str, uri: str, headers: dict[str, str], body: str) -> tuple[str, dict[str, str], str]:
    from base64 import b64encode

    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret.reveal())}"
    return uri, {**headers, "Authorization": f"Basic {b64encode(pair.encode()).decode('ascii')}"}, body


def _post(client: Any, _method: str, uri: str, headers: dict[str, str], body: str) -> tuple[str, dict[str, str], str]:
    more = urlencode({"client_id": client.client_id, "client_secret": client.client_secret.reveal()})
    return uri, headers, f"{body}&{more}"


def _assertion(
    client: Any, _method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    more = urlencode(
        {"client_id": client.client_id, "client_assertion_type": ASSERTION, "client_assertion": client.client_secret}
    )
    return uri, headers, f"{body}&{more}"


_METHODS: Final = {"client_secret_basic": _basic, "client_secret_post": _post, "private_key_jwt": _assertion}


def authorization_url(endpoint: str, *, client_id: str, redirect_uri: str, verifier: str, **parameters: str) -> str:
    """Where the browser goes: code flow with PKCE S256 (RFC 9700 §2.1.1)."""
    client = OAuth2Client(None, client_id=client_id, redirect_uri=redirect_uri, code_challenge_method="S256")
    url, _state = client.create_authorization_url(endpoint, code_verifier=verifier, **parameters)
    return str(url)


def fetch_token(
    outgoing: Outgoing,
    endpoint: str,
    *,
    client_id: str,
    credentials: Credentials,
    redirect_uri: str,
    code: str,
    verifier: str,
) -> Mapping[str, Any] | Refused | str | None:
    """The token response; `Refused` where nobody answered, the error code of a refusal, `None` for whatever else."""
    proof = credentials.assertion if credentials.method == "private_key_jwt" else credentials.secret
    client = OAuth2Client(
        _Session(outgoing),
        client_id=client_id,
        client_secret=proof,
        token_endpoint_auth_method=_METHODS[credentials.method],
        redirect_uri=redirect_uri,
    )
    try:
        answer = client.fetch_token(endpoint, grant_type="authorization_code", code=code, code_verifier=verifier)
    except NoAnswer as error:
        return error.refused
    except OAuth2Error as error:
        return error.error if isinstance(error.error, str) else None
    except (ValueError, KeyError, TypeError):
        return None
    return dict(answer)
