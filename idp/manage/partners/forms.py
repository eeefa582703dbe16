"""What the pages of engagements post."""

from collections.abc import Collection
from datetime import date
from typing import Final, Literal
from uuid import UUID

from pydantic import Field
from werkzeug.datastructures import MultiDict

from idp.affiliations.engagements.facts import A_PAGE
from idp.affiliations.engagements.rules import Agreed, Chosen
from idp.foundation.parsing import Form, FormErrors, form, single_values

_STAFF_FIELDS: Final = 2 * A_PAGE + 8


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
    nobody_else: Literal["", "yes"] = ""


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


def staff_form(sent: MultiDict[str, str]) -> Chosen | FormErrors | None:
    """Everybody (`None`), or those ticked of the people on the page: two names a person, the page's and the box's."""
    values = single_values(sent, most=_STAFF_FIELDS)
    if values is None:
        return FormErrors({"": "malformed"})
    people = {name: text for name, text in values.items() if name.startswith(("shown.", "person."))}
    read = form(_Staff, MultiDict({name: text for name, text in values.items() if name not in people}))
    if isinstance(read, FormErrors) or any(text != "yes" for text in people.values()):
        return FormErrors({"": "malformed"})
    try:
        shown, ticked = (
            frozenset(UUID(hex=name.removeprefix(kind)) for name in people if name.startswith(kind))
            for kind in ("shown.", "person.")
        )
    except ValueError:
        return FormErrors({"": "malformed"})
    if not ticked <= shown:
        return FormErrors({"": "malformed"})
    return None if read.who == "everybody" else Chosen(shown, ticked, nobody_else=read.nobody_else == "yes")
