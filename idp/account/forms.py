"""What the account pages post."""

from typing import Annotated

from pydantic import Field

from idp.authenticators.password.forms import NewPasswordForm, Typed
from idp.foundation.parsing import Form


class ChangePasswordForm(NewPasswordForm):
    """The current password, and the new one twice."""

    current_password: Typed


class LanguageForm(Form):
    """Language and time zone of pages and mails."""

    locale: Annotated[str, Field(max_length=10)]
    zoneinfo: Annotated[str, Field(max_length=64)]


class NamesForm(Form):
    """What the person wants to be called; empty fields are kept empty."""

    given_name: Annotated[str, Field(max_length=80)] = ""
    family_name: Annotated[str, Field(max_length=80)] = ""
    display_name: Annotated[str, Field(max_length=160)] = ""


class NoFields(Form):
    """A confirmation: the button is all there is."""
