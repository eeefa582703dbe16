"""What the page's script hands to `navigator.credentials`: always with user verification, always discoverable."""

from collections.abc import Sequence
from typing import Any, Final

from idp.authenticators.webauthn import base64url, challenges, verifying
from idp.authenticators.webauthn.rules import Credential, RelyingPartyId, handle_of
from idp.subjects.rules import SubjectFacts

_TIMEOUT: Final = int(challenges.LIFETIME.total_seconds() * 1000)


def to_get(*, challenge: str, us: RelyingPartyId, keys: Sequence[Credential] = ()) -> dict[str, Any]:
    """For `get()`: any passkey of ours, or, once we know who it is, one of `keys`."""
    return {
        "challenge": challenge,
        "rpId": us.id,
        "timeout": _TIMEOUT,
        "userVerification": "required",
        "allowCredentials": [_named(key) for key in keys],
    }


def to_create(
    *,
    challenge: str,
    us: RelyingPartyId,
    our_name: str,
    subject: SubjectFacts,
    held: Sequence[Credential],
    wants_maker: bool,
) -> dict[str, Any]:
    """For `create()`: none on an authenticator that has one; its maker is asked for only where an operator trusts some."""
    return {
        "challenge": challenge,
        "rp": {"id": us.id, "name": our_name},
        "user": {
            "id": base64url.encode(handle_of(subject.id)),
            "name": subject.user_id or subject.email or subject.name,
            "displayName": subject.name,
        },
        "pubKeyCredParams": [{"type": "public-key", "alg": int(alg)} for alg in verifying.ALGORITHMS],
        "timeout": _TIMEOUT,
        "excludeCredentials": [_named(key) for key in held],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "direct" if wants_maker else "none",
    }


def _named(key: Credential) -> dict[str, Any]:
    named = {"type": "public-key", "id": base64url.encode(key.credential_id)}
    return named | ({"transports": list(key.transports)} if key.transports else {})
