"""The dispatcher's rule and the orders that make sense, without a database."""

from typing import Any

import pytest

from idp.enrollment import rules
from idp.enrollment.rules import Complete, OtherPerson, Page, Show, SignIn
from idp.relying_parties.manifest import Ceremony, Manifest
from tests.factories.manifests import manifest

TEXT = {"en": "Register", "es": "Registrarse"}
BASE = ("create_account", "verify_email", "agreement", "confirmation")


def ceremony(*steps: str, **options: dict[str, Any]) -> Ceremony:
    return Ceremony.model_validate({"title": TEXT, "steps": steps, "options": options})


def pages(*steps: str) -> tuple[Page, ...]:
    return rules.pages_of(ceremony(*steps))


def portal(*steps: str, **options: dict[str, Any]) -> Manifest:
    return manifest(
        enrollment={"register": {"title": TEXT, "steps": steps, "options": options}},
        agreement={"version": "1", "title": TEXT},
    )


def reasons(made: Manifest) -> list[str]:
    return [fault.reason for fault in rules.faults(made)]


def slug(verdict: rules.Verdict) -> str:
    assert isinstance(verdict, Show)
    return verdict.page.slug


def test_the_first_page_that_is_not_done_is_next() -> None:
    every = pages(*BASE)
    assert slug(rules.next_page(every, done=(), subject_id=None, session_subject=None)) == "create-account"
    done = ("create_account",)
    assert slug(rules.next_page(every, done=done, subject_id=None, session_subject=None)) == "verify-email"


def test_a_page_of_several_steps_is_done_when_all_of_them_are() -> None:
    every = pages("create_account + agreement", "verify_email")
    next_one = rules.next_page(every, done=("create_account",), subject_id=None, session_subject=None)
    assert slug(next_one) == "create-account-and-agreement"


def test_RC_19_after_the_proof_only_its_person_goes_on() -> None:
    every, done = pages(*BASE), ("create_account", "verify_email")
    asked = {"done": done, "subject_id": "rosa"}
    assert rules.next_page(every, **asked, session_subject=None) == SignIn()
    assert rules.next_page(every, **asked, session_subject="mallory") == OtherPerson()
    assert slug(rules.next_page(every, **asked, session_subject="rosa")) == "agreement"


def test_the_last_page_only_informs() -> None:
    done = ("create_account", "verify_email", "agreement")
    assert rules.next_page(pages(*BASE), done=done, subject_id="rosa", session_subject=None) == Complete()


def test_no_step_is_skipped_by_its_address() -> None:
    every = pages(*BASE)
    for page in every[1:]:
        assert not rules.may_open(every, page, done=(), subject_id=None, session_subject=None)


def test_an_earlier_page_may_be_changed_until_the_mailbox_is_proven() -> None:
    every = pages("agreement + create_account", "verify_email", "agreement")[:2] + pages("confirmation")
    first = every[0]
    before = {"done": ("create_account", "agreement"), "subject_id": None, "session_subject": None}
    assert rules.may_open(every, first, **before)
    later = pages(*BASE)
    proven = {"done": ("create_account", "verify_email"), "subject_id": "rosa", "session_subject": "rosa"}
    assert not rules.may_open(later, later[0], **proven)
    assert rules.before(later, later[2], done=proven["done"]) is None


def test_answering_an_earlier_page_anew_asks_for_the_later_ones_again() -> None:
    every = pages("create_account", "agreement", "verify_email")
    assert rules.undone_by(every, every[0], done=("create_account", "agreement")) == {"agreement"}


def test_A1_progress_counts_the_pages_that_ask() -> None:
    every = pages("create_account", "agreement", "verify_email", "confirmation")
    assert rules.progress(every, every[0]) == (1, 2)
    assert rules.progress(every, every[1]) == (2, 2)
    assert rules.progress(every, every[2]) is None


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (("verify_email", "create_account"), "create_account, which comes before"),
        (("agreement", "create_account", "verify_email"), "somebody has to be there"),
        (("create_account", "confirmation", "verify_email"), "which ends the ceremony"),
        (("create_account", "verify_email + agreement"), "has a page to itself"),
        (("create_account", "create_account", "verify_email"), "stands twice"),
        (("create_account", "verify_mail"), "is not a step"),
        (("create_account",), "never proves the mailbox"),
        (("agreement",), "makes no account"),
        (("create_account", "verify_email"), "proves nobody to act for"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_the_reason(steps: tuple[str, ...], said: str) -> None:
    assert any(said in reason for reason in reasons(portal(*steps))), reasons(portal(*steps))


def test_options_are_those_of_the_step() -> None:
    wrong = portal("create_account", "verify_email", verify_email={"pasword": True}, site_key={})
    assert {fault.path[-1] for fault in rules.faults(wrong)} == {"site_key", "pasword"}


def test_A1_account_types_name_what_there_is() -> None:
    def of(*types: dict[str, Any]) -> list[str]:
        options = {"choose_account_type": {"types": types}} if types else {}
        return reasons(portal("choose_account_type", "create_account", "verify_email", **options))

    own = {"label": TEXT}
    assert any("is missing" in reason or "required" in reason for reason in of())
    assert any("is this ceremony itself" in reason for reason in of(own, own))
    assert any("not one of this portal's ceremonies" in reason for reason in of(own, own | {"ceremony": "x"}))
    assert any("not a page" in reason for reason in of(own, own | {"page": "x"}))


def test_C1_an_account_is_made_of_known_fields() -> None:
    def of(*fields: str, **more: Any) -> list[str]:
        return reasons(portal("create_account", "verify_email", create_account={"fields": list(fields), **more}))

    assert any("always asked for" in reason for reason in of("email", "first_name"))
    assert any("is not a field" in reason for reason in of("email", "password", "first_name", "shoe_size"))
    assert any("asks for no name" in reason for reason in of("email", "password"))
    asked = of("email", "password", "first_name", check_availability=True)
    assert any("user ID that the page does not ask" in reason for reason in asked)


def test_a_ceremony_needs_somewhere_to_end() -> None:
    made = portal("create_account", "verify_email")
    registration = made.registration.model_copy(update={"initiate_login_uri": None})
    assert any(
        "initiate_login_uri" in reason for reason in reasons(made.model_copy(update={"registration": registration}))
    )


def test_names_that_are_our_own_addresses_are_refused() -> None:
    made = manifest(enrollment={"link": {"title": TEXT, "steps": ["create_account"]}})
    assert any("not one of our own addresses" in reason for reason in reasons(made))
