"""*Send Message* (X7): to the support's own address, 500 characters, limited, and text wherever it is shown."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.audit.models import AuditEvent
from idp.messaging import service as messaging
from idp.messaging.render import render_mail
from tests.attacks.strings import POLYGLOTS, SEEDED
from tests.authenticators.browsing import post_form
from tests.factories import Make

pytestmark = pytest.mark.both
PATH = "/help/ozark-secure/message"
LINK = {"label": {"en": "Send Message", "es": "Enviar un mensaje"}, "message": True, "place": "sign_in"}
ASKED = {"name": "June Harwood", "email": "june@harwood.test", "message": "Where do I find my PIN letter?"}


@pytest.fixture(autouse=True)
def portal(make: Make) -> None:
    make.client("ozark-secure", links=[LINK], help={"phone": "555-0100", "email": "support@payer.test"})


def send(client: FlaskClient, **typed: Any) -> TestResponse:
    return post_form(client, client.get(PATH), "message-form", **ASKED | typed)


def owed(make: Make) -> list[messaging.OutboxMessage]:
    return [row for row in make.rows(messaging.OutboxMessage) if row.notice == "support_message"]


def test_X7_a_message_is_owed_to_the_portals_support_and_nobody_else(client: FlaskClient, make: Make) -> None:
    answer = send(client)
    assert (answer.status_code, answer.location) == (303, f"{PATH}/sent")
    assert 'id="message-sent"' in client.get(answer.location).text
    (row,) = make.rows(messaging.OutboxMessage)
    payload = messaging.opened(row).payload
    assert payload.recipient.email == "support@payer.test" and payload.context["message"] == ASKED["message"]
    assert [(each.type, each.outcome) for each in make.rows(AuditEvent)] == [("support_message_sent", "ok")]
    assert "harwood" not in repr([vars(each) for each in make.rows(AuditEvent)]), "the audit keeps who, not what"


def test_X7_500_characters_count_a_line_end_once(client: FlaskClient, make: Make) -> None:
    assert send(client, message="\r\n".join("a" * 250)[:998] + "b").status_code == 303
    long = send(client, message="x" * 501)
    assert long.status_code == 422 and 'id="message-error"' in long.text
    assert len(owed(make)) == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"name": ""}, "name"), ({"email": "june@@x"}, "email"), ({"email": "a@b.test\r\nBcc: c@d.test"}, None), ({"message": "  "}, "message")],
)  # fmt: skip
def test_EN_09_what_does_not_fit_is_told_beside_its_field(
    client: FlaskClient, make: Make, typed: dict[str, str], field: str | None
) -> None:
    page = send(client, **typed)
    assert page.status_code in {400, 422} and owed(make) == []
    assert field is None or f'id="{field}-error"' in page.text


def test_all_that_is_wrong_is_told_at_once(client: FlaskClient) -> None:
    page = send(client, name="", email="no", message="")
    assert page.status_code == 422
    assert all(f'id="{field}-error"' in page.text for field in ("name", "email", "message"))


def test_AD_06_unknown_fields_are_400(client: FlaskClient, make: Make) -> None:
    assert send(client, to="victim@harwood.test").status_code == 400
    assert owed(make) == []


def test_EN_16_one_address_sends_five_an_hour(client: FlaskClient, make: Make) -> None:
    answers = [send(client).status_code for _ in range(7)]
    assert answers == [303] * 5 + [422] * 2 and len(owed(make)) == 5
    assert [each.outcome for each in make.rows(AuditEvent)].count("too_many") == 2


@pytest.mark.parametrize("links", [[], [{"label": LINK["label"], "url": "/help", "place": "footer"}]])
def test_X7_a_portal_that_offers_no_such_page_has_none(client: FlaskClient, make: Make, links: list[Any]) -> None:
    make.client("cascade-mmis", links=links, help={"phone": "555-0100", "email": "support@payer.test"})
    for path in ("/help/cascade-mmis/message", "/help/cascade-mmis/message/sent", "/help/nobody/message"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("evil", POLYGLOTS)
def test_AD_15_EN_18_a_message_is_text_and_leads_nowhere(
    app: Flask, client: FlaskClient, make: Make, now: datetime, evil: str
) -> None:
    page = send(client, message=evil, email="no")
    assert page.status_code == 422 and (evil not in page.text or evil not in SEEDED)
    assert send(client, message=evil).status_code == 303
    payload = messaging.opened(owed(make)[0]).payload
    mail = render_mail(payload, notice="support_message", happened_at=now, now=now)
    assert "<script>alert" not in mail.html and "<img" not in mail.html and "<svg" not in mail.html
    assert "//evil.test" not in mail.text and "evil.test/" not in mail.text
