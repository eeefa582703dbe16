"""What the recovery pages post."""

from typing import Annotated, Final

from pydantic import Field

from idp.authenticators.challenge_questions.rules import LONGEST
from idp.authenticators.password.forms import Login, NewPasswordForm, PasswordForm
from idp.foundation.parsing import Form
from idp.vocabulary.secret import Secret

TOKEN_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"


Answer = Annotated[str, Field(max_length=LONGEST, repr=False)]


class AskForm(Form):
    """The user ID or e-mail of whoever cannot sign in."""

    username: Login


class AskByMailForm(Form):
    """The e-mail address of whoever forgot their user ID."""

    email: Login


class ResetForm(NewPasswordForm):
    """The link's secret, and the new password twice."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]
    answer_1: Answer = ""
    answer_2: Answer = ""
    answer_3: Answer = ""

    @property
    def answers(self) -> dict[int, Secret]:
        """By the question's position."""
        typed = (self.answer_1, self.answer_2, self.answer_3)
        return {position: Secret(answer) for position, answer in enumerate(typed, start=1)}


class ProveForm(PasswordForm):
    """The link's secret, and the account's password."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]
