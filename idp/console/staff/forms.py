"""What the pages of staff roles post."""

from typing import Annotated

from pydantic import Field

from idp.foundation.parsing import Form
from idp.vocabulary.staff import StaffRole


class ProposeForm(Form):
    """Whom, what for."""

    login: Annotated[str, Field(min_length=1, max_length=254)]
    role: StaffRole
    reason: Annotated[str, Field(min_length=1, max_length=200)]
