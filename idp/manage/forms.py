"""What the managers' pages post."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal
from uuid import UUID

from pydantic import Field
from werkzeug.datastructures import MultiDict

from idp.affiliations.deciding.facts import COMMENT_LENGTH
from idp.affiliations.requests.rules import REASON_LENGTH
from idp.foundation.parsing import Form, FormErrors, form, single_values
from idp.manage import picker
from idp.manage.picker import Picked

REVIEW_FIELDS: Final = 600
"""On a page of a review: people times levels."""


class ActForm(Form):
    """A confirmed act: the version of the person that its page showed."""

    version: int = Field(ge=1)


class ExportForm(Form):
    """Which of the list: its tab and its search."""

    status: str = Field(default="", max_length=32)
    q: str = Field(default="", max_length=80)


class NoFields(Form):
    """A button alone."""


class CommentForm(Form):
    """A comment (E9)."""

    text: str = Field(min_length=1, max_length=COMMENT_LENGTH)


class EvidenceForm(Form):
    """In which form a review is taken."""

    format: Literal["csv", "pdf"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a page of a review says, and where the next one begins."""

    kept: Mapping[UUID, tuple[str, ...]]
    next: str
    every: bool = False
    """*Keep everything on this page*: whatever each of them has."""


def kept_form(sent: MultiDict[str, str], *, catalogue: Collection[str]) -> Said | FormErrors:
    """The people of one page, each with the levels that are ticked; `every` ticks them all (AD-06: nothing else passes)."""
    values = single_values(sent, most=REVIEW_FIELDS)
    if values is None:
        return FormErrors({"": "malformed"})
    people: dict[str, list[str]] = {name[7:]: [] for name in values if name.startswith("person.")}
    for name, value in values.items():
        kind, _dot, rest = name.partition(".")
        identity, _dot, level = rest.partition(".")
        if kind == "keep" and identity in people and level in catalogue and value == "yes":
            people[identity].append(level)
        elif not (kind == "person" and value == "yes" and not level) and name not in {"csrf_token", "next", "every"}:
            return FormErrors({"": "malformed"})
    try:
        kept = {UUID(hex=identity): tuple(levels) for identity, levels in people.items()}
    except ValueError:
        return FormErrors({"": "malformed"})
    return Said(kept, values.get("next", "")[:232], every=values.get("every") == "yes")


class DayForm(Form):
    """A day of UTC."""

    day: date


class DenyForm(Form):
    """A no, with or without a reason (B7)."""

    version: int = Field(ge=1)
    explanation: str = Field(default="", max_length=REASON_LENGTH)


def levels_form(
    sent: MultiDict[str, str], *, catalogue: Collection[str], movable: Collection[str]
) -> tuple[int, Picked] | FormErrors:
    """The version shown, and the levels meant: one name a level, since no name may come twice (AD-06).

    Boxes that are ticked and the list of what is assigned post the same names.
    """
    values = single_values(sent)
    picked = None if values is None else picker.read(values, catalogue=catalogue, movable=movable)
    if values is None or picked is None or not values.keys() <= {"csrf_token", "version", *picker.names(catalogue)}:
        return FormErrors({"": "malformed"})
    if not values.get("version", "").isdecimal():
        return FormErrors({"": "malformed"})
    return int(values["version"][:9]), picked


class Invite(Form):
    """Whom to invite; the levels come from the boxes."""

    email: str = Field(min_length=3, max_length=254)
    first_name: str = Field(min_length=1, max_length=80)
    last_name: str = Field(min_length=1, max_length=80)


def invite_form(
    sent: MultiDict[str, str], *, catalogue: Collection[str]
) -> tuple[Invite, tuple[str, ...]] | FormErrors:
    """The person typed and the boxes ticked."""
    values = single_values(sent)
    names = {f"level.{key}": key for key in catalogue}
    if values is None or any(values[name] != "yes" for name in values.keys() & names.keys()):
        return FormErrors({"": "malformed"})
    typed = form(Invite, MultiDict({name: value for name, value in values.items() if name not in names}))
    if isinstance(typed, FormErrors):
        return typed
    return typed, tuple(sorted(names[name] for name in values if name in names))
