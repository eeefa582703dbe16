"""What the look-up posts: nothing of it stands in an address, since a TIN may be a Social Security number (ruling 19)."""

from typing import Annotated, Literal

from pydantic import Field

from idp.directory.rules import EVERY_RECORD, DirectoryFilter
from idp.foundation.parsing import Form

Kind = Literal["roster", "npi"]
List = Literal["", "records", "of_tin", "partners"]


class LookUpForm(Form):
    """A text, where to look for it, and of which list the page is that begins after a record."""

    text: Annotated[str, Field(min_length=1, max_length=200)]
    registry: Annotated[str, Field(min_length=1, max_length=32)]
    kind: Kind = "roster"
    state: Annotated[str, Field(pattern=r"^([A-Za-z]{2})?$")] = ""
    program: Literal["", "medicaid", "medicare", "both"] = ""
    of: List = ""
    after_name: Annotated[str, Field(max_length=400)] = ""
    after_number: Annotated[str, Field(max_length=64)] = ""

    @property
    def after(self) -> tuple[str, str] | None:
        return (self.after_name, self.after_number) if self.of and self.after_number else None

    @property
    def within(self) -> DirectoryFilter:
        """The records that are asked for; NPI records know of no program."""
        state = self.state.upper() or None
        if self.program:
            return EVERY_RECORD.covering(self.program, state)
        return DirectoryFilter(states=frozenset({state}) if state else None)
