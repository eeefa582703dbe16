"""What the pages of engagements post."""

from collections.abc import Collection
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field
from werkzeug.datastructures import MultiDict

from idp.affiliations.engagements.rules import Agreed
from idp.foundation.parsing import Form, FormErrors, form, single_values


class FindPartner(Form):
    """The payer's number of a trading partner, as it is written on its letters."""

    number: str = Field(min_length=1, max_length=40)


class Seen(Form):
    """A button that acts on what the page showed."""

    seen: str = Field(max_length=16)


class _Terms(Form):
    seen: str = Field(default="", max_length=16)
    starts_on: date
    ends_on: date | Literal[""] = ""
    capped: Literal["no", "yes"]


class _Staff(Form):
    who: Literal["everybody", "these"]


def terms_form(sent: MultiDict[str, str], *, catalogue: Collection[str]) -> tuple[str, Agreed] | FormErrors:
    """What the page was shown, the dates, and the boxes of the cap: one name a level (AD-06)."""
    values = single_values(sent)
    names = {f"level.{key}": key for key in catalogue}
    if values is None or any(values[name] != "yes" for name in values.keys() & names.keys()):
        return FormErrors({"": "malformed"})
    read = form(_Terms, MultiDict({name: text for name, text in values.items() if name not in names}))
    if isinstance(read, FormErrors):
        return read
    ticked = tuple(sorted(names[name] for name in values if name in names))
    cap = ticked if read.capped == "yes" else None
    return read.seen, Agreed(read.starts_on, read.ends_on or None, cap)


def staff_form(sent: MultiDict[str, str]) -> frozenset[UUID] | FormErrors | None:
    """Everybody (`None`), or those ticked: one name a person."""
    values = single_values(sent)
    if values is None:
        return FormErrors({"": "malformed"})
    boxes = {name: text for name, text in values.items() if name.startswith("person.")}
    read = form(_Staff, MultiDict({name: text for name, text in values.items() if name not in boxes}))
    if isinstance(read, FormErrors):
        return FormErrors({"": "malformed"})
    try:
        people = frozenset(UUID(hex=name.removeprefix("person.")) for name in boxes)
    except ValueError:
        return FormErrors({"": "malformed"})
    if any(text != "yes" for text in boxes.values()):
        return FormErrors({"": "malformed"})
    return None if read.who == "everybody" else people
