"""Ways around `/manage`: odd spellings of its addresses, and what belongs to the person and not to the practice (AD-03, AD-22)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.affiliations.models import Affiliation
from idp.authenticators.factors.models import HeldFactor
from idp.subjects.models import Subject
from tests.affiliations.deciding.world import PORTAL, World
from tests.authenticators.browsing import press
from tests.conftest import ISSUER
from tests.manage.desks import at_desk

pytestmark = pytest.mark.both
SPELLINGS = (
    "//manage/{}/people", "/manage//{}/people", "/MANAGE/{}/people", "/manage/{}/people/", "/manage/{}/people;x",
    "/manage/{}/people%2f", "/manage%2f{}/people", "/manage/./{}/people", "/manage/%2e%2e/manage/{}/people",
    "/account/..;/manage/{}/people", "/manage/{}/people%00", "/manage/{}/people.json",
)  # fmt: skip


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


def test_AD_22_no_spelling_shows_a_list_to_whoever_may_not_see_it(
    world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    world.member()
    other = make.provider("100200301", tin="981110001")
    world.manager(make.subject("iris"), other)
    browsers = {"iris": at_desk(new_browser(), "iris"), "nobody": new_browser()}
    for who, browser in browsers.items():
        for spelling in SPELLINGS:
            address = spelling.format(f"{PORTAL}/{world.provider.id}")
            answer = browser.get(address)
            assert answer.status_code in {301, 303, 308, 400, 404}, (who, address)
            assert "Benítez" not in answer.text
            onward = answer.headers.get("Location", "/")
            assert onward.startswith((f"{ISSUER}/", "/")) and not onward.startswith("//"), (who, address, onward)
        for method in ("PUT", "DELETE", "PATCH", "BREW"):
            answer = browser.open(f"/manage/{PORTAL}/{world.provider.id}/people", method=method)
            assert answer.status_code == 405, (who, method)
    own = browsers["iris"].get(f"/manage/{PORTAL}/{other.id}/people")
    assert own.status_code == 200, "their own, spelt as we spell it"
    shouted = browsers["iris"].get(f"/manage/{PORTAL}/{str(world.provider.id).upper()}/people")
    assert shouted.status_code == 404


def everything_of(make: Any, row: Affiliation) -> tuple[Any, ...]:
    """The person's own things, and every membership of theirs but this one, as they are stored."""

    def values(each: Any) -> dict[str, Any]:
        return {column.key: getattr(each, column.key) for column in each.__table__.columns if column.key != "registry"}

    person = make.row(Subject, row.subject_id)
    factors = [values(each) for each in make.rows(HeldFactor) if each.subject_id == row.subject_id]
    others = [
        values(each) for each in make.rows(Affiliation) if each.subject_id == row.subject_id and each.id != row.id
    ]
    return values(person), factors, others


def test_AD_03_what_a_manager_does_to_a_member_of_two_practices_changes_their_own_link_alone(
    world: World, make: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    row, lena = world.member(), at_desk(new_browser(), "lena.ortiz")
    person = make.row(Subject, row.subject_id)
    make.totp(person)
    make.affiliation(person, make.provider("100200301", tin="981110001"), portal=PORTAL, evidence="manager")
    before = everything_of(make, row)
    address = f"/manage/{PORTAL}/{world.provider.id}/people/{row.id}"
    page = lena.get(address)
    sent = {"email": "mine@evil.test", "user_id": "mine", "phone": "+15555550142", "factor": "", "totp": "off"}
    for name, value in sent.items():
        for to in ("levels", "comments"):
            assert press(lena, page, f"{address}/{to}", **{name: value}).status_code == 400, (to, name, "AD-06")
    for act in ("set_email", "email", "reset_factors", "remove_factor", "recovery"):
        assert lena.get(f"{address}/act/{act}").status_code == 404
    asked = lena.get(f"{address}/act/disable")
    assert press(lena, asked, f"{address}/act/disable", email="mine@evil.test").status_code == 400
    assert (everything_of(make, row), world.row(row).status) == (before, "active")
    assert press(lena, asked, f"{address}/act/disable").status_code == 303
    assert (everything_of(make, row), world.row(row).status) == (before, "disabled")
