"""What the page posts, by the kind of questions."""

from typing import Annotated

from pydantic import Field

from idp.authenticators.challenge_questions.rules import Typed
from idp.foundation.parsing import Form
from idp.subjects.rules import LOGIN_MAX
from idp.vocabulary.secret import Secret

_Text = Annotated[str, Field(max_length=200)]
_Answer = Annotated[str, Field(max_length=200, repr=False)]
"""More than an answer may have, so that one too long is told so."""


class _Beside(Form):
    """The user ID is create_account's, read beside the answers on the same page to be told from them."""

    user_id: Annotated[str, Field(max_length=LOGIN_MAX)] = ""


class GroupsForm(_Beside):
    """Three questions of ours with their answers."""

    question_1: _Text = ""
    answer_1: _Answer = ""
    question_2: _Text = ""
    answer_2: _Answer = ""
    question_3: _Text = ""
    answer_3: _Answer = ""

    def rows(self) -> list[Typed]:
        return [
            Typed(self.question_1, Secret(self.answer_1)),
            Typed(self.question_2, Secret(self.answer_2)),
            Typed(self.question_3, Secret(self.answer_3)),
        ]


class OwnForm(_Beside):
    """One or two questions in the person's own words."""

    question_1: _Text = ""
    answer_1: _Answer = ""
    question_2: _Text = ""
    answer_2: _Answer = ""

    def rows(self) -> list[Typed]:
        return [Typed(self.question_1, Secret(self.answer_1)), Typed(self.question_2, Secret(self.answer_2))]
