"""What the pages of a new address or telephone post."""

from typing import Annotated

from pydantic import Field

from idp.authenticators.factors.forms import Code
from idp.authenticators.recovery.forms import TOKEN_PATTERN
from idp.foundation.parsing import Form


class EmailForm(Form):
    """The new address."""

    email: Annotated[str, Field(min_length=1, max_length=254, repr=False)]


class ProofForm(Form):
    """The secret of the link to the new mailbox."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]


class PhoneForm(Form):
    """The new telephone."""

    phone: Annotated[str, Field(min_length=1, max_length=40, repr=False)]


class CodeForm(Form):
    """The code that came to it."""

    code: Code
