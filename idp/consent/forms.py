"""What the consent and agreement pages send."""

from pydantic import Field

from idp.foundation.parsing import Form


class AnswerForm(Form):
    """Which of the two buttons was pressed: `allow` or `deny` (PROTOCOL: `consent-allow`, `consent-deny`)."""

    answer: str = Field(pattern="^(allow|deny)$")


class AcceptForm(Form):
    """Agreement page: which text was shown, the box ticked, or the way out."""

    shown: str = Field(max_length=40)
    accept: str = Field(default="", max_length=8)
    decline: str = Field(default="", max_length=8)
