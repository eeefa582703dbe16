"""What an upstream provider's documents and answers must say. Pure: everything is verified bytes or a parsed document."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from idp.foundation.algorithms import Alg
from idp.relying_parties.addresses.rules import wrong_page, wrong_server_address
from idp.relying_parties.faults import Ground

LEEWAY: Final = timedelta(seconds=60)
_HASHES: Final = {
    Alg.ES256: "sha256",
    Alg.RS256: "sha256",
    Alg.PS256: "sha256",
    Alg.ES384: "sha384",
    Alg.RS384: "sha384",
}
"""By the algorithm's own digest (OIDC Core §3.1.3.6); EdDSA's Ed25519 goes with SHA-512."""
KNOWN_ERRORS: Final = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unmet_authentication_requirements",
        "unsupported_grant_type",
        "unsupported_response_type",
    }
)
"""RFC 6749 §4.1.2.1 and §5.2, OIDC Core §3.1.2.6; of another code nothing is kept (FE-15)."""
_CALLED: Final = ("token_endpoint", "jwks_uri")


class Wrong(StrEnum):
    """What is wrong, as the audit and the console's walk-through tell it."""

    UNREACHABLE = "unreachable"
    BUSY = "busy"
    NOT_JSON = "not_json"
    ISSUER = "issuer"
    ENDPOINT = "endpoint"
    NO_CODE = "no_code"
    NO_PKCE = "no_pkce"
    METHOD = "method"
    ASSERTION_ALG = "assertion_alg"
    NO_KEYS = "no_keys"
    NO_SECRET = "no_secret"
    TOKEN_REFUSED = "token_refused"
    NO_ID_TOKEN = "no_id_token"
    ENCRYPTION = "encryption"
    SIGNATURE = "signature"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NONCE = "nonce"
    HASH = "hash"
    STALE = "stale"
    OLD_SIGN_IN = "old_sign_in"
    USERINFO = "userinfo"
    SUBJECT = "subject"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What we use of a discovery document (OIDC Discovery §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    names_itself: bool = False
    """Its answers carry `iss` (RFC 9207), so one without is refused."""


def metadata_of(document: object, *, issuer: str, method: str, ground: Ground, alg: str = "ES256") -> Metadata | Wrong:
    """Read a discovery document, or say why this connection must not be used with it (FE-07, RFC 8414 §3.3)."""
    if not isinstance(document, Mapping):
        return Wrong.NOT_JSON
    if document.get("issuer") != issuer:
        return Wrong.ISSUER
    if any(True for _ in _wrong_endpoints(document, ground)):
        return Wrong.ENDPOINT
    if "code" not in _list(document, "response_types_supported", ["code"]):
        return Wrong.NO_CODE
    if "S256" not in _list(document, "code_challenge_methods_supported", ["S256"]):
        return Wrong.NO_PKCE
    if method not in _list(document, "token_endpoint_auth_methods_supported", ["client_secret_basic"]):
        return Wrong.METHOD
    if method == "private_key_jwt" and alg not in _list(
        document, "token_endpoint_auth_signing_alg_values_supported", [alg]
    ):
        return Wrong.ASSERTION_ALG
    return Metadata(
        issuer=issuer,
        authorization_endpoint=document["authorization_endpoint"],
        token_endpoint=document["token_endpoint"],
        jwks_uri=document["jwks_uri"],
        userinfo_endpoint=document.get("userinfo_endpoint"),
        end_session_endpoint=document.get("end_session_endpoint"),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _wrong_endpoints(document: Mapping[str, Any], ground: Ground) -> Iterator[str]:
    """The names of endpoints that are missing, plain http or inside."""
    for name in ("authorization_endpoint", "end_session_endpoint"):
        value = document.get(name)
        if value is None and name == "end_session_endpoint":
            continue
        if not isinstance(value, str) or wrong_page(value, ground=ground) is not None:
            yield name
    for name in (*_CALLED, "userinfo_endpoint"):
        value = document.get(name)
        if value is None and name == "userinfo_endpoint":
            continue
        if not isinstance(value, str) or wrong_server_address(value, ground=ground) is not None:
            yield name


def known_error(code: str | None) -> str | None:
    """A provider's error code, where it is one of a specification."""
    return code if code in KNOWN_ERRORS else None


def wrong_issuer(metadata: Metadata, *, named: str | None) -> bool:
    """Whether an answer comes from somebody else: mix-up (FE-05, RFC 9207 §2.4)."""
    if named is None:
        return metadata.names_itself
    return named != metadata.issuer


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must answer to."""

    client_id: str
    nonce: str
    asked_at: datetime
    again: bool = False
    max_age: int | None = None


def wrong_id_token(
    claims: Mapping[str, Any], *, expected: Expected, alg: Alg, access_token: str, code: str, now: datetime
) -> Wrong | None:
    """What is wrong with a genuine ID token of this issuer (OIDC Core §3.1.3.7); `iss`, `exp` and signature were judged before."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    presenter = claims.get("azp", expected.client_id)
    if (
        expected.client_id not in audience
        or presenter != expected.client_id
        or (len(audience) > 1 and "azp" not in claims)
    ):
        return Wrong.AUDIENCE
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        return Wrong.NONCE
    for name, text in (("at_hash", access_token), ("c_hash", code)):
        if name in claims and not _is_hash(claims[name], text, alg=alg):
            return Wrong.HASH
    if claims["iat"] < (expected.asked_at - LEEWAY).timestamp():
        return Wrong.STALE
    return _wrong_moment(claims, expected, now=now)


def _wrong_moment(claims: Mapping[str, Any], expected: Expected, *, now: datetime) -> Wrong | None:
    """Whether the person signed in there as lately as was asked (OIDC Core §3.1.2.1: `auth_time` is then required)."""
    at = authenticated_at(claims)
    if "auth_time" in claims and (at is None or at > now + LEEWAY):
        return Wrong.OLD_SIGN_IN
    if not expected.again and expected.max_age is None:
        return None
    if at is None or (expected.again and at < expected.asked_at - LEEWAY):
        return Wrong.OLD_SIGN_IN
    too_old = expected.max_age is not None and at < now - timedelta(seconds=expected.max_age) - LEEWAY
    return Wrong.OLD_SIGN_IN if too_old else None


def authenticated_at(claims: Mapping[str, Any]) -> datetime | None:
    """`auth_time`, where it is a moment."""
    value = claims.get("auth_time")
    if type(value) is not int or not 0 <= value <= 253402300799:
        return None
    return datetime.fromtimestamp(value, UTC)


def methods_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """`amr`, where it is a list of text."""
    value = claims.get("amr")
    return tuple(each for each in value if isinstance(each, str))[:20] if isinstance(value, list) else ()


def _is_hash(said: object, text: str, *, alg: Alg) -> bool:
    """Left half of the digest, base64url (FE-08); an algorithm without a digest here hashes nothing."""
    name = "sha512" if alg is Alg.EDDSA else _HASHES.get(alg)
    if name is None or not isinstance(said, str):
        return False
    digest = hashlib.new(name, text.encode()).digest()
    wanted = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    return hmac.compare_digest(wanted, said.encode("utf-8", "surrogatepass"))


def _list(document: Mapping[str, Any], name: str, absent: list[str]) -> list[object]:
    value = document.get(name, absent)
    return value if isinstance(value, list) else []
