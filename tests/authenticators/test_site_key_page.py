"""The site key between user ID and password, and nowhere else (A6, RC-21)."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.authenticators.site_key import service
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from tests.attacks.strings import POLYGLOTS
from tests.authenticators.browsing import bare, follow, post_form
from tests.authenticators.conftest import Work
from tests.authenticators.test_password_views import await_step, park
from tests.conftest import ISSUER
from tests.factories import Make
from tests.factories.make import PASSWORD

PORTAL = "ozark-exchange"
ON: dict[str, Any] = {"identifier": "user_id", "username_first": True, "site_key": True}
ALT = re.compile(r'<img class="pic" src="([^"]+)" alt="Picture: ([^"]+)"')
PHRASE = re.compile(r'<q dir="auto">(.*?)</q>', re.DOTALL)


def give(make: Make, subject_id: str, picture: str, phrase: str) -> None:
    with writing() as tx:
        service.set_site_key(
            tx,
            subject_id=subject_id,
            picture=picture,
            phrase=phrase,
            now=make.now,
            actor=subject_id,
            origin=Origin.local("test"),
        )


def identify(client: FlaskClient, now: datetime, login: str) -> tuple[UUID, TestResponse]:
    """The answer to a user ID typed at the portal's first page."""
    txn = park(client, now, PORTAL)
    await_step(txn, "identify")
    answer = post_form(client, client.get(f"/sign-in/{txn}/identify"), "login-form", username=login)
    await_step(txn, "password")
    return txn, answer


def password_page(client: FlaskClient, now: datetime, login: str) -> TestResponse:
    txn, _ = identify(client, now, login)
    return client.get(f"/sign-in/{txn}/password")


@pytest.fixture
def portal(make: Make) -> None:
    make.client(PORTAL, sign_in=ON, help={"phone": "555-0100"})


@pytest.mark.both
@pytest.mark.usefixtures("portal")
def test_A6_the_persons_own_picture_and_phrase_stand_before_the_password(
    client: FlaskClient, make: Make, now: datetime
) -> None:
    give(make, make.subject("rosa.delgado").id, "balloon", "Morning over the river")
    page = password_page(client, now, "Rosa.Delgado")
    [(src, name)] = ALT.findall(page.text)
    assert name == "Balloon"
    assert PHRASE.findall(page.text) == ["Morning over the river"]
    assert page.text.index("site-key-title") < page.text.index('id="password"')
    assert "do not type your password; call 555-0100" in page.text
    picture = client.get(src)
    assert (picture.status_code, picture.mimetype) == (200, "image/svg+xml")
    assert "immutable" in picture.headers["Cache-Control"]
    assert "default-src 'none'" in picture.headers["Content-Security-Policy"]
    done = post_form(client, page, "login-form", password=PASSWORD)
    assert done.status_code == 303


@pytest.mark.usefixtures("portal")
def test_A6_it_stays_when_the_password_was_wrong(client: FlaskClient, make: Make, now: datetime) -> None:
    give(make, make.subject("rosa.delgado").id, "balloon", "Morning over the river")
    page = password_page(client, now, "rosa.delgado")
    refused = post_form(client, page, "login-form", password="wrong")
    assert refused.status_code == 422
    assert PHRASE.findall(refused.text) == PHRASE.findall(page.text)


def forms(page: TestResponse, login: str) -> str:
    """The page without what any two people's pages differ in."""
    without = re.sub(r"site_keys/[a-z_]+\.svg\?v=[0-9a-f]+|Picture: [A-Za-z ]+", "", bare(page, login))
    return PHRASE.sub("", without)


@pytest.mark.both
@pytest.mark.usefixtures("portal")
def test_G5_chosen_none_and_nobody_get_the_same_page(
    client: FlaskClient, make: Make, now: datetime, work: Work
) -> None:
    give(make, make.subject("rosa.delgado").id, "balloon", "Morning over the river")
    make.subject("without.one")
    make.subject("shut.out", status="disabled")
    seen = {}
    for login in ("rosa.delgado", "without.one", "shut.out", "nobody.here"):
        txn, answer = identify(client, now, login)
        page = client.get(f"/sign-in/{txn}/password")
        cost = work.of(lambda txn=txn: client.get(f"/sign-in/{txn}/password"))
        headers = {
            name: value for name, value in page.headers.items() if name not in {"Content-Length", "X-Request-ID"}
        }
        seen[login] = (answer.status_code, page.status_code, str(headers), forms(page, login), cost)
        assert len(ALT.findall(page.text)) == len(PHRASE.findall(page.text)) == 1
    for login, one in seen.items():
        assert one == seen["rosa.delgado"], login


@pytest.mark.usefixtures("portal")
def test_G5_a_decoy_is_the_same_in_every_browser_and_spelling(new_browser, now: datetime) -> None:
    pages = [password_page(new_browser(), now, login) for login in ("nobody.here", "NOBODY.here ", "nobody.here")]
    assert len({(ALT.findall(page.text)[0], PHRASE.findall(page.text)[0]) for page in pages}) == 1


@pytest.mark.usefixtures("portal")
def test_ruling_6_an_e_mail_address_is_not_confirmed_by_a_picture(
    client: FlaskClient, make: Make, now: datetime
) -> None:
    make.subject("rosa.delgado")
    answers = [identify(client, now, login)[1] for login in ("rosa.delgado@mail.test", "nobody@mail.test")]
    assert {answer.status_code for answer in answers} == {422}
    assert all("Enter your user ID, not your e-mail address." in answer.text for answer in answers)


@pytest.mark.usefixtures("portal")
def test_AD_15_a_phrase_is_text(client: FlaskClient, make: Make, now: datetime) -> None:
    rosa = make.subject("rosa.delgado")
    txn, _ = identify(client, now, "rosa.delgado")
    for phrase in (each for each in POLYGLOTS if len(each) <= 60 and each.isprintable()):
        give(make, rosa.id, "balloon", phrase)
        page = client.get(f"/sign-in/{txn}/password")
        [shown] = PHRASE.findall(page.text)
        assert not re.search(r"[<>\"']", shown), phrase
        assert "alert(1)</script>" not in page.text


@pytest.mark.parametrize("off", [{"username_first": True}, {}])
def test_RC_21_a_portal_that_has_it_off_shows_nothing_of_it(
    client: FlaskClient, make: Make, now: datetime, work: Work, off: dict[str, Any]
) -> None:
    make.client(PORTAL, sign_in=off)
    give(make, make.subject("rosa.delgado").id, "balloon", "Morning over the river")
    txn = park(client, now, PORTAL)
    if off:
        await_step(txn, "identify")
        post_form(client, client.get(f"/sign-in/{txn}/identify"), "login-form", username="rosa.delgado")
    await_step(txn, "password")
    page = client.get(f"/sign-in/{txn}/password")
    assert page.status_code == 200
    assert not re.search(r"site.?key|Morning over|Balloon|passphrase", page.text, re.I)
    own = follow(client, client.get("/account/"))
    assert not re.search(r"site.?key|passphrase", own.text, re.I)


def test_RC_21_the_account_s_own_sign_in_has_no_page_of_it(client: FlaskClient, make: Make, now: datetime) -> None:
    make.client(PORTAL, sign_in=ON)
    txn = park(client, now, PORTAL)
    for path in (f"/sign-in/{txn}/site-key", "/sign-in/site-key", "/account/site-key", "/api/site-key"):
        assert client.get(path).status_code == 404
        assert client.post(path, data={}, headers={"Origin": ISSUER}).status_code == 404
