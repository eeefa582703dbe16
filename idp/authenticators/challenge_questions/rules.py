"""Which questions there are, and what makes a set of answers fit to be kept. Pure.

Two kinds: three questions, one from each group (A7); or one or two typed by the person, whose answers tell upper from
lower case (D3).
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

GROUPS: Final = (
    ("first_pet", "childhood_street", "favorite_teacher", "childhood_friend", "first_job", "childhood_hero"),
    ("parents_met", "first_concert", "first_flight", "first_wedding", "oldest_cousin", "best_vacation"),
    ("first_car", "favorite_book", "favorite_meal", "dream_job", "favorite_team", "first_instrument"),
)
"""By question key; the n-th question is chosen from the n-th group. Keys are stored: one that is in use never goes."""
QUESTION_OF_OWN: Final = (1, 2)
"""Positions of typed questions; the first is required."""
SHORTEST: Final = 2
LONGEST: Final = 100
SHORTEST_QUESTION: Final = 5


class Mode(StrEnum):
    """Where the questions come from."""

    GROUPS = "groups"
    OWN = "own"


class Reason(StrEnum):
    """Why a set of questions was not kept, or answers not looked at."""

    NO_QUESTION = "no_question"
    NOT_OF_GROUP = "not_of_group"
    SAME_QUESTION = "same_question"
    BAD_QUESTION = "bad_question"
    NO_ANSWER = "no_answer"
    BAD_ANSWER = "bad_answer"
    SAME_ANSWER = "same_answer"
    ANSWER_IN_QUESTION = "answer_in_question"
    ANSWER_IS_USER_ID = "answer_is_user_id"
    UNFIT = "unfit"
    NO_QUESTIONS = "no_questions"
    TOO_MANY = "too_many"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Typed:
    """One row of the form: a question's key or, typed by the person, its text; and the answer."""

    question: str
    answer: Secret


@dataclass(frozen=True, slots=True)
class Chosen:
    """A question that may be kept, with its answer in the form in which it is compared."""

    position: int
    key: str | None
    text: str | None
    answer: Secret
    case_sensitive: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A kept question; one of `key` (a question of ours) and `text` (typed by the person) is there."""

    position: int
    key: str | None
    text: str | None
    case_sensitive: bool


@dataclass(frozen=True, slots=True)
class Unfit(Refused):
    """What is wrong, by the field of the form: `question_1` … `answer_3`."""

    faults: Mapping[str, Reason]


def compared(answer: str, *, case_sensitive: bool) -> str:
    """The one form in which an answer is digested and compared: trimmed, NFC and, unless told, without case."""
    kept = unicodedata.normalize("NFC", answer).strip()
    return kept if case_sensitive else unicodedata.normalize("NFC", kept.casefold())


def from_groups(
    typed: Sequence[Typed], *, user_id: str | None, texts: Mapping[str, Sequence[str]]
) -> tuple[Chosen, ...] | Unfit:
    """Three questions, each from its own group (A7); `texts` are a question's words in every language we speak."""
    faults: dict[str, Reason] = {}
    for number, (row, group) in enumerate(zip(typed, GROUPS, strict=True), start=1):
        if not row.question:
            faults[f"question_{number}"] = Reason.NO_QUESTION
        elif row.question in {other.question for other in typed[: number - 1]}:
            faults[f"question_{number}"] = Reason.SAME_QUESTION
        elif row.question not in group:
            faults[f"question_{number}"] = Reason.NOT_OF_GROUP
    asked = [texts.get(row.question, ()) for row in typed]
    faults |= _faults_of_answers(typed, asked=asked, user_id=user_id)
    if faults:
        return _unfit(faults)
    return tuple(
        Chosen(number, row.question, None, _compared(row, case_sensitive=False), False)
        for number, row in enumerate(typed, start=1)
    )


def of_own(typed: Sequence[Typed], *, user_id: str | None) -> tuple[Chosen, ...] | Unfit:
    """One or two questions in the person's own words (D3); the second may be left empty as a whole."""
    rows = [
        row for number, row in enumerate(typed) if number == 0 or row.question.strip() or row.answer.reveal().strip()
    ]
    kept = [Typed(unicodedata.normalize("NFC", row.question).strip(), row.answer) for row in rows]
    faults: dict[str, Reason] = {}
    for number, row in enumerate(kept, start=1):
        if not row.question:
            faults[f"question_{number}"] = Reason.NO_QUESTION
        elif not SHORTEST_QUESTION <= len(row.question) <= LONGEST or not row.question.isprintable():
            faults[f"question_{number}"] = Reason.BAD_QUESTION
        elif row.question.casefold() in {other.question.casefold() for other in kept[: number - 1]}:
            faults[f"question_{number}"] = Reason.SAME_QUESTION
    faults |= _faults_of_answers(kept, asked=[(row.question,) for row in kept], user_id=user_id)
    if faults:
        return _unfit(faults)
    return tuple(
        Chosen(number, None, row.question, _compared(row, case_sensitive=True), True)
        for number, row in enumerate(kept, start=1)
    )


def _faults_of_answers(
    typed: Sequence[Typed], *, asked: Sequence[Sequence[str]], user_id: str | None
) -> dict[str, Reason]:
    """Answers are judged without case, also where they are compared with it: "Rex" and "rex" are no two secrets."""
    faults: dict[str, Reason] = {}
    earlier: set[str] = set()
    for number, (row, questions) in enumerate(zip(typed, asked, strict=True), start=1):
        answer = compared(row.answer.reveal(), case_sensitive=True)
        folded = compared(answer, case_sensitive=False)
        if not answer:
            faults[f"answer_{number}"] = Reason.NO_ANSWER
        elif not SHORTEST <= len(answer) <= LONGEST or not answer.isprintable():
            faults[f"answer_{number}"] = Reason.BAD_ANSWER
        elif any(_words(answer) in _words(question) for question in questions):
            faults[f"answer_{number}"] = Reason.ANSWER_IN_QUESTION
        elif user_id and folded == compared(user_id, case_sensitive=False):
            faults[f"answer_{number}"] = Reason.ANSWER_IS_USER_ID
        elif folded in earlier:
            faults[f"answer_{number}"] = Reason.SAME_ANSWER
        earlier.add(folded)
    return faults


def _unfit(faults: Mapping[str, Reason]) -> Unfit:
    """In the order of the page."""
    return Unfit(
        Reason.UNFIT, dict(sorted(faults.items(), key=lambda told: (told[0][-1], told[0].startswith("answer"))))
    )


def _words(text: str) -> str:
    """Whole words only, so that "Ed" is no part of "friend"."""
    spaced = "".join(each if each.isalnum() else " " for each in compared(text, case_sensitive=False))
    return f" {' '.join(spaced.split())} "


def _compared(row: Typed, *, case_sensitive: bool) -> Secret:
    return Secret(compared(row.answer.reveal(), case_sensitive=case_sensitive))
