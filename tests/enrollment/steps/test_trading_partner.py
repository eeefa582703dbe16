"""*identify_trading_partner* (A2): the pair must be on the roster; a no says nothing, and few may be tried."""

from datetime import datetime

import pytest
from flask.testing import FlaskClient

from idp.enrollment.models import Enrollment
from tests.conftest import Hands
from tests.directory.files import PARTNER, taken
from tests.enrollment.steps.people import NO_MATCH, TOO_MANY, access, asked, counted, refusals, registered
from tests.enrollment.worlds import mailed, open_ceremony, portal, send
from tests.factories import Make

pytestmark = pytest.mark.both
PAIR = {"zip_code": "65801", "trading_partner_id": "TP000001"}


@pytest.fixture(autouse=True)
def ceremony(make: Make, now: datetime) -> None:
    terms = {"acting_for": ["trading_partner"], "accepts": "directory", "accepts_for_manager": "payer"}
    portal(make, "identify_trading_partner", "create_account", "verify_email", "confirmation", portal=terms)
    taken([PARTNER], format_name="trading-partners", now=now)


def test_A2_the_page_opens_with_its_sentence_and_its_two_fields(client: FlaskClient) -> None:
    page = open_ceremony(client)
    assert "Please provide the following information to get started!" in page.text
    assert "ZIP Code" in page.text and "TPartner Qualifier" in page.text
    assert page.text.count('<span class="req" aria-hidden="true">*</span>') == 2


@pytest.mark.parametrize("zip_code", ["65801", "65801-0042", "658010042", " 65801 "])
@pytest.mark.parametrize("number", ["TP000001", "tp000001"])
def test_A2_the_pair_matches_by_ZIP5(client: FlaskClient, zip_code: str, number: str) -> None:
    page = send(client, open_ceremony(client), zip_code=zip_code, trading_partner_id=number)
    assert page.request.path.endswith("/create-account")


@pytest.mark.parametrize(
    "wrong",
    [
        {"zip_code": "65802"},
        {"trading_partner_id": "TP000002"},
        {"zip_code": "6580"},
        {"trading_partner_id": "'; drop table x; --"},
        {"zip_code": "99999", "trading_partner_id": "ZZ999999"},
    ],
)
def test_EN_04_A2_every_mismatch_reads_the_same(client: FlaskClient, make: Make, wrong: dict[str, str]) -> None:
    page = send(client, open_ceremony(client), **PAIR | wrong)
    assert page.status_code == 422 and NO_MATCH in page.text
    assert "zip_code-error" not in page.text and "trading_partner_id-error" not in page.text
    assert make.rows(Enrollment) == [] and len(refusals(make)) == 1


def test_EN_04_one_trading_partners_ZIP_codes_are_not_walked_through(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    for number in range(10):
        send(
            client,
            open_ceremony(client),
            zip_code=f"9000{number}",
            trading_partner_id=["TP000001", "tp-000001"][number % 2],
        )
    page = send(client, open_ceremony(client), **PAIR)
    assert page.status_code == 422 and TOO_MANY in page.text and NO_MATCH not in page.text
    hands.forward(minutes=16)
    assert send(client, open_ceremony(client), **PAIR).request.path.endswith("/create-account")


def test_EN_01_one_address_tries_twenty_numbers_an_hour(client: FlaskClient, make: Make) -> None:
    for number in range(20):
        send(client, open_ceremony(client), zip_code="65801", trading_partner_id=f"XX{number:06}")
    page = send(client, open_ceremony(client), **PAIR)
    assert TOO_MANY in page.text and counted(make, "enrollment_everybody") <= 21


def test_EN_04_a_match_gives_its_attempt_back(client: FlaskClient, make: Make) -> None:
    send(client, open_ceremony(client), **PAIR | {"zip_code": "00501"})
    send(client, open_ceremony(client), **PAIR)
    assert [counted(make, f"enrollment_{name}") for name in ("number", "address", "everybody")] == [1, 1, 1]


def test_A2_A10_the_registration_ends_with_access_to_the_trading_partner(client: FlaskClient, make: Make) -> None:
    page = send(client, open_ceremony(client), **PAIR)
    page = registered(client, page, make)
    assert 'id="enroll-done"' in page.text and "Lantern Billing" in page.text
    ((kind, _target, status, manager),) = access(make)
    assert (kind, status, manager) == ("trading_partner", "active", False)
    (told,) = mailed(make, "registration_confirmed")
    assert (told["target"], told["number"]) == ("Lantern Billing", "•••001")
    assert asked(make) == []


def test_ST_04_nothing_that_was_tried_stands_in_a_budget(client: FlaskClient, make: Make) -> None:
    from idp.foundation.limiter import AttemptBudget

    send(client, open_ceremony(client), zip_code="65801", trading_partner_id="TP000002")
    assert "TP000002" not in repr([(row.name, row.digest) for row in make.rows(AttemptBudget)])
