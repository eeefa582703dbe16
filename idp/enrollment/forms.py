"""What the engine's own buttons post."""

from typing import Annotated, Final

from pydantic import Field

from idp.authenticators.password.rules import LONGEST_TYPED
from idp.foundation.parsing import Form
from idp.subjects.rules import LOGIN_MAX

TOKEN_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"


class AvailabilityForm(Form):
    """The user ID that somebody would like to have."""

    user_id: Annotated[str, Field(max_length=LOGIN_MAX)]


class LinkForm(Form):
    """The button behind a mailed link; the password where it is asked, another user ID where the first is gone."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]
    password: str | None = Field(default=None, min_length=1, max_length=LONGEST_TYPED, repr=False)
    user_id: str | None = Field(default=None, min_length=1, max_length=LOGIN_MAX)
