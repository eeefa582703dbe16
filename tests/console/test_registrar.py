"""First registrants and escalated requests (E1, EN-17, AD-07, AD-08, AD-11; MODEL §7, §10)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.affiliations.deciding.models import Comment
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.models import Affiliation
from idp.affiliations.requests.models import AccessRequest
from idp.audit.models import AuditEvent
from idp.console.registrar import service
from idp.console.registrar.rules import Reason
from idp.console.staff.service import By
from idp.directory.models import Practice
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from tests.authenticators.browsing import post_form
from tests.conftest import Hands
from tests.console.staff_world import HELP_DESK, REGISTRAR, enter_as, post, staff
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both
HERE = Origin.local("test")


@pytest.fixture
def nora(make: Make) -> Subject:
    make.client("ozark-secure", portal={"accepts_for_manager": "payer"})
    return staff(make, REGISTRAR)


@pytest.fixture
def practice(make: Make) -> Practice:
    row = make.practice("981234567", name="Northlake Clinic")
    make.group("300400", name="NORTHLAKE", practice=row, registry_name="ozark")
    return row


@pytest.fixture
def claim(make: Make, nora: Subject, practice: Practice) -> Affiliation:
    rosa = make.subject("rosa.delgado", email="rosa@northlake.test")
    return pending(make, rosa, practice)


def pending(make: Make, person: Subject, practice: Practice) -> Affiliation:
    return make.affiliation(
        person, practice, registry="ozark", evidence="directory", status="verification_pending", activated_at=None,
        last_used_at=None,
    )  # fmt: skip


def manage(make: Make, practice: Practice, login: str = "lena.fairbanks") -> Affiliation:
    return make.affiliation(
        make.subject(login), practice, registry="ozark", evidence="payer", account_manager=True,
        levels=(("ozark-secure", "admin"),),
    )  # fmt: skip


def by(person: Subject, make: Make) -> By:
    return By(person.id, "Nora Whitlock", HERE, make.now)


def request(make: Make, practice: Practice, **changed: Any) -> AccessRequest:
    values: dict[str, Any] = {
        "portal": "ozark-secure", "registry_name": "ozark", "target_kind": "practice", "target_id": practice.id,
        "practice_id": practice.id, "email": "june@northlake.test", "email_key": "june@northlake.test",
        "given_name": "June", "family_name": "Harwood", "position": "Office manager", "extension": "",
        "reason": "<script>alert(1)</script>", "locale": "en", "zoneinfo": "America/Chicago", "status": "pending",
        "submitted_at": make.now, "escalated_at": make.now, "reminders": 0,
    }  # fmt: skip
    return make._save(AccessRequest(**(values | changed)))


def test_E1_the_first_registrant_is_verified_with_the_evidence_side_by_side(
    client: FlaskClient, make: Make, nora: Subject, claim: Affiliation
) -> None:
    enter_as(client, make, nora)
    listed = client.get("/console/registrants").text
    assert "Northlake Clinic" in listed and "Registrar" in listed
    path = f"/console/registrants/{claim.id}"
    page = client.get(path)
    for shown in (
        "rosa@northlake.test",
        "northlake.test",
        "What the directory holds",
        "NORTHLAKE",
        "300400",
        "**-***4567",
    ):
        assert shown in page.text, shown
    assert "981234567" not in page.text
    assert (
        post_form(client, page, "verify-form", note="Called the clinic").location
        == "/console/registrants?done=verified"
    )
    row = make.row(Affiliation, claim.id)
    assert (row.status, row.account_manager, row.version) == ("unverified", True, 2)
    assert {proof.kind for proof in row.evidence} == {"directory", "payer"}
    assert "admin" in {level.level for level in row.levels}
    (invitation,) = make.rows(Invitation)
    assert (invitation.affiliation_id, invitation.evidence) == (claim.id, "payer")
    assert [mail.notice for mail in make.rows(OutboxMessage)] == ["registration_link"]
    (line,) = make.rows(Comment)
    assert (line.action, line.text, line.author) == ("verify", "Called the clinic", f"staff:{nora.id}")
    changed = next(event for event in make.rows(AuditEvent) if event.type == "affiliation_changed")
    assert (changed.actor, changed.details) == (
        f"staff:{nora.id}", {"before": "verification_pending", "after": "unverified"},
    )  # fmt: skip


def test_E1_a_refused_claim_ends_with_its_reason_and_a_mail(
    client: FlaskClient, make: Make, nora: Subject, claim: Affiliation
) -> None:
    enter_as(client, make, nora)
    page = client.get(f"/console/registrants/{claim.id}")
    assert post_form(client, page, "refuse-form", reason="").status_code == 422
    assert post_form(client, page, "refuse-form", reason="Not known there").status_code == 303
    assert make.row(Affiliation, claim.id).status == "ended"
    assert [mail.notice for mail in make.rows(OutboxMessage)] == ["verification_lapsed"]
    assert post_form(client, page, "verify-form").status_code == 409


def test_MODEL_7_where_a_manager_is_the_registrar_does_not_decide(
    make: Make, nora: Subject, claim: Affiliation, practice: Practice
) -> None:
    manage(make, practice)
    asked = request(make, practice)
    act = by(nora, make)
    managed = Refused(Reason.HAS_A_MANAGER)
    assert service.verify(act, affiliation_id=claim.id, version=1, note="") == managed
    assert service.refuse(act, affiliation_id=claim.id, version=1, reason="No") == managed
    assert service.approve(act, request_id=asked.id, version=1, levels=["claims.inquiry"]) == managed
    assert service.deny(act, request_id=asked.id, version=1, explanation="") == managed
    assert make.row(Affiliation, claim.id).status == "verification_pending"
    assert {event.outcome for event in make.rows(AuditEvent)} == {"has_a_manager"}


def test_AD_07_nobody_decides_their_own(make: Make, nora: Subject, practice: Practice) -> None:
    own = pending(make, nora, practice)
    assert service.verify(by(nora, make), affiliation_id=own.id, version=1, note="") == Refused(Reason.SELF)
    for asked in (
        request(make, practice, email=nora.email, email_key=nora.email_key),
        request(make, practice, subject_id=nora.id),
    ):
        refused = service.approve(by(nora, make), request_id=asked.id, version=1, levels=["claims.inquiry"])
        assert refused == Refused(Reason.SELF)


def test_AD_11_what_changed_since_the_page_is_not_decided(make: Make, nora: Subject, claim: Affiliation) -> None:
    assert service.verify(by(nora, make), affiliation_id=claim.id, version=2, note="") == Refused(
        Reason.CHANGED_MEANWHILE
    )


def test_a_claim_lapses_after_thirty_days_by_reading_alone(
    make: Make, nora: Subject, claim: Affiliation, hands: Hands
) -> None:
    late = By(nora.id, "Nora", HERE, claim.created_at + timedelta(days=30))
    assert service.verify(late, affiliation_id=claim.id, version=1, note="") == Refused(Reason.DECIDED)


def test_an_unproven_mailbox_and_a_target_out_of_force_are_not_verified(
    make: Make, nora: Subject, practice: Practice
) -> None:
    unproven = pending(make, make.subject("ines.ortega", email_verified_at=None), practice)
    assert service.verify(by(nora, make), affiliation_id=unproven.id, version=1, note="") == Refused(
        Reason.MAILBOX_UNPROVEN
    )
    gone = pending(make, make.subject("colin.maddox"), make.practice("980000777"))
    assert service.verify(by(nora, make), affiliation_id=gone.id, version=1, note="") == Refused(Reason.NOT_IN_FORCE)


def test_EN_17_two_registrars_verify_one_claim_once(app: Flask, make: Make, nora: Subject, claim: Affiliation) -> None:
    outcomes = race(app, lambda: service.verify(by(nora, make), affiliation_id=claim.id, version=1, note=""), threads=4)
    assert outcomes.count(None) == 1
    assert len(make.rows(Invitation)) == 1


def test_AD_10_an_escalated_request_is_approved_or_denied_once(
    app: Flask, make: Make, nora: Subject, practice: Practice
) -> None:
    asked = request(make, practice)
    acts: list[Callable[[], Refused | None]] = [
        lambda: service.approve(by(nora, make), request_id=asked.id, version=1, levels=["claims.inquiry"]),
        lambda: service.deny(by(nora, make), request_id=asked.id, version=1, explanation=""),
    ] * 2

    def one() -> Refused | None:
        decide = acts.pop()
        return decide()

    outcomes = race(app, one, threads=4)
    assert outcomes.count(None) == 1
    assert len(make.rows(OutboxMessage)) == 1


def test_B7_an_escalated_request_is_approved_with_levels_and_the_payers_evidence(
    client: FlaskClient, make: Make, nora: Subject, practice: Practice
) -> None:
    asked = request(make, practice)
    enter_as(client, make, nora)
    assert "June Harwood" in client.get("/console/registrants").text
    path = f"/console/registrants/requests/{asked.id}"
    page = client.get(path)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text and "<script>alert(1)" not in page.text
    assert post(client, f"{path}/approve", version="1").status_code == 422
    assert post(client, f"{path}/approve", version="1", level="admin").status_code == 422
    assert post(client, f"{path}/approve", version="1", level="claims.inquiry", status="active").status_code == 400
    assert (
        post(client, f"{path}/approve", version="1", level="claims.inquiry").location
        == "/console/registrants?done=approved"
    )
    (invitation,) = make.rows(Invitation)
    assert (invitation.levels, invitation.evidence, invitation.request_id) == (["claims.inquiry"], "payer", asked.id)
    row = make.row(AccessRequest, asked.id)
    assert (row.status, row.decided_by) == ("approved", f"staff:{nora.id}")
    assert post(client, f"{path}/deny", version="2").status_code == 409


def test_AD_08_at_five_days_to_the_second_nothing_is_approved(make: Make, nora: Subject, practice: Practice) -> None:
    asked = request(make, practice, submitted_at=make.now - timedelta(hours=120))
    refused = service.approve(by(nora, make), request_id=asked.id, version=1, levels=["claims.inquiry"])
    assert refused == Refused(Reason.EXPIRED)


def test_a_denied_request_tells_its_reason(client: FlaskClient, make: Make, nora: Subject, practice: Practice) -> None:
    asked = request(make, practice)
    enter_as(client, make, nora)
    page = client.get(f"/console/registrants/requests/{asked.id}")
    assert post_form(client, page, "deny-form", explanation="Please call us").status_code == 303
    assert make.row(AccessRequest, asked.id).decision_reason == "Please call us"
    assert [mail.notice for mail in make.rows(OutboxMessage)] == ["access_request_denied"]


def test_AD_02_an_unknown_id_is_a_404_and_another_role_a_403(
    client: FlaskClient, new_browser: Any, make: Make, nora: Subject, claim: Affiliation
) -> None:
    enter_as(client, make, nora)
    for path in (f"/console/registrants/{uuid4()}", f"/console/registrants/requests/{uuid4()}"):
        assert client.get(path).status_code == 404
    assert post(client, f"/console/registrants/{uuid4()}/verify", version="1").status_code == 404
    helper = enter_as(new_browser(), make, staff(make, HELP_DESK))
    assert post(helper, f"/console/registrants/{claim.id}/verify", version="1").status_code == 403
    assert make.row(Affiliation, claim.id).status == "verification_pending"


@pytest.mark.parametrize(
    "key", ["x", "2026-03-02T12:00:00_x", "2026-03-02T12:00:00+00:00_", "9999_" + str(UUID(int=1))]
)
def test_AD_24_a_forged_key_begins_at_the_beginning(
    client: FlaskClient, make: Make, nora: Subject, claim: Affiliation, key: str
) -> None:
    enter_as(client, make, nora)
    assert "Rosa Delgado" in client.get("/console/registrants", query_string={"claims": key}).text


def test_claims_are_paged_by_key(client: FlaskClient, make: Make, nora: Subject, practice: Practice) -> None:
    for number in range(27):
        pending(make, make.subject(given_name=f"Person{number:02}"), practice)
    enter_as(client, make, nora)
    first = client.get("/console/registrants").text
    link = first.split('href="/console/registrants?claims=', 1)[1].split('"', 1)[0]
    second = client.get("/console/registrants?claims=" + link.replace("&amp;", "&")).text
    shown = [page.count("/console/registrants/") for page in (first, second)]
    assert shown == [25, 2]


def test_C9_who_is_active_by_a_match_is_confirmed_as_account_manager_at_once(
    client: FlaskClient, make: Make, nora: Subject, practice: Practice
) -> None:
    person = make.subject("rosa.delgado")
    row = make.affiliation(
        person, practice, registry="ozark", evidence="directory", levels=(("ozark-secure", "claims.inquiry"),)
    )
    enter_as(client, make, nora)
    record = client.get(f"/console/directory/practices/{practice.id}").text
    assert f"/console/registrants/{row.id}" in record
    page = client.get(f"/console/registrants/{row.id}")
    assert "refuse-form" not in page.text
    assert post_form(client, page, "verify-form", note="Known for years").status_code == 303
    marked = make.row(Affiliation, row.id)
    assert (marked.status, marked.account_manager, marked.version, marked.epoch) == ("active", True, 2, 2)
    assert {level.level for level in marked.levels} == {"claims.inquiry", "admin"}
    assert "payer" in {proof.kind for proof in marked.evidence}
    assert [mail.notice for mail in make.rows(OutboxMessage)] == ["access_changed"]
    assert post_form(client, page, "verify-form").status_code == 409
    other = make.affiliation(make.subject("ines.ortega"), practice, registry="ozark", evidence="directory")
    refused = service.verify(by(nora, make), affiliation_id=other.id, version=1, note="")
    assert refused == Refused(Reason.HAS_A_MANAGER)
    helper = enter_as(client, make, staff(make, HELP_DESK))
    assert "People" not in helper.get(f"/console/directory/practices/{practice.id}").text
