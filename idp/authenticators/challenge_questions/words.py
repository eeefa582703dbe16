"""The questions, and one sentence for each reason."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.authenticators.challenge_questions.rules import Reason

QUESTIONS: Final[dict[str, LazyString]] = {
    "first_pet": _("What was your first pet called?"),
    "childhood_street": _("Which street did you live on when you started school?"),
    "favorite_teacher": _("What was the last name of your favorite teacher?"),
    "childhood_friend": _("What was the first name of your best friend as a child?"),
    "first_job": _("In which town was your first job?"),
    "childhood_hero": _("Whom did you most want to be like when you were ten?"),
    "parents_met": _("In which town did your parents meet?"),
    "first_concert": _("Whose concert was the first that you went to?"),
    "first_flight": _("Where did you go on your first flight?"),
    "first_wedding": _("At which place was the first wedding that you remember?"),
    "oldest_cousin": _("What is the first name of your oldest cousin?"),
    "best_vacation": _("Where did you spend the best vacation of your life?"),
    "first_car": _("What was the make and model of your first car?"),
    "favorite_book": _("Which book have you read more than once?"),
    "favorite_meal": _("Which meal did you like best as a child?"),
    "dream_job": _("What did you want to become when you were a child?"),
    "favorite_team": _("Which team did you cheer for in high school?"),
    "first_instrument": _("Which musical instrument did you learn or want to learn first?"),
}

_REASONS: Final[dict[Reason, LazyString]] = {
    Reason.NOT_OF_GROUP: _("Choose one of the questions in the list."),
    Reason.SAME_QUESTION: _("Use each question only once."),
    Reason.BAD_QUESTION: _("A question has 5 to 100 characters, on one line."),
    Reason.BAD_ANSWER: _("An answer has 2 to 100 characters, on one line."),
    Reason.SAME_ANSWER: _("Give each question an answer of its own."),
    Reason.ANSWER_IN_QUESTION: _("The answer must not stand in the question."),
    Reason.ANSWER_IS_USER_ID: _("The answer must not be your user ID."),
}


def sentence(field: str, reason: Reason) -> LazyString:
    """What is wrong with `question_<n>` or `answer_<n>`; what is missing is told with its number."""
    number = field.rpartition("_")[2]
    if reason is Reason.NO_QUESTION:
        return _("Question #%(number)s is missing.", number=number)
    if reason is Reason.NO_ANSWER:
        return _("The answer to question #%(number)s is missing.", number=number)
    return _REASONS[reason]
