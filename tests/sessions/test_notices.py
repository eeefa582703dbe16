"""Whom we write to, and as whom."""

from datetime import datetime

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.messaging.service import Owed
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from tests.factories import Make

URL = "https://credence.test/enroll/x"


def owed(tx: Session) -> Owed:
    return messaging.opened(tx.execute(select(OutboxMessage.__table__)).one())


def test_A8_a_registrant_without_an_account_is_written_to_in_the_portal_s_name(make: Make, tx: Session, now: datetime):
    make.client("ozark-exchange")
    party = relying_parties.find("ozark-exchange", now=now)
    notices.notify_address(
        tx, notice="verify_email", email="rosa@practice.test", name="", locale="es-US", zoneinfo="America/Denver",
        party=party, context={"url": URL, "button": None}, now=now,
    )  # fmt: skip
    found = owed(tx)
    assert found.subject_id is None
    assert found.payload.recipient.email == "rosa@practice.test"
    assert (found.payload.recipient.locale, found.payload.recipient.zoneinfo) == ("es-US", "America/Denver")
    assert found.payload.brand.client_id == "ozark-exchange"


def test_nobody_s_language_and_zone_are_the_house_s(app: Flask, tx: Session, now: datetime):
    notices.notify_address(
        tx, notice="already_registered", email="rosa@practice.test", name="", locale=None, zoneinfo=None,
        party=None, context={"url": URL}, now=now,
    )  # fmt: skip
    recipient = owed(tx).payload.recipient
    assert (recipient.locale, recipient.zoneinfo) == ("en", "America/Chicago")
    assert owed(tx).payload.brand.client_id is None
