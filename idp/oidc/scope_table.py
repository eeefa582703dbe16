"""Scope → claims: the one table that tokens, UserInfo, discovery, the consent page and the docs read (DESIGN §6)."""

from collections.abc import Collection, Mapping
from typing import Final

from idp.subjects.claims import PROFILE_CLAIMS

STANDARD: Final[Mapping[str, tuple[str, ...]]] = {
    "openid": ("sub",),
    "profile": PROFILE_CLAIMS,
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
    "offline_access": (),
}
"""OIDC Core §5.4."""
ACTING: Final[Mapping[str, tuple[str, ...]]] = {
    "provider_id": ("provider_id", "npi", "provider_type", "provider_name", "providers", "providers_more"),
    "tin": ("tin", "tin_type", "tin_ref"),
    "trading_partner": ("trading_partner_id", "trading_partner_name", "represents", "represents_more"),
    "entitlements": ("entitlements", "affiliation", "affiliation_role"),
}
"""For whom the person acts."""
SCOPES: Final[Mapping[str, tuple[str, ...]]] = {**STANDARD, **ACTING}
USERINFO_ONLY: Final = frozenset({"providers", "providers_more"})
"""Too long for a token (MODEL §1)."""
CLIENT_SCOPES: Final = frozenset({"provider_id", "tin"})
"""What an app may ask for itself; everything else speaks of a person (TK-24)."""


def released_by(scopes: Collection[str]) -> frozenset[str]:
    """The claims that these scopes release."""
    return frozenset(claim for scope in scopes for claim in SCOPES.get(scope, ()))
