"""What the password pages post."""

from typing import Annotated

from pydantic import Field

from idp.authenticators.password.rules import LONGEST_TYPED
from idp.foundation.parsing import Form
from idp.subjects.rules import LOGIN_MAX

Typed = Annotated[str, Field(min_length=1, max_length=LONGEST_TYPED, repr=False)]
Login = Annotated[str, Field(min_length=1, max_length=LOGIN_MAX, repr=False)]


class IdentifyForm(Form):
    """User ID on its own page."""

    username: Login


class PasswordForm(Form):
    """The password alone, after `identify`."""

    password: Typed


class SignInForm(PasswordForm):
    """User ID or e-mail, and password."""

    username: Login


class NewPasswordForm(Form):
    """A new password, twice."""

    new_password: Typed
    repeat_password: Typed
