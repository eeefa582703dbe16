"""What phones and the pages of approvals post."""

from typing import Annotated, Literal

from pydantic import Field

from idp.foundation.parsing import Form

Token = Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^[A-Za-z0-9_.-]+$", repr=False)]
Coordinate = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class CallForm(Form):
    """Something a phone signed."""

    call: Token


class EnrolmentForm(CallForm):
    """A phone's public key, and the code signed with it."""

    x: Coordinate
    y: Coordinate


class ConfirmForm(Form):
    """What the person calls the phone."""

    name: Annotated[str, Field(max_length=64)] = ""


class ContinueForm(Form):
    """On, once the phone has answered."""

    remember: Literal["yes"] | None = None
    """*Do not challenge me on this device.*"""
