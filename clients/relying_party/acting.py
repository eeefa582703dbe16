"""For whom the signed-in person acts, as the claims say it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Acting:
    """The provider, practice or trading partner in the claims; what is absent is `None`."""

    name: str | None
    provider_id: str | None
    provider_type: str | None
    npi: str | None
    tin: str | None
    trading_partner_id: str | None

    @property
    def masked_tin(self) -> str | None:
        """As people should see it: the last four digits."""
        return f"**-***{self.tin[-4:]}" if self.tin else None

    def named(self, say: Callable[..., str]) -> str:
        """A name to show, from the best that the claims hold."""
        if self.name:
            return self.name
        if self.trading_partner_id:
            return say("Trading partner %(id)s", id=self.trading_partner_id)
        if self.tin:
            return say("Practice with Tax ID %(tin)s", tin=self.masked_tin)
        return self.provider_id or say("Nobody in particular")


def acting_of(claims: Mapping[str, Any]) -> Acting:
    """Only texts pass: a claim of another type is as good as absent."""

    def text(name: str) -> str | None:
        value = claims.get(name)
        return value if isinstance(value, str) and value else None

    return Acting(
        name=text("provider_name") or text("trading_partner_name"),
        provider_id=text("provider_id"),
        provider_type=text("provider_type"),
        npi=text("npi"),
        tin=text("tin"),
        trading_partner_id=text("trading_partner_id"),
    )
