"""What the second-factor and set-up pages post."""

from typing import Annotated, Literal

from pydantic import Field

from idp.foundation.parsing import Form

Code = Annotated[str, Field(min_length=1, max_length=64, repr=False)]


class NoFields(Form):
    """The button is all there is."""


class CodeForm(Form):
    """A typed code."""

    code: Code
    remember: Literal["yes"] | None = None
    """*Do not challenge me on this device.*"""
