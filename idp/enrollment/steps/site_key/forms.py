"""What the page posts."""

from typing import Annotated, Final

from pydantic import Field

from idp.authenticators.password.rules import LONGEST_TYPED
from idp.foundation.parsing import Form

_LONGEST: Final = 200
"""More than a phrase may have, so that one too long is told so."""


class SiteKeyForm(Form):
    """Picture and phrase; the password is create_account's, read beside it on the same page to be told from the phrase."""

    site_key: Annotated[str, Field(min_length=1, max_length=32)]
    passphrase: Annotated[str, Field(min_length=1, max_length=_LONGEST, repr=False)]
    password: Annotated[str, Field(max_length=LONGEST_TYPED, repr=False)] = ""
