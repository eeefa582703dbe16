"""Staff roles in the database, on the command line and in a browser (MODEL §7; RA-06, AD-07, AU-06)."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.audit.models import AuditEvent
from idp.console.staff import service
from idp.console.staff.cli import staff as command
from idp.console.staff.models import StaffMember, StaffProposal
from idp.console.staff.rules import Reason
from idp.console.staff.service import By
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffRole
from tests.authenticators.browsing import press
from tests.conftest import Hands
from tests.console.staff_world import ADMINISTRATOR, AUDITOR, enter_as, post, staff
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both
HERE = Origin.local("test")


@pytest.fixture
def ana(make: Make) -> Subject:
    return staff(make, ADMINISTRATOR)


@pytest.fixture
def ben(make: Make) -> Subject:
    return staff(make, ADMINISTRATOR, login="ben.castor")


def by(person: Subject, make: Make) -> By:
    return By(person.id, person.user_id or "", HERE, make.now)


def propose(make: Make, ana: Subject, login: str = "rosa.delgado", role: StaffRole = AUDITOR) -> Any:
    return service.propose(by(ana, make), login=login, role=role, reason="Quarterly review")


def roles(make: Make, person: Subject) -> set[str]:
    return {row.role for row in make.rows(StaffMember) if row.subject_id == person.id and row.ended_at is None}


def test_MODEL_7_a_role_works_once_the_second_administrator_confirmed_it(
    make: Make, ana: Subject, ben: Subject
) -> None:
    rosa = make.subject("rosa.delgado")
    proposal = propose(make, ana)
    assert roles(make, rosa) == set()
    assert [row.subject_id for row in make.rows(OutboxMessage)] == [ben.id]
    assert service.confirm(by(ben, make), proposal_id=proposal) is AUDITOR
    assert roles(make, rosa) == {"auditor"}
    told = {row.subject_id for row in make.rows(OutboxMessage)}
    assert told == {ana.id, ben.id, rosa.id}
    given = next(row for row in make.rows(AuditEvent) if row.type == "staff_role_given")
    assert (given.actor, given.subject_id, given.outcome) == (f"staff:{ben.id}", rosa.id, "ok")
    assert given.details == {"role": "auditor", "proposed_by": ana.id}


def test_AD_07_two_administrators_are_two_people_whatever_accounts_they_have(
    make: Make, ana: Subject, ben: Subject
) -> None:
    """A second account is known by its mailbox, plus sign and all."""
    mailbox = (ana.email or "").replace("@", "+two@")
    second = staff(make, ADMINISTRATOR, login="ana.second")
    with writing() as tx:
        tx.execute(update(Subject).where(Subject.id == second.id).values(email=mailbox, email_key=mailbox))
    make.subject("ana.third", email=mailbox.replace("two", "three"))
    rosa = make.subject("rosa.delgado")
    proposal = propose(make, ana)
    assert service.confirm(by(second, make), proposal_id=proposal) == Refused(Reason.PROPOSED_IT)
    assert propose(make, second, login="ana.third") == Refused(Reason.SELF)
    proposal = propose(make, ben, login="ana.third")
    assert service.confirm(by(ana, make), proposal_id=proposal) == Refused(Reason.SELF)
    assert roles(make, rosa) == set()


def test_AD_07_who_proposed_does_not_confirm_and_both_tries_are_audited(make: Make, ana: Subject, ben: Subject) -> None:
    rosa = make.subject("rosa.delgado")
    proposal = propose(make, ana)
    assert service.confirm(by(ana, make), proposal_id=proposal) == Refused(Reason.PROPOSED_IT)
    assert propose(make, ana, login="ana.fuentes") == Refused(Reason.SELF)
    assert propose(make, ana) == Refused(Reason.PROPOSED_ALREADY)
    assert roles(make, rosa) == set()
    outcomes = sorted(row.outcome for row in make.rows(AuditEvent) if row.type.startswith("staff_role"))
    assert outcomes == ["ok", "proposed_already", "proposed_it", "self"]


def test_a_proposal_of_somebody_who_stopped_being_administrator_is_dead(make: Make, ana: Subject, ben: Subject) -> None:
    make.subject("rosa.delgado")
    staff(make, ADMINISTRATOR, login="caro.lang")
    proposal = propose(make, ana)
    assert not isinstance(service.take(by(ben, make), subject_id=ana.id, role=ADMINISTRATOR), Refused)
    assert service.confirm(by(ben, make), proposal_id=proposal) == Refused(Reason.PROPOSER_LEFT)


def test_a_lapsed_proposal_makes_way_for_a_new_one(make: Make, ana: Subject, ben: Subject, hands: Hands) -> None:
    make.subject("rosa.delgado")
    first = propose(make, ana)
    make.now = hands.forward(days=3)
    assert service.confirm(by(ben, make), proposal_id=first) == Refused(Reason.GONE)
    second = propose(make, ana)
    assert service.confirm(by(ben, make), proposal_id=second) is AUDITOR
    assert {row.outcome for row in make.rows(StaffProposal)} == {"expired", "confirmed"}


def test_a_declined_proposal_gives_nothing(make: Make, ana: Subject, ben: Subject) -> None:
    rosa = make.subject("rosa.delgado")
    proposal = propose(make, ana)
    assert service.decline(by(ben, make), proposal_id=proposal) is AUDITOR
    assert service.confirm(by(ben, make), proposal_id=proposal) == Refused(Reason.GONE)
    assert roles(make, rosa) == set()


def test_RA_06_two_administrators_who_take_each_others_role_leave_one(
    app: Flask, make: Make, ana: Subject, ben: Subject
) -> None:
    pairs = [(ana, ben), (ben, ana)]

    def act() -> Any:
        mine, theirs = pairs.pop()
        return service.take(by(mine, make), subject_id=theirs.id, role=ADMINISTRATOR)

    outcomes = race(app, act, threads=2)
    assert sum(isinstance(each, Refused) for each in outcomes) == 1
    assert len([row for row in make.rows(StaffMember) if row.ended_at is None]) == 1


def test_RA_two_confirmations_at_once_give_one_role(app: Flask, make: Make, ana: Subject, ben: Subject) -> None:
    caro = staff(make, ADMINISTRATOR, login="caro.lang")
    rosa = make.subject("rosa.delgado")
    proposal = propose(make, ana)
    seconds = [ben, caro]
    outcomes = race(app, lambda: service.confirm(by(seconds.pop(), make), proposal_id=proposal), threads=2)
    assert sorted(map(str, outcomes)) == sorted(map(str, [AUDITOR, Refused(Reason.GONE)]))
    assert len([row for row in make.rows(StaffMember) if row.subject_id == rosa.id]) == 1


def test_a_disabled_administrator_counts_for_nothing(make: Make, ana: Subject) -> None:
    dan = staff(make, login="dan.field")
    make._save(StaffMember(subject_id=dan.id, role="administrator", given_at=make.now, proposed_by="cli:x"))
    gone = make.subject("gone.person", status="disabled")
    make._save(StaffMember(subject_id=gone.id, role="administrator", given_at=make.now, proposed_by="cli:x"))
    proposal = propose(make, ana, login="dan.field")
    assert service.confirm(by(gone, make), proposal_id=proposal) == Refused(Reason.NOT_ALLOWED)


def test_the_operator_makes_the_first_two_administrators_and_no_third(app: Flask, make: Make) -> None:
    runner = app.test_cli_runner()
    for login in ("rosa.delgado", "june.harwood", "ines.ortega"):
        make.subject(login)
    assert "Nobody has a staff role yet." in runner.invoke(command, ["list"]).output
    assert runner.invoke(command, ["grant", "rosa.delgado", "administrator"]).exit_code == 0
    assert runner.invoke(command, ["grant", "rosa.delgado", "administrator"]).exit_code == 1
    assert runner.invoke(command, ["grant", "nobody.here", "auditor"]).exit_code == 1
    assert runner.invoke(command, ["grant", "june.harwood", "administrator", "--json"]).exit_code == 0
    refused = runner.invoke(command, ["grant", "ines.ortega", "auditor"])
    assert refused.exit_code == 1
    assert "one proposes and the other confirms" in refused.output
    assert runner.invoke(command, ["revoke", "june.harwood", "administrator"]).exit_code == 0
    assert runner.invoke(command, ["revoke", "june.harwood", "administrator"]).exit_code == 1
    listed = runner.invoke(command, ["list"]).output
    assert "rosa.delgado" in listed and "june.harwood" not in listed
    events = [row for row in make.rows(AuditEvent) if row.type in {"staff_role_given", "staff_role_taken"}]
    assert all(event.actor.startswith("cli:") for event in events)
    assert [event.outcome for event in events].count("ok") == 3


def test_pages_propose_confirm_and_take_back(
    client: FlaskClient, new_browser: Any, make: Make, ana: Subject, ben: Subject
) -> None:
    rosa = make.subject("rosa.delgado")
    enter_as(client, make, ana)
    form = client.get("/console/staff/propose")
    sent = press(client, form, "/console/staff/propose", login="rosa.delgado", role="auditor", reason="<b>Review</b>")
    assert sent.location == "/console/staff?done=proposed"
    listed = client.get(sent.location)
    assert "Waiting for a second administrator" in listed.text
    (proposal,) = make.rows(StaffProposal)
    path = f"/console/staff/proposals/{proposal.id}"
    own = client.get(path)
    assert "You proposed it" in own.text and "proposal-confirm" not in own.text
    assert post(client, f"{path}/confirm").status_code == 422
    other = enter_as(new_browser(), make, ben)
    page = other.get(path)
    assert "&lt;b&gt;Review&lt;/b&gt;" in page.text
    assert press(other, page, f"{path}/confirm").location == "/console/staff?done=confirmed"
    assert roles(make, rosa) == {"auditor"}
    assert other.get(path).status_code == 404
    asked = other.get(f"/console/staff/{rosa.id}/auditor/take")
    assert press(other, asked, f"/console/staff/{rosa.id}/auditor/take").location == "/console/staff?done=taken"
    assert roles(make, rosa) == set()
    assert other.get(f"/console/staff/{rosa.id}/auditor/take").status_code == 404
