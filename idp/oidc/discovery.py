"""Discovery and authorization-server metadata, written from the tables that the endpoints use (RFC 8414, OIDC Discovery)."""

from functools import lru_cache
from typing import Any

import orjson

from idp.foundation import house
from idp.keyring.service import Keyring
from idp.oidc.authlib_adapter import GRANTS
from idp.oidc.scope_table import SCOPES
from idp.settings import Settings
from idp.vocabulary.assurance import Acr

AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
ASSERTION_ALGS = ("ES256", "ES384", "RS256", "RS384", "PS256", "EdDSA")


def document() -> bytes:
    """The metadata document; only registered member names (PROTOCOL 1)."""
    return _written(house.get(Settings).issuer, house.get(Keyring).algs)


@lru_cache(maxsize=16)
def _written(issuer: str, algs: frozenset[str]) -> bytes:
    return orjson.dumps(metadata(issuer, sorted(algs)))


def metadata(issuer: str, algs: list[str]) -> dict[str, Any]:
    """Members of RFC 8414 §2, OIDC Discovery §3, RFC 9207, and the logout specifications."""
    signing = sorted({*algs, "RS256"})
    confidential = [method for method in AUTH_METHODS if method != "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [grant.GRANT_TYPE for grant in GRANTS],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": signing,
        "acr_values_supported": [acr.value for acr in Acr],
        "claim_types_supported": ["normal"],
        "claims_supported": claims_supported(),
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["en", "es"],
        "display_values_supported": ["page"],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }


def claims_supported() -> list[str]:
    """Every claim that some scope releases, and the protocol's own."""
    released = [claim for claims in SCOPES.values() for claim in claims]
    return list(
        dict.fromkeys([*released, "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid"])
    )
