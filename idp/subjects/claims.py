"""The standard claims of OpenID Connect Core §5.1, from what a person gave. Pure.

A table, not code: a claim that is not in it cannot be told, so no profile member can set `sub`, `aud` or `acr` (TK-35).
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from re import ASCII
from re import compile as pattern
from typing import Any, Final

from idp.subjects.rules import SubjectFacts

_BIRTHDATE: Final = pattern(r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2})?\Z", ASCII)
_URL: Final = pattern(r"https?://[^\s<>\"]{1,500}\Z", ASCII)
_ADDRESS: Final = ("formatted", "street_address", "locality", "region", "postal_code", "country")

PROFILE_CLAIMS: Final = (
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
)
"""What scope `profile` can release: the fourteen of OIDC Core §5.4."""


def standard_claims(subject: SubjectFacts, *, phone: str | None) -> dict[str, Any]:
    """Every standard claim that is known and well-formed; nothing null, nothing empty (PROTOCOL 14, 15).

    `phone` is the unsealed number. Which of these a relying party gets is the scope table's business.
    """
    given = subject.profile
    claims: dict[str, Any] = {
        "name": subject.name,
        "family_name": subject.family_name,
        "given_name": subject.given_name,
        "preferred_username": subject.user_id,
        "zoneinfo": subject.zoneinfo,
        "locale": subject.locale,
        "updated_at": int(subject.updated_at.timestamp()),
        "email": subject.email,
        "phone_number": phone,
        "address": _address(given.get("address")),
    }
    claims |= {name: read(given.get(name)) for name, read in _GIVEN.items()}
    claims = {name: value for name, value in claims.items() if value not in (None, "", {})}
    if "email" in claims:
        claims["email_verified"] = _proven(subject.email_verified_at)
    if "phone_number" in claims:
        claims["phone_number_verified"] = _proven(subject.phone_verified_at)
    return claims


def well_formed(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a given profile that `standard_claims` would tell; the rest is dropped before it is stored."""
    kept: dict[str, Any] = {name: read(profile.get(name)) for name, read in _GIVEN.items()}
    kept["address"] = _address(profile.get("address"))
    return {name: value for name, value in kept.items() if value not in (None, "", {})}


def _proven(at: datetime | None) -> bool:
    return at is not None


def _text(value: object) -> str | None:
    return value.strip()[:500] if isinstance(value, str) else None


def _url(value: object) -> str | None:
    return value if isinstance(value, str) and _URL.match(value) else None


def _birthdate(value: object) -> str | None:
    if not isinstance(value, str) or not _BIRTHDATE.match(value):
        return None
    try:
        date.fromisoformat(value.replace("0000-", "2000-") if len(value) > 4 else f"{value}-01-01")
    except ValueError:
        return None
    return value


def _address(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {name: text for name in _ADDRESS if (text := _text(value.get(name)))}


_GIVEN: Final[Mapping[str, Callable[[object], str | None]]] = {
    "middle_name": _text,
    "nickname": _text,
    "profile": _url,
    "picture": _url,
    "website": _url,
    "gender": _text,
    "birthdate": _birthdate,
}
