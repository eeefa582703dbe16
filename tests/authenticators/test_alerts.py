"""New browsers and failed factors are told, with a link that ends what is not theirs (MF-04; ASVS 6.3.5; X5)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete

from idp.audit.models import AuditEvent
from idp.authenticators.alerts import service as alerts
from idp.authenticators.alerts.rules import Seen, is_new
from idp.authenticators.password.models import PasswordCredential
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession
from idp.subjects.models import Subject
from tests.authenticators.browsing import post_form
from tests.authenticators.second_factors import code_of, type_code
from tests.authenticators.test_remembered_devices import person, remember
from tests.conftest import Hands
from tests.factories import Make
from tests.sign_in.visiting import ask, come, step_of

pytestmark = pytest.mark.both
HERE = Seen(b"cookie", "Firefox", "203.0.113.7")


@pytest.fixture
def rosa(make: Make) -> tuple[Subject, str]:
    """Somebody with an app, at a portal."""
    make.client("ozark-secure")
    return person(make, "rosa.delgado")


def told(make: Make, notice: str) -> list[dict[str, Any]]:
    return [dict(messaging.opened(row).payload.context) for row in make.rows(OutboxMessage) if row.notice == notice]


def enter(client: FlaskClient, secret: str, hands: Hands) -> None:
    assert step_of(type_code(client, come(client), code_of(secret, hands.now))) == "code"
    hands.forward(minutes=1)


def link_path(context: dict[str, Any]) -> str:
    return str(context["url"]).removeprefix("https://credence.test")


def test_a_new_browser_is_told_and_the_first_and_the_known_are_not(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    enter(client, rosa[1], hands)
    assert told(make, "new_sign_in") == []
    stranger = new_browser()
    stranger.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    enter(stranger, rosa[1], hands)
    (context,) = told(make, "new_sign_in")
    assert "Firefox" in context["browser"]


@pytest.mark.parametrize(("here", "expected"), [
    (HERE, False),
    (Seen(b"other", "Firefox", "203.0.113.7"), False),
    (Seen(b"cookie", "Chrome", "198.51.100.1"), False),
    (Seen(b"other", "Chrome", "203.0.113.7"), True),
    (Seen(b"other", "Firefox", "198.51.100.1"), True),
])  # fmt: skip
def test_a_browser_is_known_by_its_cookie_or_by_how_and_whence_it_comes(here: Seen, expected: bool) -> None:
    assert is_new(here, before=[HERE]) is expected
    assert is_new(here, before=[]) is False


def test_one_sign_in_like_it_is_enough_however_many_others_there_were(make: Make, now: datetime) -> None:
    rosa = make.subject("rosa.delgado")
    looks: list[tuple[bytes, str, str]] = [(bytes([number]) * 32, "Opera", "192.0.2.1") for number in range(3)]
    origin = Origin("203.0.113.7", "request", "Firefox", None)
    tried = [
        (b"h" * 32, "Chrome", "198.51.100.1"),
        (b"o" * 32, "Firefox", "203.0.113.7"),
        (b"o" * 32, "Firefox", "192.0.2.9"),
    ]
    for alike, news in zip(tried, (0, 0, 1), strict=True):
        for age, (browser, agent, address) in enumerate([*looks, alike]):
            seen = now - timedelta(days=age + 1)
            make.session(rosa, browser_digest=browser, user_agent=agent, address=address, created_at=seen)
        with writing() as tx:
            alerts.sign_in_seen(
                tx, subject_id=rosa.id, party=None, browser_digest=b"h" * 32, now=now, origin=origin
            )  # fmt: skip
            tx.execute(delete(BrowserSession))
        assert len(told(make, "new_sign_in")) == news


def test_MF_04_the_third_wrong_code_is_told_and_the_next_ones_are_not(
    client: FlaskClient, new_browser: Any, make: Make, rosa: Any
) -> None:
    page = come(client)
    for number in range(1, 6):
        page = type_code(client, page, "000000")
        assert len(told(make, "factor_failed")) == (1 if number >= 3 else 0)
    other = new_browser()
    page = come(other)
    for _ in range(4):
        page = type_code(other, page, "000000")
    assert len(told(make, "factor_failed")) == 1


def test_RC_09_opening_the_link_changes_nothing(client: FlaskClient, make: Make, rosa: Any) -> None:
    page = come(client)
    for _ in range(3):
        page = type_code(client, page, "000000")
    path = link_path(told(make, "factor_failed")[0])
    before = make.row(Subject, rosa[0].id).epoch
    for _ in range(3):
        assert client.get(path).status_code == 200
    assert make.row(Subject, rosa[0].id).epoch == before


def test_this_was_not_me_ends_everything_and_leaves_only_a_reset(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    remember(client, rosa[1], hands)
    thief = new_browser()
    enter(thief, rosa[1], hands)
    page = come(new_browser_page := new_browser())
    for _ in range(3):
        page = type_code(new_browser_page, page, "000000")
    path = link_path(told(make, "factor_failed")[0])
    mine = new_browser()
    done = post_form(mine, mine.get(path), "not-me-form")
    assert done.status_code == 200
    assert all(row.ended_at is not None for row in make.rows(BrowserSession))
    assert make.rows(RememberedDevice) == []
    assert make.row(PasswordCredential, rosa[0].id).digest == "!"
    assert thief.get("/account/").status_code == 303
    asked = ask(mine)
    refused = post_form(mine, asked, "login-form", username="rosa.delgado", password="kettle-orbit-walnut-42")
    assert refused.status_code == 422
    assert len(told(make, "password_reset")) == 1
    assert "disowned" in {each.type for each in make.rows(AuditEvent)}
    assert mine.get(path).status_code == 410
    assert post_form(mine, asked, "login-form", username="rosa.delgado", password="!").status_code == 422


def test_RC_10_the_reset_that_follows_keeps_the_factor(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    page = come(client)
    for _ in range(3):
        page = type_code(client, page, "000000")
    post_form(client, client.get(link_path(told(make, "factor_failed")[0])), "not-me-form")
    reset = client.get(link_path(told(make, "password_reset")[0]))
    new = "Orbit-walnut-kettle-77"
    post_form(client, reset, None, new_password=new, repeat_password=new)
    page = post_form(client, ask(client), "login-form", username="rosa.delgado", password=new)
    while page.status_code in {302, 303}:
        page = client.get(page.location)
    assert step_of(page) == "totp"


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "%00", "[]"])
def test_RC_03_a_link_that_nobody_was_sent_is_none(client: FlaskClient, token: str) -> None:
    assert client.get("/sign-in/not-me", query_string={"token": token}).status_code in {400, 410}
