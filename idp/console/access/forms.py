"""What an auditor types; the number is posted, and no address holds it (ruling 19)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from idp.foundation.parsing import Form


class AskForm(Form):
    """Nine digits and a day."""

    tin: Annotated[str, Field(min_length=1, max_length=16)]
    day: date


class ExportForm(Form):
    """A question that was answered, once more as a file."""

    practice: UUID
    day: date
