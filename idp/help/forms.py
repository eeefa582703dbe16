"""What the page posts."""

from typing import Annotated

from pydantic import Field

from idp.foundation.parsing import Form
from idp.help.rules import LENGTH
from idp.subjects.rules import LOGIN_MAX, NAME_MAX


class MessageForm(Form):
    """Who writes, where the answer goes, and what they ask; what is left empty is told with all else that is wrong."""

    name: Annotated[str, Field(max_length=2 * NAME_MAX)]
    email: Annotated[str, Field(max_length=LOGIN_MAX, repr=False)]
    message: Annotated[str, Field(max_length=2 * LENGTH, repr=False)]
    """Browsers send two characters for a line's end."""
