"""*Recent activity*: the person's own events in plain words, and nobody else's."""

import pytest
from flask.testing import FlaskClient

from idp.account.activity.words import DONE, FAILED
from tests.authenticators.browsing import sign_in, signed_in
from tests.conftest import Hands
from tests.factories import Make

pytestmark = pytest.mark.both


def test_a_failed_and_a_good_sign_in_are_told_newest_first(client: FlaskClient, make: Make, hands: Hands) -> None:
    make.subject("rosa.delgado")
    sign_in(client, "rosa.delgado", "CNRY-wrong-password")
    hands.forward(minutes=1)
    page = signed_in(client, "rosa.delgado").get("/account/activity")
    assert page.status_code == 200
    assert page.text.index("You signed in") < page.text.index("A sign-in failed")
    assert "CNRY-wrong-password" not in page.text


def test_SE_04_nothing_of_anybody_else_is_told(client: FlaskClient, new_browser, make: Make) -> None:
    make.subject("rosa.delgado")
    make.subject("ines.ortega")
    sign_in(new_browser(), "ines.ortega", "CNRY-wrong-password")
    page = signed_in(client, "rosa.delgado").get("/account/activity")
    assert "A sign-in failed" not in page.text


def test_every_sentence_is_said_of_one_event_only() -> None:
    said = [str(sentence) for sentence in (*DONE.values(), *FAILED.values())]
    assert len(set(said)) == len(said)
