"""What the help desk posts."""

from typing import Annotated

from pydantic import Field

from idp.console.help_desk.rules import Asked
from idp.foundation.parsing import Form


class OpenForm(Form):
    """Whom the call is about, and why."""

    login: Annotated[str, Field(min_length=1, max_length=254)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]


class CheckForm(Form):
    """What the caller says; empty where not asked."""

    email: Annotated[str, Field(max_length=254)] = ""
    phone_last4: Annotated[str, Field(max_length=4)] = ""
    number: Annotated[str, Field(max_length=15)] = ""
    tin_last4: Annotated[str, Field(max_length=4)] = ""

    @property
    def given(self) -> dict[Asked, str]:
        return {asked: getattr(self, asked.value) for asked in Asked}


class DisableForm(Form):
    """Why somebody is shut out."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]
