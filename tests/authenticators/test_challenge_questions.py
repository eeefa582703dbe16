"""Challenge questions: which sets may be kept (A7, D3), how they are kept, and that they never stand alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from idp.audit.models import AuditEvent
from idp.authenticators.challenge_questions import rules, service, words
from idp.authenticators.challenge_questions.models import ChallengeQuestion
from idp.authenticators.challenge_questions.rules import (
    GROUPS,
    Chosen,
    Question,
    Reason,
    Typed,
    Unfit,
    compared,
    from_groups,
    of_own,
)
from idp.authenticators.challenge_questions.service import Kept, Prepared
from idp.authenticators.password import budgets
from idp.authenticators.password.kdf import Kdf
from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret
from tests.attacks import invariants
from tests.attacks.strings import POLYGLOTS
from tests.authenticators.browsing import sign_in
from tests.authenticators.conftest import Work
from tests.factories import Make

ORIGIN = Origin.local("test")
QUESTIONS = ("first_pet", "parents_met", "first_car")
ANSWERS = ("Biscuit", "Eureka Springs", "Ford Escort")
TEXTS = {key: (str(text),) for key, text in words.QUESTIONS.items()}


def typed(*pairs: tuple[str, str]) -> list[Typed]:
    return [Typed(question, Secret(answer)) for question, answer in pairs]


def grouped(questions: Sequence[str] = QUESTIONS, answers: Sequence[str] = ANSWERS) -> tuple[Chosen, ...] | Unfit:
    rows = typed(*zip(questions, answers, strict=True))
    return from_groups(rows, user_id="rosa.delgado", texts=TEXTS)


def test_A7_three_groups_of_at_least_five_questions_all_different() -> None:
    every = [key for group in GROUPS for key in group]
    assert len(GROUPS) == 3
    assert all(len(group) >= 5 for group in GROUPS)
    assert len(set(every)) == len(every)
    assert set(every) == set(words.QUESTIONS)
    assert len({str(text) for text in words.QUESTIONS.values()}) == len(every)


def test_A7_one_question_of_each_group_with_an_answer_of_its_own() -> None:
    chosen = grouped()
    assert not isinstance(chosen, Unfit)
    assert [(each.position, each.key, each.text) for each in chosen] == [
        (1, "first_pet", None), (2, "parents_met", None), (3, "first_car", None),
    ]  # fmt: skip
    assert [each.answer.reveal() for each in chosen] == ["biscuit", "eureka springs", "ford escort"]
    assert not any(each.case_sensitive for each in chosen)
    assert "biscuit" not in repr(chosen)


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({"questions": ("", "parents_met", "first_car")}, {"question_1": Reason.NO_QUESTION}),
        ({"questions": ("first_pet", "first_pet", "first_car")}, {"question_2": Reason.SAME_QUESTION}),
        ({"questions": ("first_pet", "first_car", "parents_met")},
         {"question_2": Reason.NOT_OF_GROUP, "question_3": Reason.NOT_OF_GROUP}),
        ({"questions": ("first_pet", "parents_met", "no_such")}, {"question_3": Reason.NOT_OF_GROUP}),
        ({"answers": ("Biscuit", " ", "Ford Escort")}, {"answer_2": Reason.NO_ANSWER}),
        ({"answers": ("B", "Eureka", "x" * 101)}, {"answer_1": Reason.BAD_ANSWER, "answer_3": Reason.BAD_ANSWER}),
        ({"answers": ("Bis\ncuit", "Eureka", "Ford")}, {"answer_1": Reason.BAD_ANSWER}),
        ({"answers": ("Biscuit", "bISCUIT ", "Ford")}, {"answer_2": Reason.SAME_ANSWER}),
        ({"answers": ("First pet", "Eureka", "Ford")}, {"answer_1": Reason.ANSWER_IN_QUESTION}),
        ({"answers": (TEXTS["first_pet"][0], "Eureka", "Ford")}, {"answer_1": Reason.ANSWER_IN_QUESTION}),
        ({"answers": ("Biscuit", "Rosa.DELGADO", "Ford")}, {"answer_2": Reason.ANSWER_IS_USER_ID}),
    ],
)  # fmt: skip
def test_A7_what_is_wrong_is_told_by_its_field(changed: dict[str, Sequence[str]], faults: dict[str, Reason]) -> None:
    refused = grouped(**changed)
    assert isinstance(refused, Unfit)
    assert list(refused.faults.items()) == list(faults.items()), "in the order of the page"
    assert all(str(words.sentence(name, reason)) for name, reason in faults.items())


def test_a_short_answer_within_a_word_of_the_question_is_no_part_of_it() -> None:
    assert "al" in TEXTS["first_pet"][0].casefold()
    assert not isinstance(grouped(answers=("Al", "Eureka", "Ford")), Unfit)


def test_A7_answers_are_compared_trimmed_and_without_case_or_composition() -> None:
    assert compared("  Caf\u0065\u0301 STRASSE ", case_sensitive=False) == "caf\u00e9 strasse"
    assert compared("Stra\u00dfe", case_sensitive=False) == compared("STRASSE", case_sensitive=False)
    assert compared(" Rex ", case_sensitive=True) == "Rex"


def test_D3_the_first_question_of_ones_own_is_required_and_the_second_is_not() -> None:
    one = of_own(typed(("Who taught me to fish?", "Uncle Ray"), (" ", "")), user_id="rosa.delgado")
    two = of_own(typed(("Who taught me to fish?", "Uncle Ray"), ("What is in the shed?", "Canoe")), user_id=None)
    assert not isinstance(one, Unfit)
    assert not isinstance(two, Unfit)
    assert [(each.position, each.key, each.text) for each in one] == [(1, None, "Who taught me to fish?")]
    assert [each.answer.reveal() for each in two] == ["Uncle Ray", "Canoe"]
    assert all(each.case_sensitive for each in (*one, *two))


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ([("", ""), ("", "")], {"question_1": Reason.NO_QUESTION, "answer_1": Reason.NO_ANSWER}),
        ([("Who?", "Uncle Ray")], {"question_1": Reason.BAD_QUESTION}),
        ([("Who taught\nme?", "Uncle Ray")], {"question_1": Reason.BAD_QUESTION}),
        ([("x" * 101, "Uncle Ray")], {"question_1": Reason.BAD_QUESTION}),
        ([("Who taught me?", "Uncle Ray"), ("", "Canoe")], {"question_2": Reason.NO_QUESTION}),
        ([("Who taught me?", "Uncle Ray"), ("What is in the shed?", "")], {"answer_2": Reason.NO_ANSWER}),
        ([("Who taught me?", "Uncle Ray"), ("WHO taught me?", "Canoe")], {"question_2": Reason.SAME_QUESTION}),
        ([("Is it uncle ray?", "Uncle Ray")], {"answer_1": Reason.ANSWER_IN_QUESTION}),
        ([("Who taught me?", "Uncle Ray"), ("Who else was there?", "uncle ray")], {"answer_2": Reason.SAME_ANSWER}),
    ],
)
def test_D3_what_is_wrong_with_ones_own_is_told_by_its_field(
    rows: list[tuple[str, str]], faults: dict[str, Reason]
) -> None:
    refused = of_own(typed(*rows), user_id="rosa.delgado")
    assert isinstance(refused, Unfit)
    assert refused.faults == faults


# Kept


def prepared(chosen: tuple[Chosen, ...] | Unfit) -> tuple[Prepared, ...]:
    assert not isinstance(chosen, Unfit)
    made = service.prepare(chosen)
    assert not isinstance(made, Refused)
    return made


def keep(subject: Subject, made: tuple[Prepared, ...], *, now: datetime) -> None:
    with writing() as tx:
        service.set_questions(tx, subject_id=subject.id, prepared=made, now=now, actor=subject.id, origin=ORIGIN)


def own() -> tuple[Prepared, ...]:
    return prepared(
        of_own(typed(("Who taught me to fish?", "Uncle Ray"), ("CNRY in the shed?", "Canoe")), user_id=None)
    )


def answer(subject_id: str | None, answers: dict[int, str], *, now: datetime) -> bool | Refused:
    with writing() as tx:
        kept = service.reserve(
            tx, subject_id=subject_id, login_key="nobody.here", now=now, actor="anonymous", origin=ORIGIN
        )
    if isinstance(kept, Refused):
        return kept
    outcome = service.compare(kept, {position: Secret(typed) for position, typed in answers.items()})
    with writing() as tx:
        service.tell(tx, kept=kept, outcome=outcome, now=now, actor="anonymous", origin=ORIGIN)
    return outcome


RIGHT = {1: " biscuit ", 2: "EUREKA springs", 3: "ford escort"}


@pytest.mark.both
def test_A7_questions_are_kept_in_their_order_and_later_ones_replace_them(make: Make, now: datetime) -> None:
    rosa = make.subject("rosa.delgado")
    keep(rosa, prepared(grouped()), now=now)
    with reading() as tx:
        assert service.questions_of(tx, subject_id=rosa.id) == tuple(
            Question(position, key, None, False) for position, key in enumerate(QUESTIONS, start=1)
        )
    keep(rosa, own(), now=now)
    with reading() as tx:
        assert service.questions_of(tx, subject_id=rosa.id) == (
            Question(1, None, "Who taught me to fish?", True),
            Question(2, None, "CNRY in the shed?", True),
        )
    events = [(row.type, row.details) for row in sorted(make.rows(AuditEvent), key=lambda row: row.sequence)]
    assert events == [
        ("challenge_questions_set", {"count": 3, "own": False}),
        ("challenge_questions_changed", {"count": 2, "own": True}),
    ]


@pytest.mark.both
def test_ST_04_answers_and_typed_questions_are_nowhere_in_clear(make: Make, now: datetime) -> None:
    rosa, other = make.subject("rosa.delgado"), make.subject("somebody.else")
    made = (*prepared(grouped()), *own())
    assert not any(word in repr(made) for word in ("biscuit", "Uncle", "CNRY", "$argon2"))
    keep(rosa, made[:3], now=now)
    keep(other, made[3:], now=now)
    answer(rosa.id, {1: "CNRY-wrong", 2: "x", 3: "y"}, now=now)
    dump = invariants.dump_database().casefold()
    invariants.keeps_secret(
        dump, ["biscuit", "eureka springs", "ford escort", "uncle ray", "canoe", "taught me", "cnry"]
    )
    assert all(row.digest.startswith("$argon2id$") for row in make.rows(ChallengeQuestion))


@pytest.mark.both
def test_ruling_1_right_answers_are_a_boolean_and_a_wrong_or_missing_one_makes_it_false(
    make: Make, now: datetime
) -> None:
    rosa, other = make.subject("rosa.delgado"), make.subject("somebody.else")
    keep(rosa, prepared(grouped()), now=now)
    keep(other, own(), now=now)
    assert answer(rosa.id, RIGHT, now=now) is True
    assert answer(rosa.id, RIGHT | {2: "Paris"}, now=now) is False
    assert answer(rosa.id, {1: "biscuit"}, now=now) is False
    assert answer(other.id, {1: "Uncle Ray", 2: "Canoe"}, now=now) is True
    assert answer(other.id, {1: "uncle ray", 2: "Canoe"}, now=now) is False
    told = [row.outcome for row in make.rows(AuditEvent) if row.type == "challenge_answered"]
    assert sorted(told) == ["ok", "ok", "wrong_answer", "wrong_answer", "wrong_answer"]


@pytest.mark.both
def test_SI_20_answers_and_passwords_share_one_count_and_right_answers_forgive_nothing(
    client, make: Make, now: datetime
) -> None:
    rosa = make.subject("rosa.delgado")
    keep(rosa, prepared(grouped()), now=now)
    for _ in range(3):
        assert sign_in(client, "rosa.delgado", "wrong").status_code == 422
    assert answer(rosa.id, RIGHT, now=now) is True
    assert answer(rosa.id, RIGHT, now=now) is True
    assert answer(rosa.id, RIGHT, now=now) == Refused(Reason.TOO_MANY)
    with reading() as tx:
        assert budgets.locked(tx, account=rosa.id, now=now)
    assert sign_in(client, "rosa.delgado").status_code == 422
    assert answer(rosa.id, RIGHT, now=now + timedelta(minutes=16)) is True


@pytest.mark.both
def test_ruling_12_nobody_costs_as_much_as_somebody_and_a_wrong_answer_as_a_right_one(
    make: Make, now: datetime, work: Work
) -> None:
    rosa = make.subject("rosa.delgado")
    keep(rosa, prepared(grouped()), now=now)
    answer(None, RIGHT, now=now)
    answer(rosa.id, RIGHT, now=now)
    costs = [
        work.of(lambda subject_id=subject_id, answers=answers: answer(subject_id, answers, now=now))
        for subject_id, answers in ((rosa.id, RIGHT), (rosa.id, {1: "no"}), (None, RIGHT))
    ]
    assert costs[0] == costs[1] == costs[2]
    assert costs[0][0] == 3
    assert answer(None, RIGHT, now=now) is False


def test_AU_07_what_nobody_typed_as_a_login_is_not_noted(make: Make, now: datetime) -> None:
    answer(None, RIGHT, now=now)
    [row] = make.rows(AuditEvent)
    assert (row.subject_id, row.outcome) == (None, "wrong_answer")
    assert "nobody.here" not in str(vars(row))


def test_RX_02_busy_hashing_keeps_nothing_and_uses_up_no_attempt(make: Make, now: datetime) -> None:
    rosa = make.subject("rosa.delgado")
    keep(rosa, prepared(grouped()), now=now)
    kdf, taken = house.get(Kdf), 0
    while kdf._places.acquire(blocking=False):
        taken += 1
    try:
        chosen = grouped()
        assert not isinstance(chosen, Unfit)
        assert service.prepare(chosen) == Refused(Reason.BUSY)
        assert {answer(rosa.id, RIGHT, now=now) for _ in range(8)} == {Refused(Reason.BUSY)}
    finally:
        for _ in range(taken):
            kdf._places.release()
    assert answer(rosa.id, RIGHT, now=now) is True


def test_ST_05_a_question_moved_to_another_row_does_not_open(make: Make, now: datetime) -> None:
    rosa = make.subject("rosa.delgado")
    keep(rosa, own(), now=now)
    one, two = sorted(make.rows(ChallengeQuestion), key=lambda row: row.position)
    with writing() as tx:
        tx.get_one(ChallengeQuestion, two.id).question_sealed = one.question_sealed
    with reading() as tx, pytest.raises(Exception, match="sealed"):
        service.questions_of(tx, subject_id=rosa.id)


def test_AD_15_a_typed_question_is_kept_as_typed(make: Make, now: datetime) -> None:
    rosa = make.subject("rosa.delgado")
    for text in (each for each in POLYGLOTS if len(each) <= rules.LONGEST and each.isprintable()):
        keep(rosa, prepared(of_own(typed((text, "Uncle Ray")), user_id=None)), now=now)
        with reading() as tx:
            [question] = service.questions_of(tx, subject_id=rosa.id)
        assert question.text == compared(text, case_sensitive=True)


def test_what_was_reserved_is_not_printed() -> None:
    assert "digest" not in repr(Kept("s" * 26, "login", ((1, "digest", False),)))
