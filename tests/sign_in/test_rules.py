"""The dispatcher's rule against a table of its own, over every combination of what it looks at (DESIGN §4.1)."""

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.sign_in.requests import parked, unparked
from idp.sign_in.rules import (
    AgreementDue,
    Facts,
    Proceed,
    Reason,
    Show,
    Step,
    Verdict,
    choice_taken,
    next_step,
)
from idp.vocabulary.refused import Refused
from tests.sign_in.worlds import (
    NOW,
    OTHER_SESSION,
    choice,
    chose,
    facts,
    remembers,
    request,
    session,
    transaction,
)

ONE, TWO = choice(1), choice(2)


@dataclass(frozen=True)
class World:
    """One combination, in words."""

    prompt: str
    session: str
    max_age: bool
    hint: str
    essential: bool
    change: bool
    agreements: bool
    choices: int
    remembered: bool
    narrowed: bool
    known_app: str
    here: str

    def ask(self) -> tuple[Any, Facts]:
        asked = request(
            prompt=frozenset({self.prompt} - {""}),
            max_age=timedelta(minutes=5) if self.max_age else None,
            hinted_subject={"": None, "same": "rosa", "other": "ines"}[self.hint],
            essential_acr=("aal2",) if self.essential else (),
        )
        made: dict[str, Any] = {}
        if self.here != "":
            made = {"authenticated_at": NOW} if "signed in" in self.here else {}
            made |= chose(ONE) if "chosen" in self.here else {}
            made |= {"consented_scopes": "openid tin"} if "consented" in self.here else {}
            made |= {"session_id": OTHER_SESSION} if "elsewhere" in self.here else {}
        return asked, Facts(
            transaction=transaction(**made) if self.here != "" else None,
            session={"none": None, "new": session(age=timedelta()), "old": session()}[self.session],
            password_must_change=self.change,
            agreements_due=(AgreementDue("terms", "1"),) if self.agreements else (),
            choices=(ONE, TWO)[: self.choices],
            narrowed=self.narrowed,
            remembered=remembers(ONE) if self.remembered else None,
            first_party=self.known_app == "portal",
            consented=frozenset({"tin"}) if self.known_app == "consented before" else frozenset(),
        )

    def expected(self) -> str:
        """The table: the first line that fits."""
        own = self.here if "elsewhere" not in self.here else ""
        signs_in = "signed in" in own
        stale = self.max_age and self.session == "old"
        picked = "chosen" in own or (self.remembered and self.prompt != "select_account")
        asks = self.prompt == "consent" or self.known_app == "stranger"
        lines = [
            (self.session == "none", Step.PASSWORD, Reason.LOGIN_REQUIRED),
            (not signs_in and (self.prompt == "login" or self.hint == "other" or stale), Step.PASSWORD, Reason.LOGIN_REQUIRED),
            (self.hint == "other", Reason.LOGIN_REQUIRED, Reason.LOGIN_REQUIRED),
            (self.essential, Reason.UNMET_AUTHENTICATION_REQUIREMENTS, Reason.INTERACTION_REQUIRED),
            (self.change, Step.CHANGE_PASSWORD, Reason.INTERACTION_REQUIRED),
            (self.agreements, Step.AGREEMENT, Reason.INTERACTION_REQUIRED),
            (self.choices == 0 and self.narrowed, Reason.ACCESS_DENIED, Reason.INTERACTION_REQUIRED),
            (self.choices == 0, Step.CANNOT_ACT, Reason.INTERACTION_REQUIRED),
            (not picked and (self.choices > 1 or self.prompt == "select_account"), Step.CHOOSE, Reason.ACCOUNT_SELECTION_REQUIRED),
            (asks and "consented" not in own, Step.CONSENT, Reason.CONSENT_REQUIRED),
        ]  # fmt: skip
        for fits, page, silently in lines:
            if fits:
                return str(silently if self.prompt == "none" else page)
        return "proceed"


def told(verdict: Verdict) -> str:
    match verdict:
        case Show(step):
            return str(step)
        case Refused(reason):
            return str(reason)
        case Proceed():
            return "proceed"


HERE = (
    "",
    "parked",
    "signed in",
    "signed in chosen",
    "signed in chosen consented",
    "elsewhere signed in chosen consented",
)
EVERY = [
    World(*values)
    for values in itertools.product(
        ("", "none", "login", "consent", "select_account"),
        ("none", "new", "old"),
        (False, True),
        ("", "same", "other"),
        (False, True),
        (False, True),
        (False, True),
        (0, 1, 2),
        (False, True),
        (False, True),
        ("portal", "consented before", "stranger"),
        HERE,
    )
]  # fmt: skip


def test_every_combination_is_decided_as_the_table_says() -> None:
    wrong = []
    for world in EVERY:
        asked, known = world.ask()
        if told(next_step(asked, known, now=NOW)) != world.expected():
            wrong.append((world, told(next_step(asked, known, now=NOW)), world.expected()))
    assert len(EVERY) > 100_000
    assert wrong == [], wrong[:3]


worlds = st.sampled_from(EVERY)


@given(worlds)
def test_prompt_none_never_shows_a_page(world: World) -> None:
    asked, known = world.ask()
    silent = request(prompt=frozenset({"none"}), max_age=asked.max_age, hinted_subject=asked.hinted_subject)
    assert not isinstance(next_step(silent, known, now=NOW), Show)


