"""Authlib as the registry of grants and client authentication, and nothing more (SECURITY §3: T1–T12).

It says which grant class serves a request. Parsing, client authentication, storage, minting and answers are ours:
every hook here is one line, and none of Authlib's defaults is reached.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.errors import UnsupportedGrantTypeError, UnsupportedResponseTypeError
from authlib.oauth2.rfc6749.grants import AuthorizationEndpointMixin, BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from idp.foundation import logs
from idp.oidc.errors import UNAUTHORIZED_CLIENT, UNSUPPORTED_GRANT, OAuthError
from idp.oidc.grants import authorization_code, client_credentials, refresh_token
from idp.oidc.grants.answer import Minted, TokenRequest
from idp.relying_parties.rules import RelyingParty


class ParsedRequest(OAuth2Request):  # type: ignore[misc]
    """A request that the front door has read; Authlib sees only these parameters."""

    def __init__(self, parameters: Mapping[str, str], *, method: str = "POST") -> None:
        self.method = method
        self.payload = BasicOAuth2Payload(dict(parameters))
        self.client: RelyingParty | None = None


class Grant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """One grant type by its name; `_SERVES` says what serves it."""


class CodeGrant(Grant, AuthorizationEndpointMixin):  # type: ignore[misc]
    """RFC 6749 §4.1; the only response type is `code`."""

    GRANT_TYPE = "authorization_code"
    RESPONSE_TYPES: ClassVar = {"code"}


class RefreshGrant(Grant):
    """RFC 6749 §6."""

    GRANT_TYPE = "refresh_token"


class ClientCredentials(Grant):
    """RFC 6749 §4.4."""

    GRANT_TYPE = "client_credentials"


class Server(AuthorizationServer):  # type: ignore[misc]
    """The registry; the client of a request is the one that `authenticate_client` has found."""

    def authenticate_client(self, request: ParsedRequest, methods: Any = None, endpoint: str = "token") -> Any:
        return request.client

    def query_client(self, client_id: str) -> None:
        return None

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        return None


GRANTS: Final = (CodeGrant, RefreshGrant, ClientCredentials)
_SERVES: Final[Mapping[str, Callable[[TokenRequest], Minted | OAuthError]]] = {
    CodeGrant.GRANT_TYPE: authorization_code.redeem,
    RefreshGrant.GRANT_TYPE: refresh_token.refresh,
    ClientCredentials.GRANT_TYPE: client_credentials.grant,
}
SERVER: Final = Server()
for _grant in GRANTS:
    SERVER.register_grant(_grant)


def supports_response_type(parameters: Mapping[str, str]) -> bool:
    """Whether a grant is registered for the request's `response_type`."""
    try:
        SERVER.get_authorization_grant(ParsedRequest(parameters, method="GET"))
    except (UnsupportedResponseTypeError, ValueError):  # Authlib quotes the value, and fails on a quotation mark in it
        return False
    return True


def serve(request: TokenRequest) -> Minted | OAuthError:
    """Let the registered grant type serve an authenticated token request."""
    parsed = ParsedRequest(request.form)
    parsed.client = request.party
    try:
        grant = SERVER.get_token_grant(parsed)
    except (UnsupportedGrantTypeError, ValueError):
        return UNSUPPORTED_GRANT
    logs.client.set({**logs.client.get(), "grant_type": grant.GRANT_TYPE})
    if not request.is_registered_for(grant.GRANT_TYPE):
        return UNAUTHORIZED_CLIENT
    return _SERVES[grant.GRANT_TYPE](request)
