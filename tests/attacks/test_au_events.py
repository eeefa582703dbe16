# ruff: noqa: F811 - fixtures are imported, and asked for by name
"""AU at work: which event an attack leaves, what it says, and who is told (SECURITY §4, area AU)."""

from collections.abc import Callable
from datetime import UTC, timedelta

import pytest

from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.messaging.models import OutboxMessage
from tests.attacks import invariants
from tests.attacks.scene import BASIC, PORTAL, SESSION, Scene, scene  # noqa: F401 - a fixture
from tests.authenticators.browsing import post_form

pytestmark = pytest.mark.both


def replay_code(scene: Scene) -> None:
    code = scene.sign_in_at(scene.browser())
    assert [scene.exchange(code).status_code for _ in range(2)] == [200, 400]


def replay_refresh(scene: Scene) -> None:
    token = scene.exchange(scene.sign_in_at(scene.browser())).get_json()["refresh_token"]
    assert [scene.refresh(token).status_code for _ in range(2)] == [200, 400]


def wrong_password(scene: Scene) -> None:
    browser = scene.browser()
    post_form(browser, scene.open(browser), "login-form", username="rosa.delgado", password="CNRY-wrong-password")


def unknown_person(scene: Scene) -> None:
    browser = scene.browser()
    post_form(browser, scene.open(browser), "login-form", username="nobody.here", password="CNRY-wrong-password")


def wrong_client_secret(scene: Scene) -> None:
    body = {"grant_type": "client_credentials"}
    answer = scene.browser().post(
        "/oauth/token", data=body, headers={"Authorization": BASIC["Authorization"][:-6] + "AAAA=="}
    )
    assert answer.status_code == 401


def ask_for_a_reset(scene: Scene) -> None:
    browser = scene.browser()
    post_form(browser, browser.get("/sign-in/forgot-password"), None, username="nobody.here")


ATTACKS: dict[str, tuple[Callable[[Scene], None], Event]] = {
    "TK-01": (replay_code, Event.CODE_REPLAYED),
    "TK-26": (replay_refresh, Event.REFRESH_REPLAYED),
    "SI-01": (wrong_password, Event.SIGN_IN_REFUSED),
    "SI-01 unknown": (unknown_person, Event.SIGN_IN_REFUSED),
    "TK-14": (wrong_client_secret, Event.CLIENT_AUTHENTICATION_REFUSED),
    "RC-14": (ask_for_a_reset, Event.PASSWORD_RESET_ASKED),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_AU_04_each_refused_attack_leaves_its_event_once(scene: Scene, attack: str) -> None:
    act, expected = ATTACKS[attack]
    act(scene)
    assert [kind for kind, _ in invariants.events_of()].count(expected.value) == 1
    invariants.hold()


def test_AU_06_an_event_says_who_where_and_in_which_session_and_no_secret(scene: Scene) -> None:
    browser = scene.browser("192.0.2.77")
    code = scene.sign_in_at(browser)
    scene.exchange(code)
    cookie = browser.cookie(SESSION)
    rows = {row.type: row for row in scene.make.rows(AuditEvent)}
    assert rows["signed_in"].subject_id == rows["grant_made"].subject_id == scene.rosa.id
    assert rows["signed_in"].address == "192.0.2.77"
    assert rows["grant_made"].client_id == rows["code_redeemed"].client_id == PORTAL
    assert rows["code_redeemed"].actor == f"client:{PORTAL}"
    assert all(row.request_id for row in rows.values())
    shown = " ".join(str(vars(row)) for row in rows.values())
    invariants.keeps_secret(shown, [code, str(cookie), "970000001", "Delgado", "mail.test"])


def test_AU_10_the_person_is_told_of_a_reuse(scene: Scene) -> None:
    replay_refresh(scene)
    assert [row.subject_id for row in scene.make.rows(OutboxMessage)] == [scene.rosa.id]


def test_AU_11_the_chain_is_ordered_by_number_and_not_by_a_clock_that_steps_back(scene: Scene, hands) -> None:
    for step in (timedelta(0), timedelta(hours=-1), timedelta(minutes=30), timedelta(seconds=-90)):
        hands.now += step
        wrong_password(scene)
    rows = sorted(scene.make.rows(AuditEvent), key=lambda row: (row.stream, row.sequence))
    assert all(row.at.tzinfo is UTC for row in rows)
    assert [row.sequence for row in rows if row.stream == rows[0].stream] == list(range(1, len(rows) + 1))
    invariants.hold()
