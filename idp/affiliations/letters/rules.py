"""At which portal the letters are good, and what a line of the payer's list must be."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.directory.letters.rules import Addressee, Span, Unsendable, sendable
from idp.vocabulary.identifiers import Malformed, ProviderId
from idp.vocabulary.refused import Refused

STEP: Final = "pin_letter"
LONGEST: Final = 60
"""Of a street or city, so that it fits an envelope's window."""
PORTAL_COLUMNS: Final = ("provider_id",)
ADDRESS_COLUMNS: Final = ("provider_id", "street", "city")


class NoPortal(StrEnum):
    """Why no portal was found that the letters could be for."""

    NONE = "none"
    SEVERAL = "several"
    NOT_ONE = "not_one"
    OTHER_REGISTRY = "other_registry"


@dataclass(frozen=True, slots=True)
class Offer:
    """A portal with a ceremony that asks for a letter."""

    client_id: str
    registry: str
    ceremony: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody to send a letter to, and where the payer's own file says that they are."""

    line: int
    provider_id: str
    street: str = ""
    city: str = ""


@dataclass(frozen=True, slots=True)
class Turned:
    """A line that gets no letter; `provider_id` is empty where it is none, since it may be any other secret."""

    line: int
    provider_id: str
    reason: Unsendable


def ceremony_with_letter(ceremonies: Mapping[str, Collection[str]]) -> str | None:
    """The first of a portal's ceremonies with the step; `create_account + site_key` puts two steps on one page."""
    for name, pages in ceremonies.items():
        if any(STEP in (step.strip() for step in page.split("+")) for page in pages):
            return name
    return None


def offer_for(offers: Sequence[Offer], *, portal: str | None, registry: str | None) -> Offer | Refused:
    """The portal that was named, else the only one there is (in that registry)."""
    if portal is not None:
        named = next((offer for offer in offers if offer.client_id == portal), None)
        if named is None:
            return Refused(NoPortal.NOT_ONE)
        return named if registry in (None, named.registry) else Refused(NoPortal.OTHER_REGISTRY)
    fitting = [offer for offer in offers if registry in (None, offer.registry)]
    if len(fitting) != 1:
        return Refused(NoPortal.SEVERAL if fitting else NoPortal.NONE)
    return fitting[0]


def number_of(asked: Asked) -> str | None:
    """The provider ID, if it is one."""
    try:
        return ProviderId.parse(asked.provider_id.strip())
    except Malformed:
        return None


def sorted_out(
    asked: Sequence[Asked], *, known: Mapping[str, Addressee], span: Span
) -> tuple[list[tuple[Asked, Addressee]], list[Turned]]:
    """Who gets a letter, and who not and why."""
    going: list[tuple[Asked, Addressee]] = []
    turned: list[Turned] = []
    seen: set[str] = set()
    for each in asked:
        found = _judged(each, known=known, seen=seen, span=span)
        if isinstance(found, Turned):
            turned.append(found)
        else:
            seen.add(found.provider_id)
            going.append((each, found))
    return going, turned


def _judged(asked: Asked, *, known: Mapping[str, Addressee], seen: set[str], span: Span) -> Addressee | Turned:
    number = number_of(asked)
    if number is None:
        return Turned(asked.line, "", Unsendable.MALFORMED)
    if number in seen:
        return Turned(asked.line, number, Unsendable.TWICE)
    if any(len(text) > LONGEST or not text.isprintable() for text in (asked.street, asked.city)):
        return Turned(asked.line, number, Unsendable.ADDRESS)
    found = sendable(known.get(number), on=span.issued_on)
    return Turned(asked.line, number, Unsendable(found.reason)) if isinstance(found, Refused) else found
