"""What the merging pages post."""

from typing import Annotated

from pydantic import Field

from idp.authenticators.password.forms import Login, Typed
from idp.foundation.parsing import Form


class OtherAccountForm(Form):
    """Where the other account was used, its login and its password."""

    portal: Annotated[str, Field(max_length=64)]
    username: Login
    password: Typed
    code: Annotated[str, Field(max_length=40, repr=False)] = ""
