"""What a registrar posts; `version` is what their page showed."""

from typing import Annotated, Literal

from pydantic import Field

from idp.console.registrar.rules import WORDS_MAX
from idp.foundation.parsing import Form

Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class VerifyForm(Form):
    """A yes, with a note for the history."""

    version: Version
    note: Annotated[str, Field(max_length=WORDS_MAX)] = ""


class RefuseForm(Form):
    """A no, and why."""

    version: Version
    reason: Annotated[str, Field(min_length=1, max_length=WORDS_MAX)]


class KeepForm(Form):
    """An act on access that is there already, and why."""

    version: Version
    reason: Annotated[str, Field(max_length=WORDS_MAX)] = ""


class LevelsForm(KeepForm):
    """What stands beside the boxes; `sure` once what will change has been shown."""

    sure: Literal["", "yes"] = ""


class InviteForm(Form):
    """Whom to invite, and why; the levels come from the boxes."""

    email: Annotated[str, Field(max_length=254)]
    first_name: Annotated[str, Field(max_length=80)] = ""
    last_name: Annotated[str, Field(max_length=80)] = ""
    reason: Annotated[str, Field(max_length=WORDS_MAX)] = ""


class DenyForm(Form):
    """A no to a request; the reason is told to the requester."""

    version: Version
    explanation: Annotated[str, Field(max_length=500)] = ""
