"""What the look-up posts: nothing of it stands in an address, since a TIN may be a Social Security number (ruling 19)."""

from typing import Annotated

from pydantic import Field

from idp.foundation.parsing import Form


class LookUpForm(Form):
    """A text, a registry, and where the page begins."""

    text: Annotated[str, Field(min_length=1, max_length=200)]
    registry: Annotated[str, Field(min_length=1, max_length=32)]
    after_name: Annotated[str, Field(max_length=400)] = ""
    after_number: Annotated[str, Field(max_length=64)] = ""

    @property
    def after(self) -> tuple[str, str] | None:
        return (self.after_name, self.after_number) if self.after_number else None
