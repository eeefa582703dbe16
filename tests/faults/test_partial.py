"""A part is out (R-16, R-22, R-36): the rest goes on, nothing is skipped for its sake, and it comes back by itself."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from idp.audit import service as audit
from idp.foundation import outage
from idp.foundation.database import db, reading, see_as, writing
from idp.messaging.models import OutboxMessage
from idp.messaging.rules import Reason, Undelivered
from idp.relying_parties import service as relying_parties
from idp.relying_parties import stored
from idp.relying_parties.models import Client
from idp.sessions.models import BrowserSession
from idp.vocabulary.assurance import Factor
from idp.worker.service import send_next
from tests.authenticators.browsing import press
from tests.authenticators.second_factors import code_of, type_code
from tests.authenticators.test_sent_codes import ALL, phone
from tests.conftest import Browser, Hands
from tests.factories import Make
from tests.factories.manifests import manifest
from tests.sign_in.visiting import come, step_of, walk

VISITS = 400
"""More parked sign-ins than find room in the pages that are there."""


class Away:
    """A gateway that nobody reaches."""

    def deliver(self, owed: Any, *, now: datetime) -> Undelivered:
        return Undelivered(Reason.TRY_LATER, "gateway away")


@pytest.mark.both
def test_R_16_without_the_sms_gateway_the_other_ways_stand_open_and_none_is_skipped(
    client: FlaskClient, make: Make
) -> None:
    rosa = make.subject(user_id="rosa.delgado")
    make.client("ozark-secure", mfa=ALL)
    make.affiliation(rosa, make.provider(registry_name="ozark"), levels=(("ozark-secure", "admin"),))
    phone(make, rosa)
    _, secret = make.totp(rosa)
    page = come(client)
    txn = page.request.path.rsplit("/second-factor", 1)[0]
    sms = client.get(f"{txn}/second-factor/{Factor.SMS}")
    walk(client, press(client, sms, sms.request.path + "/send"))
    assert send_next(Away(), read_clock=lambda: make.now) == 1
    (message,) = make.rows(OutboxMessage)
    assert (message.outcome, message.attempts) == (None, 1), "it is asked again later"
    assert step_of(walk(client, client.get(f"{txn}/resume"))) != "code"
    assert make.rows(BrowserSession) == []
    assert f"{txn}/second-factor/{Factor.TOTP}" in client.get(f"{txn}/second-factor/ways").text
    app = client.get(f"{txn}/second-factor/{Factor.TOTP}")
    assert step_of(type_code(client, app, code_of(secret, make.now))) == "code"


@pytest.mark.both
def test_R_36_a_kind_taken_out_of_the_manifest_is_offered_no_more(new_browser: Any, make: Make, hands: Hands) -> None:
    rosa = make.subject(user_id="rosa.delgado")
    make.affiliation(rosa, make.provider(registry_name="ozark"), levels=(("ozark-secure", "admin"),))
    make.client("ozark-secure", mfa=ALL)
    assert "/set-up-mfa/email" in come(new_browser()).text
    with writing() as tx:
        row = tx.get_one(Client, "ozark-secure")
        row.manifest = stored.to_row(
            manifest("ozark-secure", mfa={"policy": "required", "kinds": ["totp"]}), client_id=row.client_id
        )
        row.version += 1
        relying_parties.changed(tx)
    hands.forward(seconds=1)
    page = come(new_browser())
    assert step_of(page) == "set-up-mfa"
    assert "/set-up-mfa/totp" in page.text
    assert "/set-up-mfa/email" not in page.text


def test_R_22_on_a_full_disk_it_says_503_keeps_its_audit_whole_and_recovers(
    house_app: Callable[..., Flask],
) -> None:
    app = house_app()
    app.test_client_class = Browser
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.testing = False
    with reading() as tx:
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()

    def full(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def visit(number: int = 0) -> Any:
        from_elsewhere = {"REMOTE_ADDR": f"198.51.{number // 250}.{number % 250}"}
        return app.test_client().get("/sign-in", environ_base=from_elsewhere)

    assert visit().status_code == 303
    event.listen(db.engine, "connect", full)
    db.engine.dispose()
    statuses = [(answer := visit(number)).status_code for number in range(VISITS)]
    assert set(statuses) == {303, 503}
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) == outage.RETRY_AFTER
    assert "sqlite" not in answer.text.lower()
    assert app.test_client().get("/healthz").status_code == 200
    with reading() as tx:
        see_as(tx, everything=True)
        assert audit.verify(tx) == []
    event.remove(db.engine, "connect", full)
    db.engine.dispose()
    assert visit().status_code == 303
