"""The pages of an invitation (B7, E5, EN-13): nothing by opening it, the yes by its person alone."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from idp.affiliations.deciding.rules import Act
from idp.affiliations.deciding.service import Done
from idp.affiliations.models import Affiliation
from tests.affiliations.deciding.world import World
from tests.authenticators.browsing import press, signed_in

PATH, MINE = "/invitation", "/invitations"


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def waiting(world: World) -> Affiliation:
    """Oscar, verified by Lena, with a link in his mailbox."""
    row = world.member(levels=(), status="verification_pending", activated_at=None, last_used_at=None)
    assert isinstance(world.do(Act.VERIFY, row), Done)
    return row


def accept_path(page: Any) -> str:
    return next(part.split('"', 1)[0] for part in page.text.split('action="')[1:] if part.startswith(f"{MINE}/"))


def opened(client: FlaskClient, world: World) -> Any:
    page = client.get(f"{PATH}?token={world.link('registration_link')}")
    assert page.status_code == 200
    return press(client, page, PATH)


def test_E5_signed_in_and_accepted_the_access_is_active(client: Any, world: World, waiting: Affiliation) -> None:
    signed_in(client, "oscar.benitez")
    answer = opened(client, world)
    assert (answer.status_code, answer.location) == (303, MINE)
    page = client.get(MINE)
    assert "DELGADO, ROSA" in page.text
    assert world.row(waiting).status == "unverified", "nothing before the yes"
    done = press(client, page, accept_path(page))
    assert "You can act for DELGADO, ROSA now" in done.text
    assert world.row(waiting).status == "active"


def test_E5_who_is_not_signed_in_is_led_there_and_back(client: Any, world: World, waiting: Affiliation) -> None:
    page = opened(client, world)
    assert page.status_code == 200
    assert "to=invitations.mine" in page.text
    assert 'id="register"' not in page.text, "the person is known: no second account"
    assert world.row(waiting).status == "unverified"
    signed_in(client, "oscar.benitez")
    page = client.get(MINE)
    press(client, page, accept_path(page))
    assert world.row(waiting).status == "active"


def test_EN_13_another_person_s_session_cannot_accept_it(client: Any, world: World, waiting: Affiliation) -> None:
    signed_in(client, "lena.ortiz")
    opened(client, world)
    page = client.get(MINE)
    answer = press(client, page, accept_path(page))
    assert answer.status_code == 409
    assert "another e-mail address" in answer.text
    assert world.row(waiting).status == "unverified"


def test_EN_13_another_browser_that_never_saw_the_link_has_none(
    client: Any, new_browser: Any, world: World, waiting: Affiliation
) -> None:
    opened(client, world)
    other = signed_in(new_browser(), "oscar.benitez")
    page = other.get(MINE)
    assert f"{MINE}/" not in page.text
    assert press(other, other.get("/account/profile"), "/account/profile").status_code < 500
    token = other.get("/account/profile").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    answer = other.post(f"{MINE}/{uuid4()}/accept", data={"csrf_token": token})
    assert answer.status_code == 409
    assert world.row(waiting).status == "unverified"


def test_EN_13_expired_the_link_opens_nothing(client: Any, hands: Any, world: World, waiting: Affiliation) -> None:
    link = f"{PATH}?token={world.link('registration_link')}"
    page = client.get(link)
    hands.at(world.now + timedelta(days=9))
    assert client.get(link).status_code == 410
    assert press(client, page, PATH).status_code == 410


@pytest.mark.parametrize("sent", ["", "x", "y" * 43, "<script>"])
def test_a_link_that_is_none_says_nothing(client: Any, world: World, sent: str) -> None:
    assert client.get(PATH, query_string={"token": sent}).status_code in {400, 410}


def test_nobody_sees_the_invitations_without_a_session(client: Any, world: World) -> None:
    answer = client.get(MINE)
    assert answer.status_code == 303
    assert "/sign-in" in answer.location
