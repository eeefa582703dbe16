"""What the closing pages post."""

from typing import Annotated

from pydantic import Field

from idp.authenticators.recovery.forms import TOKEN_PATTERN
from idp.foundation.parsing import Form


class CloseForm(Form):
    """What the person signs in with, typed once more."""

    confirm: Annotated[str, Field(max_length=254, repr=False)]


class ReopenForm(Form):
    """The link's secret."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]
