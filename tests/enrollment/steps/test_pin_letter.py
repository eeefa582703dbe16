"""*pin_letter* (D2): the letter's pair, within the letters' limits; the PIN is used up when access is made."""

from datetime import datetime

import pytest
from flask.testing import FlaskClient

from idp.directory.models import PinLetter, Provider
from idp.enrollment import runs
from idp.enrollment.models import Enrollment
from idp.foundation.database import reading
from tests.affiliations.pins.posted import PIN, post
from tests.conftest import Hands
from tests.enrollment.steps.people import access, refusals, registered
from tests.enrollment.worlds import mailed, open_ceremony, portal, send
from tests.factories import Make

pytestmark = pytest.mark.both
PAIR = {"login_id": "017631564", "pin": PIN}
NO_MATCH = "These details do not match our records."


@pytest.fixture(autouse=True)
def letter(make: Make, now: datetime) -> Provider:
    terms = {"acting_for": ["provider"], "accepts": "letter", "accepts_for_manager": "letter"}
    portal(
        make,
        "pin_letter",
        "create_account",
        "verify_email",
        "confirmation",
        portal=terms,
        help={"phone": "555-0100", "email": "help@payer.test"},
    )
    provider = make.provider("017631564", registry_name="ozark")
    post(provider, now=now)
    return provider


def test_D2_the_page_says_what_it_asks_and_that_case_counts(client: FlaskClient) -> None:
    page = open_ceremony(client)
    for words in (
        "Login ID",
        "Personal Identification Number",
        "6- or 9-digit provider ID",
        "Capital and small letters differ",
    ):
        assert words in page.text


def test_D2_the_letter_gives_access_and_its_PIN_is_used_up_at_the_end(
    client: FlaskClient, make: Make, letter: Provider
) -> None:
    page = send(client, open_ceremony(client), **PAIR)
    assert page.request.path.endswith("/create-account")
    assert [row.used_on for row in make.rows(PinLetter)] == [None]
    page = registered(client, page, make)
    assert 'id="enroll-done"' in page.text and "•••564" in page.text
    assert access(make) == [("provider", str(letter.id), "active", True)]
    assert [row.used_on is None for row in make.rows(PinLetter)] == [False]
    assert mailed(make, "registration_confirmed")[0]["number"] == "•••564"


@pytest.mark.parametrize(
    "wrong", [{"pin": PIN.swapcase()}, {"login_id": "017631565"}, {"login_id": "no number"}, {"pin": "x"}]
)
def test_EN_04_D2_every_no_reads_the_same_and_shows_no_PIN(
    client: FlaskClient, make: Make, wrong: dict[str, str]
) -> None:
    sent = PAIR | wrong
    page = send(client, open_ceremony(client), **sent)
    assert page.status_code == 422 and NO_MATCH in page.text
    assert sent["pin"] == "x" or sent["pin"] not in page.text
    assert make.rows(Enrollment) == []
    assert len(refusals(make, "letter_checked")) == 1 and refusals(make) == []


def test_EN_01_five_wrong_PINs_pause_the_provider_ID(client: FlaskClient, make: Make, hands: Hands) -> None:
    for number in range(5):
        send(client, open_ceremony(client), **PAIR | {"pin": f"wrong{number}"})
    page = send(client, open_ceremony(client), **PAIR)
    assert page.status_code == 422 and "Too many attempts" in page.text
    assert refusals(make) == [], "the letters' own event says it"
    hands.forward(minutes=61)
    assert send(client, open_ceremony(client), **PAIR).request.path.endswith("/create-account")


def test_ST_04_the_PIN_stands_nowhere(client: FlaskClient, make: Make) -> None:
    send(client, open_ceremony(client), **PAIR)
    (run,) = make.rows(Enrollment)
    with reading() as tx:
        held = runs.held(tx, run.id)
    assert held is not None and PIN not in repr((held.typed, held.kept, run.answers_sealed))
    again = client.get(f"/enroll/ozark-secure/register/{run.id}/pin-letter")
    assert 'value="017631564"' in again.text and PIN not in again.text


def test_EN_02_a_PIN_used_meanwhile_gives_nothing(
    client: FlaskClient, new_browser: object, make: Make, letter: Provider
) -> None:
    page = send(client, open_ceremony(client), **PAIR)
    other = new_browser()  # type: ignore[operator]
    second = send(other, open_ceremony(other), **PAIR)
    registered(client, page, make)
    from tests.enrollment.worlds import ACCOUNT, link_of, press

    send(other, second, **ACCOUNT | {"email": "late@harwood.test", "confirm_email": "late@harwood.test"})
    press(other, link_of(make))
    assert len(access(make)) == 1
