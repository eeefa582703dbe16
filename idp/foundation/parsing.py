"""Strict reading of what browsers and clients send: closed schemas, one value a name, nothing invisible (SECURITY D3)."""

from collections.abc import Mapping
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.datastructures import MultiDict

MAX_FIELDS: Final = 50
_FORBIDDEN: Final = frozenset(chr(code) for code in (*range(9), 11, 12, *range(14, 32), 127))

Schema = TypeVar("Schema", bound="Form")


class Form(BaseModel):
    """Base of every form: frozen, closed against unknown names; `csrf_token` is taken off before."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)


class FormErrors(dict[str, str]):
    """Field name → code of what is wrong; the page words it beside the field. `""` is the form as a whole."""


def single_values(sent: MultiDict[str, str], *, most: int = MAX_FIELDS) -> Mapping[str, str] | None:
    """One value a name; `None` for repeated names, too many names, or text that databases and headers choke on."""
    if len(sent) > most:
        return None
    values: dict[str, str] = {}
    for name, all_values in sent.lists():
        if len(all_values) != 1 or not acceptable(name) or not acceptable(all_values[0]):
            return None
        values[name] = all_values[0]
    return values


def acceptable(text: str) -> bool:
    """No control character (but tab and line ends) and no lone surrogate: the same answer on both databases (ST-03)."""
    if not _FORBIDDEN.isdisjoint(text):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def form(schema: type[Schema], sent: MultiDict[str, str]) -> Schema | FormErrors:
    """Read a posted form into `schema`; never raises for bad input.

    Repeated or unknown names and unreadable text give `{"": "malformed"}`; anything else is told by field.
    """
    values = single_values(sent)
    if values is None:
        return FormErrors({"": "malformed"})
    try:
        return schema.model_validate({name: value for name, value in values.items() if name != "csrf_token"})
    except ValidationError as error:
        return _errors_of(error)


def _errors_of(error: ValidationError) -> FormErrors:
    errors = FormErrors()
    for problem in error.errors(include_url=False, include_input=False):
        if problem["type"] == "extra_forbidden":
            return FormErrors({"": "malformed"})
        field = str(problem["loc"][0]) if problem["loc"] else ""
        errors.setdefault(field, "missing" if problem["type"] == "missing" else problem["type"])
    return errors
