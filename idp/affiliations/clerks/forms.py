"""What the person posts who is offered an access."""

from idp.affiliations.clerks.rules import Answer
from idp.foundation.parsing import Form


class AnswerForm(Form):
    """Yes or no."""

    answer: Answer
