"""What is asked: of somebody signed in only what their account does not say."""

from functools import cache
from typing import Annotated, Any, Final

from pydantic import Field, create_model

from idp.affiliations.requests.rules import REASON_LENGTH
from idp.foundation.parsing import Form
from idp.subjects.rules import LOGIN_MAX, NAME_MAX, PHONE_MAX

EXTENSION_MAX: Final = 8
_Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
_Mail = Annotated[str, Field(min_length=1, max_length=LOGIN_MAX, repr=False)]
_KINDS: Final[dict[str, Any]] = {
    "first_name": (_Name, ...),
    "last_name": (_Name, ...),
    "position": (_Name, ...),
    "email": (_Mail, ...),
    "confirm_email": (_Mail, ...),
    "phone": (Annotated[str, Field(min_length=1, max_length=PHONE_MAX, repr=False)], ...),
    "extension": (Annotated[str, Field(max_length=EXTENSION_MAX)], ""),
    "reason": (Annotated[str, Field(min_length=1, max_length=2 * REASON_LENGTH)], ...),
}
"""Browsers count a line's end once and send two characters: the reason is measured after they are made one."""
FIELDS: Final = tuple(_KINDS)


@cache
def requestor_form(fields: tuple[str, ...]) -> type[Form]:
    """A closed form with just these fields."""
    members: dict[str, Any] = {name: _KINDS[name] for name in fields}
    return create_model("RequestorForm", __base__=Form, **members)
