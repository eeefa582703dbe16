"""What the pages of a person's ways to sign in post."""

from typing import Annotated

from pydantic import Field

from idp.foundation.parsing import Form


class NameForm(Form):
    """Another name for a factor."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
