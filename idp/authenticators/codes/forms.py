"""What the pages of sent codes post."""

from typing import Annotated

from pydantic import Field

from idp.authenticators.factors.forms import Code
from idp.foundation.parsing import Form


class PhoneForm(Form):
    """The telephone that codes go to."""

    phone: Annotated[str, Field(min_length=1, max_length=40, repr=False)]


class ConfirmForm(Form):
    """The code that came."""

    code: Code
