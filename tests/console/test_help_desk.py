"""Somebody calls (X5, AD-19; MODEL §7): reason first, masked, caller checked, no secret seen or set."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.audit.models import AuditEvent
from idp.authenticators.password.models import PasswordCredential
from idp.console.help_desk import service
from idp.console.help_desk.models import HelpCase
from idp.console.help_desk.rules import Asked, Reason, judge, may_disable
from idp.console.staff.rules import ALLOWED
from idp.console.staff.service import By
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.sessions.models import BrowserSession
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay, StaffRole
from tests.attacks.test_ra import at_once
from tests.authenticators.browsing import post_form, press
from tests.conftest import Hands
from tests.console.staff_world import ADMINISTRATOR, AUDITOR, HELP_DESK, enter_as, post, staff
from tests.factories import Make

pytestmark = pytest.mark.both


@pytest.fixture
def rosa(make: Make) -> Subject:
    person = make.subject("rosa.delgado", email="rosa.delgado@northlake.test")
    provider = make.provider("100200300")
    make.affiliation(person, provider, registry="heartland", levels=(("ozark-secure", "admin"),))
    make.totp(person, name="CNRY-name-of-my-phone")
    return person


@pytest.fixture
def paul(client: FlaskClient, make: Make) -> FlaskClient:
    return enter_as(client, make, staff(make, HELP_DESK))


def open_case(client: FlaskClient, login: str = "rosa.delgado", reason: str = "Lost her phone") -> TestResponse:
    return post_form(client, client.get("/console/help"), "case-form", login=login, reason=reason)


def events(make: Make, kind: str) -> list[AuditEvent]:
    return [row for row in make.rows(AuditEvent) if row.type == kind]


def test_nothing_is_shown_before_the_reason_is_on_record(paul: FlaskClient, make: Make, rosa: Subject) -> None:
    assert open_case(paul, reason=" ").status_code == 422
    assert make.rows(HelpCase) == []
    opened = open_case(paul)
    assert opened.status_code == 303
    (event,) = [each for each in events(make, "help_case_opened") if each.outcome == "ok"]
    assert (event.subject_id, event.details) == (rosa.id, {"reason": "Lost her phone"})
    assert event.actor.startswith("staff:")


def test_X5_the_page_shows_states_and_kinds_and_no_identifier_in_full(
    paul: FlaskClient, make: Make, rosa: Subject
) -> None:
    page = paul.get(open_case(paul).location).text
    for shown in ("R. D.", "ro•••@northlake.test", "•••ado", "•••300", "Authenticator app", "Active"):
        assert shown in page, shown
    for hidden in ("rosa.delgado@northlake.test", "Delgado", "100200300", rosa.id, "CNRY-name"):
        assert hidden not in page, hidden


def test_a_login_that_is_nobodys_is_audited_without_its_text(paul: FlaskClient, make: Make) -> None:
    assert open_case(paul, login="CNRY.nobody").status_code == 422
    (event,) = events(make, "help_case_opened")
    assert event.outcome == "unknown_person"
    assert "CNRY" not in str(event.details)


def test_staff_do_not_help_themselves(paul: FlaskClient, make: Make) -> None:
    answer = open_case(paul, login="paul.ostrander")
    assert answer.status_code == 422
    assert "That is you" in answer.text


def test_recovery_starts_after_the_caller_was_checked_and_goes_to_the_stored_address(
    paul: FlaskClient, make: Make, rosa: Subject
) -> None:
    case = open_case(paul).location
    assert post(paul, f"{case}/recover").status_code == 422
    assert make.rows(OutboxMessage) == []
    wrong = post_form(paul, paul.get(case), "check-form", email="rosa.delgado@northlake.test", number="999999999")
    assert wrong.status_code == 422
    assert "northlake.test" in wrong.text and "rosa.delgado@" not in wrong.text
    right = post_form(paul, paul.get(case), "check-form", email="Rosa.Delgado@northlake.test", number="100200300")
    assert right.location == f"{case}?done=checked"
    page = paul.get(case)
    assert press(paul, page, f"{case}/recover").location == f"{case}?done=mailed"
    (mail,) = make.rows(OutboxMessage)
    assert (mail.notice, mail.subject_id) == ("password_reset", rosa.id)
    asked = events(make, "password_reset_asked")
    assert sorted(each.outcome for each in asked) == ["not_checked", "ok"]
    assert {each.actor.split(":")[0] for each in asked} == {"staff"}
    checks = events(make, "caller_checked")
    assert sorted((each.outcome, each.details["right"]) for each in checks) == [
        ("ok", ["email", "number"]), ("wrong_answers", ["email"]),
    ]  # fmt: skip


def test_three_wrong_tries_end_the_checking(paul: FlaskClient, make: Make, rosa: Subject) -> None:
    case = open_case(paul).location
    for _ in range(3):
        post(paul, f"{case}/check", tin_last4="0000", phone_last4="0000")
    answer = post(paul, f"{case}/check", email="rosa.delgado@northlake.test", number="100200300")
    assert "Three tries were not enough" in answer.text
    assert post(paul, f"{case}/recover").status_code == 422


def test_an_unproven_account_is_mailed_the_proof_of_its_mailbox(paul: FlaskClient, make: Make) -> None:
    person = make.subject("ines.ortega", status="unverified", email_verified_at=None)
    make.affiliation(person, make.provider("100200301"), registry="heartland")
    case = open_case(paul, login="ines.ortega").location
    post(paul, f"{case}/check", email="ines.ortega@mail.test", number="100200301")
    assert "Send verification mail" in paul.get(case).text
    assert post(paul, f"{case}/recover").status_code == 303
    assert [row.notice for row in make.rows(OutboxMessage)] == ["prove_mailbox"]


def test_AD_19_no_route_of_the_help_desk_sets_or_shows_a_secret(paul: FlaskClient, make: Make, rosa: Subject) -> None:
    before = next(row.digest for row in make.rows(PasswordCredential) if row.subject_id == rosa.id)
    case = open_case(paul).location
    post(paul, f"{case}/check", email="rosa.delgado@northlake.test", number="100200300")
    assert post(paul, f"{case}/recover", password="Chosen-by-staff-1").status_code == 400
    answer = post(paul, f"{case}/recover")
    assert "token=" not in answer.text + paul.get(answer.location).text
    after = next(row.digest for row in make.rows(PasswordCredential) if row.subject_id == rosa.id)
    assert after == before


def test_a_case_is_its_openers_alone_and_closes_after_half_an_hour(
    paul: FlaskClient, new_browser: Any, make: Make, rosa: Subject, hands: Hands
) -> None:
    case = open_case(paul).location
    other = enter_as(new_browser(), make, staff(make, HELP_DESK, login="other.agent"))
    assert other.get(case).status_code == 404
    assert post(other, f"{case}/check").status_code == 404
    for minutes in (10, 10, 9):
        hands.forward(minutes=minutes)
        assert paul.get(case).status_code == 200
    hands.forward(minutes=1)
    assert paul.get(case).status_code == 410
    assert post(paul, f"{case}/recover").status_code == 410


def test_MODEL_7_the_help_desk_disables_with_a_reason_and_only_an_administrator_enables(
    paul: FlaskClient, new_browser: Any, make: Make, rosa: Subject
) -> None:
    make.session(rosa)
    case = open_case(paul).location
    page = paul.get(f"{case}/disable")
    assert press(paul, page, f"{case}/disable", reason="").status_code == 422
    assert press(paul, page, f"{case}/disable", reason="Phone stolen").location == f"{case}?done=disabled"
    assert make.row(Subject, rosa.id).status == "disabled"
    assert all(row.ended_at for row in make.rows(BrowserSession) if row.subject_id == rosa.id)
    (event,) = events(make, "subject_disabled")
    assert event.details == {"reason": "Phone stolen", "before": "active"}
    assert paul.get(f"{case}/enable").status_code == 403
    admin = enter_as(new_browser(), make, staff(make, ADMINISTRATOR))
    theirs = open_case(admin).location
    assert press(admin, admin.get(f"{theirs}/enable"), f"{theirs}/enable").location == f"{theirs}?done=enabled"
    assert make.row(Subject, rosa.id).status == "active"


def test_RA_06_of_two_administrators_who_disable_each_other_one_is_left(app: Flask, make: Make) -> None:
    ana, ben = (staff(make, ADMINISTRATOR, login=login) for login in ("ana.fuentes", "ben.castor"))
    here = Origin.local("test")
    acts = []
    for actor, other in ((ana, ben), (ben, ana)):
        by = By(actor.id, "", here, make.now)
        case = service.open_case(by, login=str(other.user_id), reason="Left")
        assert isinstance(case, UUID)
        may = ALLOWED[ADMINISTRATOR]
        acts.append(partial(service.disable, by, case_id=case, reason="Left", may=may))
    outcomes = at_once(app, *acts)
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, Refused(Reason.IS_STAFF)]))
    assert sorted(make.row(Subject, each.id).status for each in (ana, ben)) == ["active", "disabled"]


def test_the_help_desk_shuts_out_no_colleague(paul: FlaskClient, make: Make) -> None:
    edith = staff(make, AUDITOR)
    case = open_case(paul, login="edith.sorensen").location
    answer = post(paul, f"{case}/disable", reason="Annoys me")
    assert answer.status_code == 422
    assert make.row(Subject, edith.id).status == "active"
    assert [each.outcome for each in events(make, "subject_disabled")] == ["is_staff"]


def test_AD_15_a_reason_is_text(paul: FlaskClient, make: Make, rosa: Subject) -> None:
    page = paul.get(open_case(paul, reason="<script>alert(1)</script>").location).text
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert open_case(paul, reason="x" * 201).status_code == 422


def test_two_right_answers_and_none_wrong_are_enough() -> None:
    known = {Asked.EMAIL: {"a@b.test"}, Asked.PHONE: {"0142"}, Asked.NUMBER: {"123456", "TP77"}}
    assert judge({Asked.EMAIL: " A@B.test ", Asked.NUMBER: "tp77"}, known) == ((Asked.EMAIL, Asked.NUMBER), True)
    assert judge({Asked.EMAIL: "a@b.test"}, known)[1] is False
    assert judge({Asked.EMAIL: "a@b.test", Asked.PHONE: "0142", Asked.TAX_ID: "1"}, known)[1] is False
    assert judge({}, known) == ((), False)


def test_whom_staff_may_shut_out() -> None:
    helper, administrator = {StaffMay.DISABLE}, {StaffMay.DISABLE, StaffMay.CHANGE_STAFF}
    assert may_disable(actor="p", subject_id="r", may=helper, roles=()) is None
    assert may_disable(actor="p", subject_id="p", may=administrator, roles=()) == Refused(Reason.SELF)
    roles = {StaffRole.AUDITOR}
    assert may_disable(actor="p", subject_id="r", may=helper, roles=roles) == Refused(Reason.IS_STAFF)
    assert may_disable(actor="p", subject_id="r", may=administrator, roles=roles) is None
