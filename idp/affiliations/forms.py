"""What the choosing page sends."""

from pydantic import Field

from idp.foundation.parsing import Form


class BringForm(Form):
    """`access` is the `key` of an offer to use access of another registry."""

    access: str = Field(default="", max_length=80)


class ChoiceForm(Form):
    """`choice` is a `Choice.key`; `cancel` leaves without one."""

    choice: str = Field(default="", max_length=80)
    cancel: str = Field(default="", max_length=8)
