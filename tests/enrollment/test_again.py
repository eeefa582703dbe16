"""Somebody lost every factor: mail, a wait, the evidence of enrollment, and nothing but factors removed (RC-22)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.lost_factors import service
from idp.authenticators.lost_factors.models import FactorRecovery
from idp.authenticators.lost_factors.rules import Reason, Recovery, Starter
from idp.authenticators.lost_factors.service import By
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.authenticators.upstairs import Upstairs
from idp.foundation import house
from idp.foundation.database import see_as, writing
from idp.foundation.origin import Origin
from idp.sessions.models import BrowserSession
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from idp.worker.sweep import sweep
from tests.authenticators.browsing import follow, post_form, press
from tests.authenticators.second_factors import code_of, set_up_totp, type_code
from tests.conftest import Hands
from tests.enrollment.worlds import TEXT, link_of, mailed
from tests.factories import Make
from tests.sign_in.visiting import come, step_of, txn_of, walk

pytestmark = pytest.mark.both
HERE = Origin("203.0.113.9", "r")
_WORDS = {"en": "CNRY-registering", "es": "CNRY-registering"}
REGISTER = {
    "register": {
        "title": TEXT,
        "steps": ["claim_practice", "create_account", "verify_email"],
        "options": {"claim_practice": {"title": _WORDS, "button": _WORDS}},
    }
}
TIN, ZIP = "431234567", "65801"


@pytest.fixture
def rosa(make: Make) -> Any:
    """Somebody with an authenticator app, whose one access rests on the directory."""
    make.client("ozark-secure", enrollment=REGISTER, portal={"accepts": "directory", "accepts_for_manager": "payer"})
    practice = make.practice(TIN)
    make.provider(registry_name="ozark", practice=practice, tin=TIN)
    subject = make.subject(user_id="rosa.delgado")
    make.affiliation(subject, practice, evidence="directory", levels=(("ozark-secure", "claims.inquiry"),))
    return subject, make.totp(subject)[1]


def none_of_these(client: FlaskClient) -> Any:
    """The right password, and *I have none of these*."""
    page = come(client)
    assert step_of(page) == "totp"
    return client.get(f"/sign-in/{txn_of(page)}/second-factor/none")


def start(client: FlaskClient) -> Any:
    page = none_of_these(client)
    return walk(client, press(client, page, page.request.path))


def begun(make: Make, subject: Any, starter: Starter = Starter.PERSON, actor: str = "", **more: Any) -> Recovery:
    with writing() as tx:
        made = service.start(tx, subject_id=subject.id, by=By(starter, actor or subject.id, make.now, HERE, **more))
    assert isinstance(made, Recovery)
    return made


def open_link(client: FlaskClient, make: Make) -> Any:
    """The newest link to go on, opened and pressed."""
    return follow(client, post_form(client, client.get(link_of(make, "factor_recovery_open")), "link-form"))


def bring(client: FlaskClient, page: Any, **typed: Any) -> Any:
    """The portal's own evidence."""
    page = follow(client, press(client, page, "/enroll/again/ozark-secure/register"))
    assert "<h1>Show that it is you</h1>" in page.text
    assert "CNRY-registering" not in page.text
    return follow(client, post_form(client, page, "enroll-form", **typed))


def stored(affiliation_id: Any, **changed: Any) -> None:
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).where(Affiliation.id == affiliation_id).values(**changed))


def kept(make: Make) -> list[str]:
    return [each.kind for each in make.rows(HeldFactor)]


