"""The same registrations on real rows: the payer's own files of ../shared/data, imported into both registries."""

import csv
import json
from collections.abc import Callable
from datetime import date
from itertools import count

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.demo import Demo
from tests.journeys.registering import (
    Newcomer,
    claim_practice,
    redeem_letter,
    register_practitioner,
    register_trading_partner,
    request_access,
)
from tests.journeys.test_real_input import MASTER, PARTNERS, SHARED, command

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
LETTERS = SHARED / "pin_letters.csv"
Newcomers = Callable[[str], Newcomer]
Row = dict[str, str]
_numbers = count(1)


def rows(name: str) -> list[Row]:
    with (SHARED / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def imported(demo: Demo) -> Demo:
    """The files of both registries; doing it twice changes nothing."""
    for path in (MASTER, PARTNERS, LETTERS):
        if not path.is_file():
            pytest.skip(f"needs ../shared/data/{path.name}")
    files = [(registry, MASTER, "provider-master") for registry in ("heartland", "ozark")]
    files += [("ozark", PARTNERS, "trading-partners"), ("heartland", LETTERS, "pin-letters")]
    for registry, path, name in files:
        rejects = demo.data_dir / f"rejects-{registry}-{name}.csv"
        arguments = ("--format", name, "--registry", registry, "--rejects", str(rejects), "--json")
        code, told = command(demo, "directory", "import", str(path), *arguments)
        assert (code, json.loads(told)["rejected"]) == (0, 0), told
    return demo


@pytest.fixture
def newcomer(imported: Demo, new_browser: Callable[..., BrowserContext]) -> Newcomers:
    return lambda key: Newcomer(imported, new_browser().new_page(), f"real.{key}.{next(_numbers)}")


@pytest.fixture(scope="module")
def in_force() -> list[Row]:
    if not MASTER.is_file():
        pytest.skip("needs ../shared/data/provider_master.csv")
    today = date.today().isoformat()  # noqa: DTZ011 - the files' days lie years apart
    return [row for row in rows(MASTER.name) if row["status"] == "active" and row["effective_date"] <= today]


def test_A2_A10_a_real_trading_partner(newcomer: Newcomers) -> None:
    partner = rows(PARTNERS.name)[3]
    one = newcomer("partner")
    portal = register_trading_partner(
        one, zip_code=partner["zip_code"][:5], trading_partner_id=partner["trading_partner_id"]
    )
    one.page.locator("#enroll-finish").click()
    expect(one.page.locator("#acting-for")).to_contain_text(partner["organization_name"])
    me = portal.me
    assert me is not None
    assert me["access_token"]["payload"]["trading_partner_id"] == partner["trading_partner_id"]


def test_B3_B5_a_real_provider_is_found_and_asked_for(newcomer: Newcomers, in_force: list[Row]) -> None:
    row = next(row for row in in_force if row["state"] == "CT" and row["programs"] == "both")
    one = newcomer("clerk")
    request_access(one, program="both", state=row["state"], npi=row["npi"])
    expect(one.page.locator("#enroll-done")).to_have_attribute("data-outcome", "requested")


def test_C6_C9_a_real_practitioner(newcomer: Newcomers, in_force: list[Row]) -> None:
    single = [row for row in in_force if row["provider_type"] == "practitioner" and not row["group_tin"]]
    row = next(row for row in single if row["last_name"].isalpha() and row["first_name"].isalpha())
    one = newcomer("practitioner")
    portal = register_practitioner(
        one, provider_type="practitioner", practitioner_first_name=row["first_name"].lower(),
        practitioner_last_name=row["last_name"].upper(), practitioner_tin=row["tin"],
        practitioner_provider_id=row["provider_id"], practitioner_zip_code=row["zip_codes"].split(";")[0],
    )  # fmt: skip
    me = portal.me
    assert me is not None
    assert me["userinfo"]["provider_id"] == row["provider_id"]


def test_D2_a_real_letter(newcomer: Newcomers) -> None:
    letter = next(row for row in rows(LETTERS.name) if row["provider_id"] == "043836012")
    one = newcomer("letter")
    portal = redeem_letter(one, login_id=letter["provider_id"], pin=letter["pin"])
    me = portal.me
    assert me is not None
    assert me["userinfo"]["provider_id"] == letter["provider_id"]


def test_E0_a_real_practice(newcomer: Newcomers, in_force: list[Row]) -> None:
    group = next(row for row in in_force if row["provider_type"] == "group" and row["tin"] == "051503674")
    one = newcomer("practice")
    claim_practice(one, tin=group["tin"], zip_code="02920")
    expect(one.page.locator("#enroll-done")).to_have_attribute("data-outcome", "verification_pending")
