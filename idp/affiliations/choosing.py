"""How choices are laid out for a person: what they used lately first, the rest searchable and not all at once (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

from idp.affiliations.rules import Choice
from idp.directory.rules import search_words

RECENT: Final = 3
LATELY: Final = timedelta(days=30)
ENDS_SOON: Final = timedelta(days=30)
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
    unread: bool = False
    """A practice has more providers than are read at once; searching finds them."""


def offer(every: Sequence[Choice], *, search: str, all_shown: bool, now: datetime, unread: bool = False) -> Offer:
    """The choices that fit the search; without one, a first page."""
    fitting = [choice for choice in every if fits(choice, search)]
    searchable = bool(search) or len(every) >= SEARCHABLE
    lately = [choice for choice in fitting if choice.used_at is not None and now - choice.used_at < LATELY]
    recent = tuple(lately[:RECENT]) if searchable and not search else ()
    others = [choice for choice in fitting if choice not in recent]
    shown = others if all_shown or search else others[:A_PAGE]
    return Offer(recent, tuple(shown), len(others) - len(shown), len(others), searchable or unread, unread)


def fits(choice: Choice, search: str) -> bool:
    """Whether all words of the search are in the name (or the practice's), or it is one of the numbers."""
    if not search:
        return True
    numbers = {choice.trading_partner_id or ""}
    if choice.provider is not None:
        numbers |= {choice.provider.provider_id, choice.provider.npi}
    if search in numbers:
        return True
    words = search_words(search)
    names = " ".join((*search_words(choice.name), *search_words(choice.target_name)))
    return bool(words) and all(word in names for word in words)


def ends_in(choice: Choice, *, now: datetime) -> int | None:
    """Whole days until access ends, today being 0, where it ends soon enough to say so."""
    if choice.ends_at is None or choice.ends_at - now > ENDS_SOON:
        return None
    return (choice.ends_at - now).days


def used_today(choice: Choice, *, now: datetime, zone: tzinfo) -> bool:
    """Whether the last use was on the person's own today."""
    return choice.used_at is not None and choice.used_at.astimezone(zone).date() == now.astimezone(zone).date()


def read_key(key: str) -> tuple[UUID, UUID | None] | None:
    """Affiliation and provider that a form's value names; `None` for anything that is no such value."""
    affiliation, dot, provider = key.partition(".")
    try:
        return (UUID(hex=affiliation), None if provider == "-" else UUID(hex=provider)) if dot else None
    except ValueError:
        return None
