"""What the pages of upstream sign-in post."""

from typing import Annotated, Literal

from pydantic import Field

from idp.foundation.parsing import Form
from idp.subjects.rules import LOGIN_MAX, NAME_MAX


class OrganizationForm(Form):
    """Home-realm discovery: an e-mail address first, else the practice's Tax ID."""

    email: Annotated[str, Field(max_length=LOGIN_MAX)] = ""
    tin: Annotated[str, Field(max_length=16, repr=False)] = ""


class StartForm(Form):
    """*Continue with …*: a button alone; `login_hint` where an address was typed before."""

    login_hint: Annotated[str, Field(max_length=LOGIN_MAX)] = ""


class FirstTimeForm(Form):
    """Have an account, begin one, or neither."""

    choice: Literal["link", "create", "other"]
    given_name: Annotated[str, Field(max_length=NAME_MAX)] = ""
    family_name: Annotated[str, Field(max_length=NAME_MAX)] = ""


class LinkForm(Form):
    """Confirm the link, or not."""

    choice: Literal["link", "other"]
