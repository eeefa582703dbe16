"""What the recovery pages post."""

from typing import Annotated, Final

from pydantic import Field

from idp.authenticators.password.forms import Login, NewPasswordForm, PasswordForm
from idp.foundation.parsing import Form

TOKEN_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"


class AskForm(Form):
    """The user ID or e-mail of whoever cannot sign in."""

    username: Login


class AskByMailForm(Form):
    """The e-mail address of whoever forgot their user ID."""

    email: Login


class ResetForm(NewPasswordForm):
    """The link's secret, and the new password twice."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]


class ProveForm(PasswordForm):
    """The link's secret, and the account's password."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]
