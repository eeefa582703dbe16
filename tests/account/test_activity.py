"""*Recent activity*: the person's own events in plain words, and nobody else's."""

import pytest
from flask.testing import FlaskClient

from idp.account.activity.words import DONE, FAILED
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from tests.authenticators.browsing import sign_in, signed_in
from tests.conftest import Hands
from tests.factories import Make

pytestmark = pytest.mark.both
TOLD_ELSEWHERE = {
    Event.ACCESS_REQUESTED, Event.ACCESS_REQUEST_WITHDRAWN, Event.ACCESS_REQUEST_REOPENED,
    Event.ACCESS_REQUEST_ESCALATED,
    Event.ACCESS_REQUEST_DECIDED, Event.INVITATION_SENT, Event.INVITATION_PRESENTED, Event.INVITATION_ACCEPTED,
    Event.INVITATION_VOIDED, Event.LETTER_REDEEMED, Event.ENROLLMENT_COMPLETED, Event.ENROLLMENT_BROUGHT,
    Event.ENROLLMENT_MAILED,
    Event.GRANT_MADE, Event.GRANT_REVOKED, Event.MESSAGE_DEAD,
}  # fmt: skip
"""My access, Connected apps and Messages tell these, or the access that came of them is told."""
PART_OF_ANOTHER = {
    Event.PASSWORD_PROVEN, Event.UPSTREAM_ARRIVED, Event.UPSTREAM_PROVEN, Event.UPSTREAM_SIGNED_OUT,
    Event.PUSH_PHONE_CAME, Event.FACTORS_SET_UP, Event.AFFILIATION_CHOSEN, Event.AGREEMENT_DECLINED,
    Event.CONSENT_DENIED, Event.CODE_REDEEMED, Event.CODE_REPLAYED, Event.TOKEN_REVOKED,
    Event.AUTHORIZATION_REFUSED, Event.LOGOUT_UNDELIVERABLE, Event.SUBJECT_CREATED, Event.ACCOUNT_WIPED,
    Event.MAILBOX_PROOF_ASKED, Event.MERGE_ASKED, Event.ENROLLMENT_REFUSED, Event.LETTER_CHECKED,
    Event.AFFILIATION_STANDS, Event.CLIENT_AUTHENTICATION_REFUSED,
}  # fmt: skip
"""A step inside something that is told, or that came to nothing; for a portal, not for the person."""
OF_OTHERS = {
    Event.REVIEW_OPENED, Event.REVIEW_SAID, Event.REVIEW_CONFIRMED, Event.REVIEW_CLOSED, Event.MEMBER_HELPED,
    Event.MEMBER_COMMENTED, Event.ENGAGEMENT_CHANGED, Event.ENGAGEMENT_STAFFED, Event.PEOPLE_EXPORTED,
    Event.PEOPLE_IMPORTED, Event.PERSON_LOOKED_FOR, Event.LETTERS_VOIDED, Event.DIRECTORY_IMPORTED,
    Event.REJECTS_EXPORTED, Event.TIN_LOOKED_FOR,
    Event.PROVIDER_CHANGED, Event.NPI_RECORD_CHANGED, Event.PIN_LETTER_ISSUED, Event.PRACTICE_CHANGED, Event.CLIENT_APPLIED,
    Event.CLIENT_SECRET_CREATED, Event.CONNECTION_APPLIED, Event.CLIENT_DISABLED, Event.CLIENT_ENABLED,
    Event.KEY_CREATED, Event.KEYS_ROTATED, Event.KEY_RETIRED, Event.EPOCH_BUMPED, Event.AUDIT_EXPORTED,
    Event.CONSOLE_REFUSED, Event.HELP_CASE_OPENED, Event.CALLER_CHECKED, Event.STAFF_ROLE_PROPOSED,
    Event.STAFF_ROLE_DECLINED, Event.MESSAGES_RETRIED, Event.TRADING_PARTNER_CHANGED, Event.SUPPORT_MESSAGE_SENT,
}  # fmt: skip
"""The payer's and the practices' own work."""


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


def test_AU_10_what_somebody_else_did_is_told_without_where_they_were(client: FlaskClient, make: Make) -> None:
    rosa, ines = make.subject("rosa.delgado"), make.subject("ines.ortega")
    with writing() as tx:
        for event, actor, address in (
            (Event.LEVELS_CHANGED, ines.id, "198.51.100.77"),
            (Event.SUBJECT_ENABLED, ines.id, "198.51.100.78"),
            (Event.PASSKEY_STOPPED, rosa.id, "198.51.100.79"),
            (Event.SIGN_IN_REFUSED, "anonymous", "198.51.100.80"),
        ):
            outcome = "ok" if event is not Event.SIGN_IN_REFUSED else "wrong_password"
            here = Origin(address, "request", "Firefox", None)
            audit.append(tx, event, now=make.now, actor=actor, origin=here, subject_id=rosa.id, outcome=outcome)
    page = signed_in(client, "rosa.delgado").get("/account/activity").text
    for sentence in ("Access levels were changed", "The account was enabled again", "A passkey was stopped"):
        assert sentence in page
    assert [f"198.51.100.{number}" in page for number in (77, 78, 79, 80)] == [False, False, True, True]


def test_every_event_is_told_or_is_not_for_a_reason() -> None:
    parts = [set(DONE) | set(FAILED), TOLD_ELSEWHERE, PART_OF_ANOTHER, OF_OTHERS]
    assert set().union(*parts) == set(Event)
    assert sum(map(len, parts)) == len(Event)


def test_every_sentence_is_said_of_one_event_only() -> None:
    said = [str(sentence) for sentence in (*DONE.values(), *FAILED.values())]
    assert len(set(said)) == len(said)
