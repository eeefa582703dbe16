"""EN: registering, attacked. Each row of the catalogue by its id; what the steps' own tests prove is not repeated here."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.consent.models import AgreementAcceptance
from idp.subjects.models import Subject
from tests.authenticators.browsing import post_form
from tests.enrollment.worlds import ACCOUNT, follow, link_of, mailed, open_ceremony, portal, press, send
from tests.factories import Make
from tests.factories.make import PASSWORD

pytestmark = pytest.mark.both
Browsers = Callable[[], FlaskClient]

MALLORY = ACCOUNT | {"email": "mallory@attacker.test", "confirm_email": "mallory@attacker.test"}
VICTIM = ACCOUNT | {"email": "victim@harwood.test", "confirm_email": "victim@harwood.test"}


def back(browser: FlaskClient, page: TestResponse, slug: str) -> TestResponse:
    """The page of the same run with this address."""
    return browser.get(f"{page.request.path.rsplit('/', 1)[0]}/{slug}")


def test_EN_12_RC_19_the_link_of_one_mailbox_never_proves_another_typed_since(
    client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    """Trojan identifier: a link to my own mailbox, then the victim's address, for which no more mail is sent this hour."""
    portal(make, "create_account", "verify_email", "agreement", "confirmation")
    page = send(client, open_ceremony(client), **MALLORY)
    mine = link_of(make)
    for _ in range(5):
        other = new_browser()
        send(other, open_ceremony(other), **VICTIM)
    send(client, back(client, page, "create-account"), **VICTIM)
    assert len(mailed(make, "verify_email")) == 6, "the victim's address had its five"
    assert client.get(mine).status_code == 410
    assert make.rows(Subject) == []


def test_EN_12_RC_19_nor_while_another_page_stands_between(client: FlaskClient, make: Make) -> None:
    portal(make, "create_account", "agreement", "verify_email", "confirmation")
    page = send(client, send(client, open_ceremony(client), **MALLORY), agree="yes")
    mine = link_of(make)
    send(client, back(client, page, "create-account"), **VICTIM)
    assert len(mailed(make, "verify_email")) == 1, "the agreement is asked again first"
    assert client.get(mine).status_code == 410
    assert make.rows(Subject) == []


def test_EN_12_another_spelling_of_the_same_mailbox_keeps_its_link(client: FlaskClient, make: Make) -> None:
    portal(make, "create_account", "agreement", "verify_email", "confirmation")
    page = send(client, send(client, open_ceremony(client), **MALLORY), agree="yes")
    loud = {"email": "MALLORY@attacker.test", "confirm_email": "MALLORY@attacker.test"}
    send(client, back(client, page, "create-account"), **MALLORY | loud)
    assert client.get(link_of(make)).status_code == 200


def test_RC_19_an_agreement_that_somebody_else_checked_is_not_the_persons(
    client: FlaskClient, new_browser: Browsers, make: Make
) -> None:
    """A stranger prepares a registration for my address: what they agreed to is never recorded in my name."""
    portal(make, "create_account + agreement", "verify_email", "confirmation")
    known = make.subject("victim", email=VICTIM["email"])
    send(client, open_ceremony(client), **VICTIM, agree="yes")
    victim = new_browser()
    page = press(victim, link_of(make, "already_registered"))
    page = follow(victim, post_form(victim, page, "login-form", username="victim", password=PASSWORD))
    assert make.rows(AgreementAcceptance) == [] and 'name="agree"' in page.text
    send(victim, page, agree="yes")
    assert [row.subject_id for row in make.rows(AgreementAcceptance)] == [known.id]