def test_RC_22_lost_factors_go_after_mail_wait_and_the_evidence_of_enrollment(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    subject, _secret = rosa
    page = start(client)
    assert 'data-state="waiting"' in page.text
    (told,) = mailed(make, "factor_recovery_started")
    assert (told["by"], str(told["opens_at"])[:10]) == ("person", "2026-03-05")
    hands.forward(hours=71, minutes=59)
    sweep(now=hands.now)
    assert mailed(make, "factor_recovery_open") == []
    hands.forward(minutes=1)
    sweep(now=hands.now)
    sweep(now=hands.now)
    assert len(mailed(make, "factor_recovery_open")) == 1
    assert kept(make) == ["totp"]
    session, _cookie = make.session(subject, last_seen_at=hands.now, expires_at=hands.now + timedelta(hours=1))
    other = new_browser()
    page = open_link(other, make)
    assert 'data-wanted="directory"' in page.text
    done = bring(other, page, tin=TIN, zip_code=ZIP)
    assert 'id="again-done"' in done.text
    assert kept(make) == [] and make.rows(RememberedDevice) == []
    assert make.row(BrowserSession, session.id).ended_reason == "factors_removed"
    assert len(mailed(make, "factors_lost")) == 1
    (event,) = [each for each in make.rows(AuditEvent) if each.type == "factors_lost"]
    assert (event.details["evidence"], event.details["kinds"], event.subject_id) == ("directory", ["totp"], subject.id)
    assert other.get("/account/").status_code == 303, "nobody is signed in by it"


def test_RC_22_the_next_sign_in_sets_a_factor_up_also_where_none_is_asked(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    begun(make, rosa[0])
    hands.forward(hours=72)
    sweep(now=hands.now)
    bring(client, open_link(client, make), tin=TIN, zip_code=ZIP)
    page = come(client)
    assert step_of(page) == "set-up-mfa"
    assert step_of(client.get(f"/oauth/authorize/{txn_of(page)}", follow_redirects=True)) == "set-up-mfa"
    page, _secret = set_up_totp(client, page, hands.now)
    page = walk(client, press(client, page, page.request.path))
    assert "recovery" in page.text.lower()
    page = walk(client, client.get(f"/sign-in/{txn_of(page)}"))
    assert step_of(page) == "code"


def test_RC_22_any_proof_of_a_factor_ends_it_and_so_does_the_mailed_link(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    subject, secret = rosa
    begun(make, subject)
    assert step_of(type_code(client, come(client), code_of(secret, hands.now))) == "code"
    assert [each.outcome for each in make.rows(FactorRecovery)] == ["proven"]
    begun(make, subject)
    link = link_of(make, "factor_recovery_started")
    for method in (client.get, client.head):
        method(link)
    assert sorted(each.outcome or "" for each in make.rows(FactorRecovery)) == ["", "proven"]
    assert "Recovery stopped" in follow(client, post_form(client, client.get(link), "stop-form")).text
    assert sorted(each.outcome or "" for each in make.rows(FactorRecovery)) == ["proven", "stopped"]
    assert client.get(link).status_code == 410
    hands.forward(hours=80)
    sweep(now=hands.now)
    assert mailed(make, "factor_recovery_open") == []
    assert kept(make) == ["totp"]


def test_RC_22_evidence_of_somebody_else_or_too_weak_is_no_evidence(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    other = make.practice("437654321")
    make.provider(registry_name="ozark", practice=other, tin="437654321")
    begun(make, rosa[0])
    hands.forward(hours=72)
    sweep(now=hands.now)
    page = open_link(client, make)
    wrong = bring(client, page, tin="437654321", zip_code=ZIP)
    assert "do not match our records" in wrong.text
    assert kept(make) == ["totp"]
    refused = [each.outcome for each in make.rows(AuditEvent) if each.type == "enrollment_refused"]
    assert refused == ["not_theirs"]
    second = make.affiliation(rosa[0], other, evidence="directory")
    page = client.get("/enroll/again")
    assert 'data-wanted="payer"' in page.text, "access in several places"
    assert "staff has to know you" in page.text
    with writing() as tx:
        see_as(tx, everything=True)
        row = tx.get(Affiliation, second.id)
        assert row is not None
        row.status = "ended"
    mine = next(each for each in make.rows(Affiliation) if each.id != second.id)
    make._save(AffiliationEvidence(affiliation_id=mine.id, kind="letter", portal="ozark-secure", at=make.now))
    page = client.get("/enroll/again")
    assert 'data-wanted="letter"' in page.text, "a data match is weaker than what was shown since"
    assert "staff has to know you" in page.text
    assert "enroll-form" not in follow(client, force(client, page)).text
    assert kept(make) == ["totp"]


def force(client: FlaskClient, page: Any) -> Any:
    return (
        press(client, page, "/enroll/again") if 'action="/enroll/again"' in page.text else client.get("/enroll/again")
    )


def test_RC_22_the_link_works_once_in_its_browser_and_not_past_its_days(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands, rosa: Any
) -> None:
    begun(make, rosa[0])
    hands.forward(hours=72)
    sweep(now=hands.now)
    link = link_of(make, "factor_recovery_open")
    open_link(client, make)
    assert client.get(link).status_code == 410
    assert new_browser().get("/enroll/again").status_code == 400
    hands.forward(hours=24)
    assert client.get("/enroll/again").status_code in {400, 410}
    page = none_of_these(client)
    assert 'data-state="open"' in page.text
    assert "We have sent the link" in press(client, page, page.request.path + "/link").text
    open_link(client, make)
    assert client.get("/enroll/again").status_code == 200
    hands.forward(days=6)
    assert client.get("/enroll/again").status_code in {400, 410}


def test_RC_22_one_at_a_time_three_a_week_and_nothing_for_who_holds_nothing(
    make: Make, hands: Hands, rosa: Any
) -> None:
    subject, _secret = rosa

    def begin(who: Any) -> Any:
        with writing() as tx:
            return service.start(tx, subject_id=who.id, by=By(Starter.PERSON, who.id, hands.now, HERE))

    for _ in range(3):
        assert isinstance(begin(subject), Recovery)
        assert begin(subject) == Refused(Reason.UNDER_WAY)
        with writing() as tx:
            service.end_by_owner(tx, subject_id=subject.id, now=hands.now, origin=HERE)
    assert begin(subject) == Refused(Reason.TOO_MANY)
    assert begin(make.subject()) == Refused(Reason.NOTHING_HELD)
    unproven = make.subject(email_verified_at=None)
    make.totp(unproven)
    assert begin(unproven) == Refused(Reason.NO_MAILBOX)
    outcomes = [each.outcome for each in make.rows(AuditEvent) if each.type == "factor_recovery_started"]
    assert sorted(outcomes) == sorted(["ok", "under_way"] * 3 + ["too_many", "nothing_held", "no_mailbox"])


def test_RC_18_a_managers_word_is_enough_only_where_all_access_rests_on_it(
    client: FlaskClient, make: Make, hands: Hands
) -> None:
    make.client("ozark-secure")
    practice, elsewhere = make.practice(TIN), make.practice("437654321")
    clerk = make.subject(user_id="rosa.delgado")
    make.totp(clerk)
    make.affiliation(clerk, practice, evidence="manager")
    make.provider(registry_name="ozark", practice=practice, tin=TIN)
    manager = make.subject()
    marked = make.affiliation(manager, practice, evidence="payer", account_manager=True)
    begun(make, clerk, Starter.MANAGER, manager.id, vouched_for=practice.id, client_id="ozark-secure")
    hands.forward(hours=72)
    sweep(now=hands.now)
    page = open_link(client, make)
    assert 'id="again-finish"' in page.text
    other = make.affiliation(clerk, elsewhere, evidence="manager")
    assert 'id="again-finish"' not in client.get("/enroll/again").text
    press(client, page, "/enroll/again")
    assert kept(make) == ["totp"], "judged again when it is pressed"
    stored(other.id, status="ended")
    assert 'id="again-finish"' in client.get("/enroll/again").text
    for lost in ({"status": "disabled"}, {"account_manager": False}):  # AD-14: their word goes with their mark
        stored(marked.id, **lost)
        assert 'id="again-finish"' not in client.get("/enroll/again").text
        press(client, page, "/enroll/again")
        assert kept(make) == ["totp"], f"the manager's word outlives {lost}"
        stored(marked.id, status="active", account_manager=True)
    follow(client, press(client, client.get("/enroll/again"), "/enroll/again"))
    assert kept(make) == []


@pytest.fixture
def all_are_staff(app: Flask) -> Iterator[None]:
    furnished = house.get(Upstairs)
    house.furnish(app, replace(furnished, is_staff=lambda tx, *, subject_id: True))
    yield
    house.furnish(app, furnished)


def test_RC_22_staff_and_who_has_no_access_need_the_payers_word_of_somebody_else(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, all_are_staff: None
) -> None:
    subject, _secret = rosa
    recovery = begun(make, subject, Starter.HELP_DESK, "staff:one")
    hands.forward(hours=72)
    sweep(now=hands.now)
    page = open_link(client, make)
    assert 'data-wanted="payer"' in page.text and 'id="again-finish"' not in page.text

    def confirm(actor: str, note: str = "saw the licence", staff_id: str = "x") -> Any:
        by = By(Starter.ADMINISTRATOR, actor, hands.now, HERE)
        with writing() as tx:
            return service.confirm(tx, recovery_id=recovery.id, staff_id=staff_id, note=note, by=by)

    assert confirm("staff:one", staff_id="one") == Refused(Reason.SAME_PERSON)
    assert confirm("staff:two", staff_id=subject.id) == Refused(Reason.SELF)
    second = make.subject(email=(subject.email or "").replace("@", "+second@"))
    assert confirm("staff:three", staff_id=second.id) == Refused(Reason.SELF), "AD-07: by another account of theirs"
    assert confirm("staff:two", note=" ") == Refused(Reason.NO_NOTE)
    assert isinstance(confirm("staff:two"), Recovery)
    sweep(now=hands.now)
    assert len(mailed(make, "factor_recovery_open")) == 2, "told that it can be finished"
    follow(client, press(client, client.get("/enroll/again"), "/enroll/again"))
    assert kept(make) == []
    (event,) = [each for each in make.rows(AuditEvent) if each.type == "factors_lost"]
    assert event.details["evidence"] == Evidence.PAYER
