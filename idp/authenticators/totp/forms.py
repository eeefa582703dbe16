"""What the pages of an authenticator app post."""

from typing import Annotated

from pydantic import Field

from idp.authenticators.factors.forms import Code
from idp.foundation.parsing import Form


class ConfirmForm(Form):
    """The first code, and what the person calls the app."""

    code: Code
    name: Annotated[str, Field(max_length=64)] = ""
