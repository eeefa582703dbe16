"""A posted page read as the forms of its steps: closed against names that none of them has (D3)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from idp.enrollment.place import Place
from idp.enrollment.rules import Page, Use
from idp.enrollment.step import FILL_IN, TOO_LONG, At, Step
from idp.foundation import parsing
from idp.foundation.parsing import Form

MALFORMED = _("This form could not be read. Please try again.")
_TOKEN = "csrf_token"


@dataclass(slots=True)
class Read:
    """One step's part of a page."""

    use: Use
    step: Step
    at: At
    form: Form
    typed: dict[str, str]
    prepared: Any = None

    @property
    def counts(self) -> bool:
        """Whether this kind of step counts attempts at all."""
        return type(self.step).reserve is not Step.reserve


@dataclass(frozen=True, slots=True)
class Unread:
    """What keeps the page from being taken before anything was compared."""

    errors: Mapping[str, LazyString] = field(default_factory=dict)
    problem: LazyString | None = None
    status: int = 422


def read(place: Place, page: Page, sent: MultiDict[str, str]) -> list[Read] | Unread:
    """Each asked step's form, filled; or the sentences for what is wrong by itself."""
    values = parsing.single_values(sent)
    steps = place.asked(page)
    forms = {use.name: step.form(place.at(use)) for use, step in steps}
    names = {name for form in forms.values() for name in form.model_fields}
    if values is None or set(values) - names - {_TOKEN}:
        return Unread(problem=MALFORMED, status=400)
    parts: list[Read] = []
    errors: dict[str, LazyString] = {}
    for use, step in steps:
        at = place.at(use)
        own = {name: value for name, value in values.items() if name in forms[use.name].model_fields}
        try:
            form = forms[use.name].model_validate(own)
        except ValidationError as error:
            errors |= dict(_sentences(error, step))
            continue
        errors |= step.check(form, at)
        typed = {name: value for name, value in own.items() if name not in step.secrets}
        parts.append(Read(use, step, at, form, typed))
    return Unread(errors) if errors else parts


def _sentences(error: ValidationError, step: Step) -> Iterator[tuple[str, LazyString]]:
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "string_too_long":
            yield name, TOO_LONG
        else:
            yield name, step.sentences.get(name, FILL_IN)
