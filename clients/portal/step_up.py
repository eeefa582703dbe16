"""Pages that ask for more than a sign-in: how strong and how recent, told as RFC 9470 tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

_STRONG_ENOUGH: Final[Mapping[str, frozenset[str]]] = {
    "aal1": frozenset({"aal1", "aal2", "aal3", "phr", "phrh"}),
    "aal2": frozenset({"aal2", "aal3", "phr", "phrh"}),
}


@dataclass(frozen=True, slots=True)
class Demand:
    """The least class of a sign-in, and how old it may be."""

    acr: str
    max_age: timedelta

    @property
    def asked(self) -> dict[str, str]:
        """What the authorization request carries for it (RFC 9470 §4)."""
        return {"acr_values": self.acr, "max_age": str(int(self.max_age.total_seconds()))}

    @property
    def challenge(self) -> str:
        """What an API answers with its 401 (RFC 9470 §3)."""
        told = {
            "error": "insufficient_user_authentication",
            "error_description": "A stronger or more recent sign-in is needed",
            **self.asked,
        }
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in told.items())

    def is_met(self, claims: Mapping[str, Any], *, now: datetime) -> bool:
        """By the provider's word in the ID token: `acr` and `auth_time`."""
        auth_time = claims.get("auth_time")
        recent = isinstance(auth_time, int) and auth_time > (now - self.max_age).timestamp()
        return recent and claims.get("acr") in _STRONG_ENOUGH[self.acr]


PAYMENTS: Final = Demand("aal2", timedelta(minutes=15))
"""Whoever changes where money goes has proven a second factor within a quarter of an hour."""
