"""What the page posts: by the portal's own list of fields, or only what a known person still lacks."""

from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field, create_model

from idp.authenticators.password.rules import LONGEST_TYPED
from idp.foundation.parsing import Form
from idp.subjects.rules import LOGIN_MAX, NAME_MAX, PHONE_MAX

_Secret = Annotated[str, Field(min_length=1, max_length=LONGEST_TYPED)]
_Mail = Annotated[str, Field(min_length=1, max_length=LOGIN_MAX)]
_KINDS: Final[dict[str, Any]] = {
    "user_id": Annotated[str, Field(min_length=1, max_length=LOGIN_MAX)],
    "email": _Mail,
    "confirm_email": _Mail,
    "password": _Secret,
    "confirm_password": _Secret,
    "display_name": Annotated[str, Field(min_length=1, max_length=2 * NAME_MAX)],
    "first_name": Annotated[str, Field(min_length=1, max_length=NAME_MAX)],
    "last_name": Annotated[str, Field(min_length=1, max_length=NAME_MAX)],
    "phone": Annotated[str, Field(min_length=1, max_length=PHONE_MAX)],
}


class UseAccountForm(Form):
    """*Continue* with the account that is signed in at this browser."""

    use_account: Literal["yes"]


class UserIdForm(Form):
    """What an account that signs in by e-mail lacks at a portal that asks for a user ID."""

    user_id: Annotated[str, Field(min_length=1, max_length=LOGIN_MAX)]


@cache
def account_form(fields: tuple[str, ...]) -> type[Form]:
    """A closed form with just these fields; those with `?` may be empty or absent."""
    members: dict[str, Any] = {}
    for written in fields:
        name = written.removesuffix("?")
        kind = _KINDS[name]
        default: Any = "" if written != name else ...
        members[name] = (kind | Literal[""] if written != name else kind, Field(default, repr=False))
    return create_model("AccountForm", __base__=Form, **members)
