"""The dispatcher in a browser: steps cannot be skipped, tabs and clients do not mix, own pages are ours (D2, SI-14)."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.authenticators.password.models import PasswordCredential
from idp.foundation.database import writing
from idp.sessions.models import BrowserSession, LogoutDelivery, Transaction
from idp.subjects.models import Subject
from tests.conftest import Hands
from tests.factories import Make
from tests.sign_in.visiting import SESSION, ask, come, enter, force, send, step_of, token_in, txn_of, walk

Browsers = Callable[[], FlaskClient]
STEPS = ("identify", "password", "change-password", "agreement", "choose", "cannot-act", "consent")
POSTS = {
    "identify": {"username": "rosa.delgado"},
    "change-password": {"new_password": "x" * 20, "repeat_password": "x" * 20},
    "agreement": {"accept": "yes", "shown": "terms-1"},
    "choose": {"choice": "x"},
    "cannot-act": {},
    "consent": {"answer": "allow"},
}


@pytest.fixture
def rosa(make: Make) -> Subject:
    """May act for two providers, so that *choose* is asked."""
    make.client()
    make.client("app", partner=True, registration={"roles_of": "ozark-secure"})
    rosa = make.subject("rosa.delgado")
    for name in ("ALDER", "BIRCH"):
        provider = make.provider(registry_name="ozark", legal_name=name, name_key=name.casefold())
        make.affiliation(rosa, provider, registry="ozark", levels=(("ozark-secure", "admin"),))
    return rosa


def test_resume_leads_to_the_step_that_is_next(client: FlaskClient, rosa: Subject) -> None:
    page = ask(client)
    assert step_of(page) == "password"
    again = walk(client, client.get(f"/sign-in/{txn_of(page)}"))
    assert step_of(again) == "password"


@pytest.mark.parametrize("step", STEPS)
def test_D2_typing_a_steps_address_leads_back_to_the_step_that_is_next(
    client: FlaskClient, rosa: Subject, step: str
) -> None:
    page = ask(client)
    assert step_of(walk(client, client.get(f"/sign-in/{txn_of(page)}/{step}"))) == "password"
    chooses = enter(client, page, "rosa.delgado")
    assert step_of(chooses) == "choose"
    assert step_of(walk(client, client.get(f"/sign-in/{txn_of(page)}/{step}"))) == "choose"


@pytest.mark.parametrize("step", POSTS)
def test_D2_posting_to_a_step_that_is_not_next_does_nothing(
    client: FlaskClient, make: Make, rosa: Subject, step: str
) -> None:
    page = ask(client)
    before = _row(make, txn_of(page))
    answer = force(client, page, f"/sign-in/{txn_of(page)}/{step}", **POSTS[step])
    assert step_of(walk(client, answer)) == "password"
    assert _row(make, txn_of(page)) == before


@pytest.mark.parametrize("step", ["consent", "agreement", "cannot-act", "change-password", "identify"])
def test_D2_signed_in_a_later_step_is_not_reached_by_posting(
    client: FlaskClient, make: Make, rosa: Subject, step: str
) -> None:
    page = come(client)
    before = _row(make, txn_of(page))
    answer = force(client, page, f"/sign-in/{txn_of(page)}/{step}", **POSTS[step])
    assert step_of(walk(client, answer)) == "choose"
    assert _row(make, txn_of(page)) == before


def _row(make: Make, txn: str) -> dict[str, object]:
    (row,) = [row for row in make.rows(Transaction) if str(row.id) == txn]
    return {name: getattr(row, name) for name in Transaction.__table__.columns.keys()}  # noqa: SIM118


@pytest.mark.both
def test_AZ_35_two_tabs_and_two_clients_each_get_their_own_answer(client: FlaskClient, rosa: Subject) -> None:
    portal, app = ask(client), ask(client, "app", state="other")
    assert txn_of(portal) != txn_of(app)
    chooses = enter(client, portal, "rosa.delgado")
    consents = send(client, walk(client, client.get(f"/sign-in/{txn_of(app)}")), "choose-form", choice=_first(chooses))
    assert step_of(consents) == "consent"
    there = send(client, chooses, "choose-form", choice=_first(chooses))
    assert there.location.startswith("https://ozark-secure.test/callback?code=")
    assert "state=s&" in there.location
    back = send(client, consents, "consent-form", answer="allow")
    assert back.location.startswith("https://app.test/callback?code=")
    assert "state=other&" in back.location


def _first(page: object) -> str:
    text: str = page.text  # type: ignore[attr-defined]
    return text.split('name="choice" value="', 1)[1].split('"', 1)[0]


def test_AZ_35_another_browser_cannot_finish_it(client: FlaskClient, new_browser: Browsers, rosa: Subject) -> None:
    page = ask(client)
    for path in ("", "/password", "/choose"):
        stranger = walk(new_browser(), new_browser().get(f"/sign-in/{txn_of(page)}{path}"))
        assert stranger.status_code >= 400
        assert "Rosa" not in stranger.text


def test_a_finished_request_gives_no_second_code(client: FlaskClient, rosa: Subject) -> None:
    chooses = come(client)
    assert step_of(send(client, chooses, "choose-form", choice=_first(chooses))) == "code"
    again = walk(client, client.get(f"/sign-in/{txn_of(chooses)}"))
    assert again.status_code in {400, 409, 410}
    assert 'id="error"' in again.text


def test_a_session_that_ended_in_between_signs_in_again_and_goes_on(
    client: FlaskClient, make: Make, rosa: Subject, now: datetime
) -> None:
    chooses = come(client)
    with writing() as tx:
        tx.execute(update(BrowserSession).values(ended_at=now))
    again = send(client, chooses, "choose-form", choice=_first(chooses))
    assert step_of(again) == "password"
    chooses = enter(client, again, "rosa.delgado")
    assert step_of(send(client, chooses, "choose-form", choice=_first(chooses))) == "code"


def test_RA_09_a_session_that_ended_before_the_answer_gets_no_code(
    client: FlaskClient, rosa: Subject, now: datetime
) -> None:
    chooses = come(client)
    answered = force(client, chooses, f"/sign-in/{txn_of(chooses)}/choose", choice=_first(chooses))
    assert answered.status_code == 303
    with writing() as tx:
        tx.execute(update(BrowserSession).values(ended_at=now))
    assert step_of(walk(client, client.get(f"/oauth/authorize/{txn_of(chooses)}"))) == "password"


def test_what_one_person_settled_does_not_count_for_the_next(
    client: FlaskClient, make: Make, rosa: Subject, now: datetime
) -> None:
    """Rosa consents; her session ends before the answer; Ines signs in in the same tab and is asked herself."""
    ines = make.subject("ines.okoro")
    provider = make.provider(registry_name="ozark")
    make.affiliation(ines, provider, registry="ozark", levels=(("ozark-secure", "admin"),))
    chooses = come(client, client_id="app")
    consents = send(client, chooses, "choose-form", choice=_first(chooses))
    assert force(client, consents, f"/sign-in/{txn_of(consents)}/consent", answer="allow").status_code == 303
    with writing() as tx:
        tx.execute(update(BrowserSession).values(ended_at=now))
    again = walk(client, client.get(f"/sign-in/{txn_of(consents)}"))
    assert step_of(again) == "password"
    assert step_of(enter(client, again, "ines.okoro")) == "consent"


def test_an_hour_later_the_page_says_so(client: FlaskClient, hands: Hands, rosa: Subject) -> None:
    page = ask(client)
    hands.forward(minutes=61)
    late = walk(client, client.get(f"/sign-in/{txn_of(page)}"))
    assert late.status_code >= 400
    assert 'id="error"' in late.text


def test_MODEL_4_a_temporary_password_is_changed_before_anything_else(
    client: FlaskClient, make: Make, rosa: Subject
) -> None:
    with writing() as tx:
        tx.execute(update(PasswordCredential).values(must_change=True))
    page = come(client)
    assert step_of(page) == "change-password"
    changed = send(client, page, "change-form" if 'id="change-form"' in page.text else None,
                   new_password="another-walnut-4411", repeat_password="another-walnut-4411")  # fmt: skip
    assert step_of(changed) == "choose"


def test_an_own_page_is_where_its_sign_in_ends(client: FlaskClient, rosa: Subject) -> None:
    page = walk(client, client.get("/sign-in?to=account.sessions"))
    assert step_of(page) == "password"
    assert enter(client, page, "rosa.delgado").request.path == "/account/sessions"
    assert walk(client, client.get("/sign-in")).request.path == "/account/"


@pytest.mark.parametrize(
    "to",
    ["//evil.test", "///evil.test", "/\\evil.test", "https:evil.test", "\x01//evil", "/%09/evil", "javascript:alert(1)",
     "oidc.authorize", "affiliations.choose", "password.password", "consent.consented", "static", "health.healthz", "", "x"],
)  # fmt: skip
def test_SI_14_nothing_but_an_own_page_can_be_named(client: FlaskClient, rosa: Subject, to: str) -> None:
    answer = client.get("/sign-in", query_string={"to": to})
    assert answer.status_code == 404


def test_the_language_is_the_clients_wish_and_then_the_persons_choice(client: FlaskClient, rosa: Subject) -> None:
    page = ask(client, ui_locales="es")
    assert '<html lang="es' in page.text
    assert '<html lang="en' in ask(client, ui_locales="../../x").text


def test_not_you_asks_first_and_a_GET_ends_nothing(client: FlaskClient, make: Make, rosa: Subject) -> None:
    make.subject("ines.okoro", given_name="Ines", family_name="Okoro")
    chooses = come(client)
    assert f"/sign-in/{txn_of(chooses)}/not-you" in chooses.text
    asks = client.get(f"/sign-in/{txn_of(chooses)}/not-you")
    assert asks.status_code == 200
    assert "Rosa Delgado" in asks.text
    assert make.rows(BrowserSession)[0].ended_at is None
    again = send(client, asks, "not-you-form")
    assert step_of(again) == "password"
    assert make.rows(BrowserSession)[0].ended_reason == "signed_out"
    assert client.get_cookie(SESSION, domain="credence.test") is None
    assert step_of(enter(client, again, "ines.okoro")) == "cannot-act"


def test_not_you_tells_the_portals_of_the_former(client: FlaskClient, make: Make, rosa: Subject) -> None:
    chooses = come(client)
    send(client, chooses, "choose-form", choice=_first(chooses))
    other = ask(client, prompt="select_account")
    asks = client.get(f"/sign-in/{txn_of(other)}/not-you")
    send(client, asks, "not-you-form")
    assert [row.client_id for row in make.rows(LogoutDelivery)] == ["ozark-secure"]


def test_SI_12_a_session_cookie_planted_before_is_not_taken_over(client: FlaskClient, rosa: Subject) -> None:
    planted = "A" * 43
    client.set_cookie(SESSION, planted, domain="credence.test", path="/", secure=True)
    come(client)
    kept = client.get_cookie(SESSION, domain="credence.test")
    assert kept is not None
    assert kept.value != planted


@pytest.mark.parametrize(
    "header",
    ["={name}={value}", "{name}=A; {name}={value}", "{name}={value}; {name}=A", "x{name}={value}", "{lower}={value}", '{name}="{value}x"', "{name}={value}%00"],
)  # fmt: skip
def test_SE_02_SE_12_tossed_doubled_and_nameless_cookies_are_nobody(
    app: Flask, client: FlaskClient, new_browser: Browsers, rosa: Subject, header: str
) -> None:
    come(client)
    kept = client.get_cookie(SESSION, domain="credence.test")
    assert kept is not None
    sent = header.format(name=SESSION, value=kept.value, lower=SESSION.lower())
    answer = new_browser().get("/account/", headers={"Cookie": sent})
    assert answer.status_code == 303, sent
    bare = app.test_client(use_cookies=False)
    assert bare.get("/account/", headers={"Cookie": sent}).status_code == 303, sent
    assert bare.get("/account/", headers={"Cookie": f"{SESSION}={kept.value}"}).status_code == 200


def test_SE_12_a_flipped_bit_is_nobody(app: Flask, client: FlaskClient, rosa: Subject) -> None:
    come(client)
    kept = client.get_cookie(SESSION, domain="credence.test")
    assert kept is not None
    bare = app.test_client(use_cookies=False)
    for place in range(0, 43, 7):
        flipped = kept.value[:place] + ("A" if kept.value[place] != "A" else "B") + kept.value[place + 1 :]
        assert bare.get("/account/", headers={"Cookie": f"{SESSION}={flipped}"}).status_code == 303


def test_the_token_of_a_page_is_this_browsers(client: FlaskClient, new_browser: Browsers, rosa: Subject) -> None:
    mine, other = ask(client), ask(new_browser())
    answer = client.post(
        f"/sign-in/{txn_of(mine)}/password", data={"csrf_token": token_in(other), "username": "x", "password": "y"}
    )
    assert answer.status_code == 403
