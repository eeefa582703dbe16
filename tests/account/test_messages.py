"""*Messages* (D5): what was sent to this person, by what it was about, and to nobody else."""

from flask.testing import FlaskClient

from idp.account.messages.words import ABOUT
from idp.foundation.database import reading, writing
from idp.messaging.rules import NOTICES
from idp.sessions import notices
from idp.subjects import service as subjects
from tests.authenticators.browsing import signed_in
from tests.factories import Make

NOT_TO_AN_ACCOUNT = {
    "account_closed",
    "confirm_email",
    "contact_restored",
    "verify_email",
    "already_registered",
    "support_message",
    "pin_letters_void",
}
"""Written to an address that has no account yet, or to the payer."""


def test_D5_a_person_sees_what_was_sent_to_them_and_to_nobody_else(client: FlaskClient, make: Make) -> None:
    for name in ("rosa.delgado", "tomas.varela"):
        subject = make.subject(name)
        with reading() as tx:
            known = subjects.by_id(tx, subject_id=subject.id)
        assert known is not None
        notice = "password_changed" if name == "rosa.delgado" else "access_ended"
        with writing() as tx:
            context = {"target": "Juniper Ridge", "url": "https://x.test/"}
            notices.notify(tx, notice=notice, subject=known, party=None, context=context, now=make.now)
    signed_in(client, "rosa.delgado")
    page = client.get("/account/messages")
    assert page.status_code == 200
    assert "Your password was changed" in page.text and "On its way" in page.text
    assert "Your access ended" not in page.text and "Juniper Ridge" not in page.text


def test_D5_without_messages_the_page_says_what_belongs_there(client: FlaskClient, make: Make) -> None:
    make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    page = client.get("/account/messages").text
    assert "No messages yet" in page or "A sign-in from a new browser" in page


def test_D5_every_notice_to_a_person_has_its_line() -> None:
    assert set(NOTICES) - NOT_TO_AN_ACCOUNT == set(ABOUT)
