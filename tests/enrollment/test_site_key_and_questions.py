"""Site key and challenge questions chosen while registering: kept at the end, and only then (A6, A7, D3)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.authenticators.challenge_questions import service as questions
from idp.authenticators.challenge_questions.models import ChallengeQuestion
from idp.authenticators.challenge_questions.rules import Question
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.site_key import service as site_keys
from idp.authenticators.site_key.models import SiteKey
from idp.authenticators.site_key.rules import Shown
from idp.enrollment import rules
from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.subjects.models import Subject
from tests.attacks import invariants
from tests.authenticators.browsing import post_form, signed_in
from tests.enrollment.worlds import ACCOUNT, PORTAL, TEXT, follow, link_of, open_ceremony, portal, press, send
from tests.factories import Make
from tests.factories.make import PASSWORD
from tests.factories.manifests import manifest

STEPS = ("create_account + site_key + challenge_questions", "verify_email")
SIGN_IN = {"identifier": "user_id", "username_first": True, "site_key": True}
FIELDS = ("user_id", "email", "confirm_email", "password", "confirm_password", "display_name")
KNOWN = {name: value for name, value in ACCOUNT.items() if name in FIELDS} | {
    "user_id": "june.harwood",
    "display_name": "Harwood Billing",
}
KEY = {"site_key": "balloon", "passphrase": "morning over  the river"}
ASKED = {
    "question_1": "first_pet", "answer_1": "CNRY-Biscuit", "question_2": "parents_met", "answer_2": "CNRY-Eureka",
    "question_3": "first_car", "answer_3": "CNRY-Escort",
}  # fmt: skip
OWN = {"question_1": "Who taught me to fish?", "answer_1": "CNRY Uncle Ray", "question_2": "", "answer_2": ""}
ORIGIN = Origin.local("test")


def register_at(make: Make, *steps: str, mode: str = "groups") -> None:
    used = " ".join(steps)
    options: dict[str, Any] = {"create_account": {"fields": list(FIELDS)}, "verify_email": {"password": True}}
    options |= {"challenge_questions": {"mode": mode}} if "challenge_questions" in used else {}
    portal(make, *steps, options=options, sign_in=SIGN_IN)


@pytest.mark.both
def test_A6_A7_what_was_chosen_is_the_persons_at_the_last_proof_and_nobodys_before(
    client: FlaskClient, make: Make
) -> None:
    register_at(make, *STEPS)
    page = send(client, open_ceremony(client), **KNOWN, **KEY, **ASKED)
    assert page.request.path.endswith("/verify-email"), page.text[:3000]
    assert make.rows(SiteKey) == make.rows(ChallengeQuestion) == []
    press(client, link_of(make), password=PASSWORD)
    [june] = make.rows(Subject)
    with reading() as tx:
        assert site_keys.site_key_of(tx, subject_id=june.id) == Shown("balloon", "morning over the river")
        assert questions.questions_of(tx, subject_id=june.id) == (
            Question(1, "first_pet", None, False),
            Question(2, "parents_met", None, False),
            Question(3, "first_car", None, False),
        )
        told = [kind for kind, _ in invariants.events_of()]
    assert told.count("site_key_set") == told.count("challenge_questions_set") == 1


@pytest.mark.both
def test_ST_04_no_answer_is_in_clear_at_any_moment(client: FlaskClient, make: Make) -> None:
    register_at(make, *STEPS)
    send(client, open_ceremony(client), **KNOWN, **KEY, **ASKED)
    waiting = invariants.dump_database()
    press(client, link_of(make), password=PASSWORD)
    for dump in (waiting, invariants.dump_database()):
        invariants.keeps_secret(dump.casefold(), ["cnry", "biscuit", "morning over"])


def test_D3_questions_of_ones_own_and_the_second_may_be_left_out(client: FlaskClient, make: Make) -> None:
    register_at(make, "create_account + challenge_questions", "verify_email", mode="own")
    page = open_ceremony(client)
    assert "case-sensitive" in page.text
    send(client, page, **KNOWN, **OWN)
    press(client, link_of(make), password=PASSWORD)
    [june] = make.rows(Subject)
    with reading() as tx:
        [question] = questions.questions_of(tx, subject_id=june.id)
    assert question == Question(1, None, "Who taught me to fish?", True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"site_key": ""}, "Choose a picture."),
        ({"site_key": "dragon"}, "Choose a picture."),
        ({"passphrase": " "}, "Enter a passphrase"),
        ({"passphrase": PASSWORD.upper()}, "must not contain your password"),
        ({"passphrase": f"my {PASSWORD}"}, "must not contain your password"),
        ({"question_2": "first_pet"}, "Use each question only once."),
        ({"question_3": "x"}, "Choose one of the questions in the list."),
        ({"answer_3": ""}, "The answer to question #3 is missing."),
        ({"answer_3": "cnry-BISCUIT"}, "Give each question an answer of its own."),
        ({"answer_1": "June.Harwood"}, "The answer must not be your user ID."),
    ],
)
def test_A6_A7_what_is_wrong_is_told_and_what_was_typed_stays_but_no_answer(
    client: FlaskClient, make: Make, changed: dict[str, str], said: str
) -> None:
    register_at(make, *STEPS)
    page = send(client, open_ceremony(client), **(KNOWN | KEY | ASKED | changed))
    assert page.status_code == 422
    assert said in page.text
    assert "CNRY" not in page.text
    assert PASSWORD not in page.text.replace(f'value="{changed.get("passphrase", "-")}"', "")
    assert '<option value="first_pet" selected>' in page.text


def test_A6_a_phrase_on_a_later_page_is_held_against_the_passwords_digest(client: FlaskClient, make: Make) -> None:
    register_at(make, "create_account", "site_key", "verify_email")
    page = send(client, open_ceremony(client), **KNOWN)
    assert page.request.path.endswith("/site-key")
    before = house.get(Kdf).made
    refused = send(client, page, site_key="owl", passphrase=PASSWORD)
    assert refused.status_code == 422
    assert "must not contain your password" in refused.text
    assert house.get(Kdf).made == before + 1
    assert send(client, page, **KEY).request.path.endswith("/verify-email")


def test_A7_an_answer_on_a_later_page_is_not_the_user_id_either(client: FlaskClient, make: Make) -> None:
    register_at(make, "create_account", "challenge_questions", "verify_email")
    page = send(client, open_ceremony(client), **KNOWN)
    refused = send(client, page, **(ASKED | {"answer_2": "JUNE.harwood"}))
    assert "The answer must not be your user ID." in refused.text


def test_X4_a_known_person_is_asked_only_what_is_missing(client: FlaskClient, make: Make) -> None:
    rosa = make.subject("rosa.delgado")
    register_at(make, *STEPS)
    signed_in(client, "rosa.delgado")
    with writing() as tx:
        site_keys.set_site_key(
            tx,
            subject_id=rosa.id,
            picture="owl",
            phrase="night shift",
            now=make.now,
            actor=rosa.id,
            origin=ORIGIN,
        )
    page = send(client, open_ceremony(client), use_account="yes")
    assert 'name="question_1"' in page.text
    assert 'name="site_key"' not in page.text
    assert 'name="password"' not in page.text
    own_id = send(client, page, **(ASKED | {"answer_1": "Rosa.Delgado"}))
    assert "The answer must not be your user ID." in own_id.text
    follow(client, post_form(client, page, "enroll-form", **ASKED))
    with reading() as tx:
        assert site_keys.site_key_of(tx, subject_id=rosa.id) == Shown("owl", "night shift")


def test_RX_02_busy_hashing_is_503_and_keeps_nothing(client: FlaskClient, make: Make) -> None:
    register_at(make, "create_account", "challenge_questions", "verify_email")
    page = send(client, open_ceremony(client), **KNOWN)
    kdf, taken = house.get(Kdf), 0
    while kdf._places.acquire(blocking=False):
        taken += 1
    try:
        assert post_form(client, page, "enroll-form", **ASKED).status_code == 503
    finally:
        for _ in range(taken):
            kdf._places.release()
    assert send(client, page, **ASKED).request.path.endswith("/verify-email")


def test_RC_21_a_ceremony_without_them_takes_nothing_of_them(client: FlaskClient, make: Make) -> None:
    portal(make, "create_account", "verify_email")
    page = open_ceremony(client)
    assert not any(name in page.text for name in ("site_key", "passphrase", "question_1"))
    assert post_form(client, page, "enroll-form", **ACCOUNT, **KEY).status_code == 400
    for step in ("site-key", "challenge-questions"):
        assert client.get(f"/enroll/{PORTAL}/register/{step}").status_code == 404


@pytest.mark.parametrize(
    ("steps", "sign_in", "said"),
    [
        (("site_key", "create_account", "verify_email"), SIGN_IN, "site_key stands too early: its phrase must not be"),
        (("challenge_questions", "create_account", "verify_email"), SIGN_IN, "an answer must not be the user ID"),
        (("create_account + site_key", "verify_email"), {}, "sign_in.site_key is off"),
    ],
)
def test_a_ceremony_that_makes_no_sense_is_refused_with_the_reason(
    steps: tuple[str, ...], sign_in: dict[str, Any], said: str
) -> None:
    options = {"create_account": {"fields": list(FIELDS)}}
    planned = manifest(enrollment={"register": {"title": TEXT, "steps": steps, "options": options}}, sign_in=sign_in)
    assert any(said in fault.reason for fault in rules.faults(planned))
