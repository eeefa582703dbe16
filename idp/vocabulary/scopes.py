"""Scopes: the plain ones release claims, the narrowing ones limit for whom (DESIGN §6)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

OPENID: Final = "openid"
OFFLINE_ACCESS: Final = "offline_access"
PROVIDER_ID: Final = "provider_id"
TIN: Final = "tin"
TRADING_PARTNER: Final = "trading_partner"
ENTITLEMENTS: Final = "entitlements"

_TOKEN: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,128}\Z")
"""scope-token, RFC 6749 §3.3."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A parsed `scope` value: plain names in the order given, and what narrows them."""

    names: tuple[str, ...] = ()
    provider_ids: tuple[str, ...] = ()
    tins: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """`None` for text outside the grammar; duplicates fold."""
        parts = dict.fromkeys(text.split(" ")) if text else {}
        if len(parts) > 50 or not all(_TOKEN.match(part) for part in parts):
            return None
        names, provider_ids, tins = [], [], []
        for part in parts:
            kind, colon, value = part.partition(":")
            if colon and kind == PROVIDER_ID and value:
                provider_ids.append(value)
            elif colon and kind == TIN and value:
                tins.append(value)
            else:
                names.append(part)
        return cls(tuple(names), tuple(provider_ids), tuple(tins))

    def only(self, allowed: Iterable[str]) -> "Scope":
        """Without the plain names that are not in `allowed`; narrowing stays."""
        keep = set(allowed)
        return Scope(tuple(name for name in self.names if name in keep), self.provider_ids, self.tins)

    @property
    def narrows(self) -> bool:
        return bool(self.provider_ids or self.tins)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __str__(self) -> str:
        narrowing = [f"provider_id:{value}" for value in self.provider_ids] + [f"tin:{value}" for value in self.tins]
        return " ".join([*self.names, *narrowing])
