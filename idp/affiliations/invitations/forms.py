"""What the invitation's pages post."""

from typing import Annotated, Final

from pydantic import Field

from idp.foundation.parsing import Form

TOKEN_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"


class OpenForm(Form):
    """The secret of the mailed link."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]


class NoFields(Form):
    """A button alone."""
