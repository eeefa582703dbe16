"""*claim_practice* (E0; B's register): a practice by TIN and ZIP, or the very provider that was picked."""

from datetime import datetime

import pytest
from flask.testing import FlaskClient

from idp.directory.models import Practice, Provider
from idp.enrollment import rules
from tests.directory.files import GROUP, MEMBER, PRACTITIONER, taken
from tests.enrollment.steps.people import NO_MATCH, TOO_MANY, access, refusals, registered
from tests.enrollment.worlds import TEXT, mailed, open_ceremony, portal, send
from tests.factories import Make
from tests.factories.manifests import manifest

pytestmark = pytest.mark.both
CLINIC = {"tin": "07-9990001", "zip_code": "06095"}
E = {"acting_for": ["practice"], "accepts": "letter", "accepts_for_manager": "payer"}
B = {"acting_for": ["provider"], "accepts": "letter", "accepts_for_manager": "payer"}


@pytest.fixture(autouse=True)
def roster(make: Make, now: datetime) -> None:
    other = PRACTITIONER | {
        "provider_id": "333333333",
        "npi": "1000000004",
        "legal_name": "Ada Fell",
        "last_name": "Fell",
    }
    taken([GROUP, MEMBER, PRACTITIONER, other], now=now)


def test_E0_a_claimed_practice_waits_for_verification(client: FlaskClient, make: Make) -> None:
    portal(make, "create_account", "verify_email", "claim_practice", "confirmation", portal=E)
    page = registered(client, open_ceremony(client), make)
    assert "Tax ID (TIN)" in page.text and "ZIP Code" in page.text
    page = send(client, page, **CLINIC)
    assert "Verification Pending" in page.text and "Juniper Ridge Clinic" in page.text
    ((kind, target, status, manager),) = access(make)
    assert (kind, status, manager) == ("practice", "verification_pending", False)
    assert make.row(Practice, next(p.id for p in make.rows(Practice) if str(p.id) == target)).tin_last4 == "0001"
    (told,) = mailed(make, "registration_confirmed")
    assert told["pending"] is True and told["number"] == "**-***0001"


@pytest.mark.parametrize(
    "wrong", [{"tin": "079990002"}, {"zip_code": "65801"}, {"tin": "79990001"}, {"zip_code": "0600"}]
)
def test_EN_04_E0_every_mismatch_reads_the_same(client: FlaskClient, make: Make, wrong: dict[str, str]) -> None:
    portal(make, "claim_practice", "create_account", "verify_email", portal=E)
    page = send(client, open_ceremony(client), **CLINIC | wrong)
    assert page.status_code == 422 and NO_MATCH in page.text and len(refusals(make)) == 1
    assert "tin-error" not in page.text and "zip_code-error" not in page.text


def test_EN_04_one_TIN_is_tried_ten_times_however_it_is_spelled(client: FlaskClient, make: Make) -> None:
    portal(make, "claim_practice", "create_account", "verify_email", portal=E)
    for number in range(10):
        tin = ["079990001", "07-9990001", "079-99-0001"][number % 3]
        send(client, open_ceremony(client), tin=tin, zip_code=f"9000{number}")
    assert TOO_MANY in send(client, open_ceremony(client), **CLINIC).text


def pick(client: FlaskClient, make: Make, number: str) -> str:
    portal(make, "find_provider", "claim_practice", "create_account", "verify_email", "confirmation", portal=B)
    record = next(row for row in make.rows(Provider) if row.provider_id == number)
    page = send(client, open_ceremony(client), provider=str(record.id))
    assert page.request.path.endswith("/claim-practice"), page.text
    return str(record.id)


@pytest.mark.parametrize(
    ("number", "pair"),
    [
        ("123456789", {"tin": "666025841", "zip_code": "06002"}),
        ("222222222", {"tin": "079990001", "zip_code": "06095-0000"}),
        ("000042", {"tin": "079990001", "zip_code": "06002"}),
    ],
)
def test_E0_the_pair_proves_the_provider_that_was_picked(
    client: FlaskClient, make: Make, number: str, pair: dict[str, str]
) -> None:
    picked = pick(client, make, number)
    page = send(client, open_ceremony(client), **pair)
    page = registered(client, page, make)
    assert [(kind, target, status) for kind, target, status, _ in access(make)] == [
        ("provider", picked, "verification_pending")
    ]


@pytest.mark.parametrize(
    ("number", "pair"),
    [
        ("123456789", {"tin": "079990001", "zip_code": "06002"}),
        ("000042", {"tin": "666025841", "zip_code": "06002"}),
        ("222222222", {"tin": "079990001", "zip_code": "65801"}),
    ],
)
def test_E0_another_records_pair_does_not_prove_the_one_picked(
    client: FlaskClient, make: Make, number: str, pair: dict[str, str]
) -> None:
    pick(client, make, number)
    page = send(client, open_ceremony(client), **pair)
    assert page.status_code == 422 and NO_MATCH in page.text


@pytest.mark.parametrize(
    ("steps", "acting_for", "reason"),
    [
        (("claim_practice",), ["provider"], "claim_practice proves access to a practice"),
        (("find_provider", "claim_practice"), ["practice"], "claim_practice proves access to a provider"),
        (("claim_practice", "find_provider"), ["provider"], "on a page after find_provider's"),
        (("find_provider + claim_practice",), ["provider"], "on a page after find_provider's"),
    ],
)
def test_a_place_where_it_cannot_stand_is_refused_when_planned(
    steps: tuple[str, ...], acting_for: list[str], reason: str
) -> None:
    every = (*steps, "create_account", "verify_email")
    made = manifest(portal={"acting_for": acting_for}, enrollment={"register": {"title": TEXT, "steps": every}})
    assert any(reason in fault.reason for fault in rules.faults(made))