@given(worlds)
def test_D2_nobody_proceeds_without_a_session_and_no_step_is_skipped(world: World) -> None:
    asked, known = world.ask()
    verdict = next_step(asked, known, now=NOW)
    if isinstance(verdict, Proceed):
        assert known.session is not None
        assert not known.agreements_due
        assert not known.password_must_change
        assert verdict.choice in known.choices


@given(worlds)
def test_what_another_session_settled_settles_nothing(world: World) -> None:
    asked, known = world.ask()
    if known.session is None:
        return
    done = {"authenticated_at": NOW, "consented_scopes": "openid tin", "session_id": OTHER_SESSION, **chose(TWO)}
    foreign = Facts(**{name: getattr(known, name) for name in Facts.__slots__} | {"transaction": transaction(**done)})
    bare = Facts(**{name: getattr(known, name) for name in Facts.__slots__} | {"transaction": transaction()})
    assert next_step(asked, foreign, now=NOW) == next_step(asked, bare, now=NOW)


def test_a_refusal_by_the_person_stands_above_all() -> None:
    refused = facts(transaction=transaction(refused_at=NOW))
    assert next_step(request(), refused, now=NOW) == Refused(Reason.ACCESS_DENIED)


@pytest.mark.parametrize(("login", "step"), [(None, Step.IDENTIFY), ("rosa", Step.PASSWORD)])
def test_a_portal_that_asks_the_user_id_first_asks_it_first(login: str | None, step: Step) -> None:
    known = facts(session=None, username_first=True, transaction=transaction(login=login, session_id=None))
    assert next_step(request(), known, now=NOW) == Show(step)


def test_AZ_17_prompt_login_is_answered_once_by_signing_in_here() -> None:
    here = facts(transaction=transaction(authenticated_at=NOW))
    assert isinstance(next_step(request(prompt=frozenset({"login"})), here, now=NOW), Proceed)


@pytest.mark.parametrize("seconds", [0, 1])
def test_AZ_19_max_age_zero_and_one_ask_again(seconds: int) -> None:
    asked = request(max_age=timedelta(seconds=seconds))
    known = facts(session=session(age=timedelta(seconds=seconds)))
    assert next_step(asked, known, now=NOW) == Show(Step.PASSWORD)


def test_a_remembered_choice_that_no_longer_stands_is_asked_again() -> None:
    known = facts(choices=(ONE, TWO), remembered=remembers(choice(3)))
    assert next_step(request(), known, now=NOW) == Show(Step.CHOOSE)


def test_a_choice_of_this_request_that_no_longer_stands_is_asked_again_although_one_is_left() -> None:
    known = facts(choices=(ONE,), transaction=transaction(**chose(TWO)))
    assert next_step(request(), known, now=NOW) == Show(Step.CHOOSE)


def test_select_account_asks_even_with_one_and_even_when_remembered() -> None:
    asked = request(prompt=frozenset({"select_account"}))
    assert next_step(asked, facts(remembered=remembers(ONE)), now=NOW) == Show(Step.CHOOSE)


def test_AZ_33_consent_names_the_choice_it_is_asked_for() -> None:
    known = facts(first_party=False, choices=(ONE, TWO), remembered=remembers(TWO))
    assert next_step(request(), known, now=NOW) == Show(Step.CONSENT, TWO)


def test_consent_to_less_than_is_asked_asks_again() -> None:
    known = facts(first_party=False, consented=frozenset({"tin"}))
    assert next_step(request("openid tin email"), known, now=NOW) == Show(Step.CONSENT, ONE)


def test_what_was_consented_here_limits_the_scopes() -> None:
    known = facts(first_party=False, transaction=transaction(consented_scopes="openid tin"))
    verdict = next_step(request("openid tin email"), known, now=NOW)
    assert isinstance(verdict, Proceed)
    assert verdict.scopes.names == ("openid", "tin")


def test_a_client_that_is_not_told_for_whom_gets_no_choice() -> None:
    verdict = next_step(request("openid"), facts(acts=False, choices=()), now=NOW)
    assert verdict == Proceed(None, request("openid").scope)


def test_an_own_page_needs_a_session_and_no_more() -> None:
    own = request("", client_id=None, return_to="account.overview")
    assert next_step(own, facts(session=None, acts=False), now=NOW) == Show(Step.PASSWORD)
    assert isinstance(next_step(own, facts(acts=False, choices=()), now=NOW), Proceed)


def test_the_choice_taken_is_found_by_target_not_by_place() -> None:
    assert choice_taken(request(), facts(choices=(ONE, TWO), transaction=transaction(**chose(TWO)))) == TWO
    assert choice_taken(request(), facts(choices=(ONE, TWO))) is None


@given(st.sampled_from(["openid", "openid tin provider_id:12345", ""]), st.sampled_from(["", "none", "login consent"]))
def test_AZ_18_a_parked_request_comes_back_the_same(scope: str, prompt: str) -> None:
    asked = request(
        scope, prompt=frozenset(prompt.split()), max_age=timedelta(seconds=90), state="ü", provider_ids=("1",),
        acr_values=("aal2", "aal1"), resource=("https://api.test",), claims={"id_token": {"tin": None}},
    )  # fmt: skip
    assert unparked(parked(asked)) == asked
