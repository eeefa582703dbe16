"""How choices are laid out for a person: what they used lately first, the rest searchable and not all at once (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from idp.affiliations.rules import Choice

RECENT: Final = 3
LATELY: Final = timedelta(days=30)
A_PAGE: Final = 10
SEARCHABLE: Final = 6
"""From so many choices on, recent ones stand apart and a search field stands above."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A page of choices."""

    recent: tuple[Choice, ...]
    others: tuple[Choice, ...]
    hidden: int
    total: int
    searchable: bool


def offer(every: Sequence[Choice], *, search: str, all_shown: bool, now: datetime) -> Offer:
    """The choices that fit the search; without one, a first page."""
    fitting = [choice for choice in every if fits(choice, search)]
    searchable = bool(search) or len(every) >= SEARCHABLE
    lately = [choice for choice in fitting if choice.used_at is not None and now - choice.used_at < LATELY]
    recent = tuple(lately[:RECENT]) if searchable and not search else ()
    others = [choice for choice in fitting if choice not in recent]
    shown = others if all_shown or search else others[:A_PAGE]
    return Offer(recent, tuple(shown), len(others) - len(shown), len(others), searchable)


def fits(choice: Choice, search: str) -> bool:
    """Whether all words of the search are in the name, or it is one of the numbers."""
    if not search:
        return True
    numbers = {choice.trading_partner_id or ""}
    if choice.provider is not None:
        numbers |= {choice.provider.provider_id, choice.provider.npi}
    return search in numbers or all(word in choice.name.casefold() for word in search.casefold().split())


def read_key(key: str) -> tuple[UUID, UUID | None] | None:
    """Affiliation and provider that a form's value names; `None` for anything that is no such value."""
    affiliation, dot, provider = key.partition(".")
    try:
        return (UUID(hex=affiliation), None if provider == "-" else UUID(hex=provider)) if dot else None
    except ValueError:
        return None
