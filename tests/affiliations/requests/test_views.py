"""The requester's page: how it stands, taken back once, nothing by opening it (B5, B8, EN-18)."""

from datetime import timedelta
from typing import Any

import pytest

from idp.affiliations.requests.models import AccessRequest
from tests.affiliations.pins.posted import portal
from tests.affiliations.requests.asking import link_of, submit
from tests.attacks.strings import SEEDED
from tests.authenticators.browsing import press

PATH = "/access-request"


@pytest.fixture
def token(make: Any, now: Any) -> str:
    party, provider = portal(make), make.provider("100200300")
    submit(party, provider.id, now=now)
    return link_of(make)


def test_B5_the_link_shows_the_request_in_the_portal_s_name(client: Any, token: str) -> None:
    page = client.get(f"{PATH}?token={token}")
    assert page.status_code == 200
    assert "Waiting" in page.text
    assert "DELGADO, ROSA" in page.text
    assert "cascade-mmis of the tests" in page.text
    assert "June" not in page.text, "the link may have gone to a stranger's mailbox"


def test_B5_withdrawn_by_its_button_once(client: Any, make: Any, token: str) -> None:
    page = client.get(f"{PATH}?token={token}")
    done = press(client, page, PATH)
    assert done.status_code == 200
    assert "Withdrawn" in done.text
    assert press(client, page, PATH).status_code == 409
    assert [row.status for row in make.rows(AccessRequest)] == ["withdrawn"]


def test_B8_after_120_hours_the_page_says_denied_before_any_sweep(client: Any, hands: Any, token: str) -> None:
    page = client.get(f"{PATH}?token={token}")
    hands.forward(hours=120)
    late = client.get(f"{PATH}?token={token}")
    assert "Nobody answered in time" in late.text
    assert 'id="withdraw"' not in late.text
    assert press(client, page, PATH).status_code == 409


@pytest.mark.parametrize("sent", ["", "x", "x" * 43, "../" * 14 + "x", "é" * 43])
def test_a_link_that_is_none_says_nothing(client: Any, token: str, sent: str) -> None:
    assert client.get(PATH, query_string={"token": sent}).status_code in {400, 410}


def test_a_forged_or_padded_withdrawal_changes_nothing(client: Any, make: Any, token: str) -> None:
    page = client.get(f"{PATH}?token={token}")
    assert client.post(PATH, data={"token": token}).status_code == 403
    assert press(client, page, PATH, status="approved").status_code == 400
    assert [row.status for row in make.rows(AccessRequest)] == ["pending"]


@pytest.mark.parametrize("evil", SEEDED)
def test_AD_15_a_target_s_name_is_text(client: Any, make: Any, now: Any, evil: str) -> None:
    party, provider = portal(make), make.provider("100200300", legal_name=evil)
    submit(party, provider.id, now=now + timedelta(seconds=1))
    page = client.get(f"{PATH}?token={link_of(make)}")
    assert evil not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
