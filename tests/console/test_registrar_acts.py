"""What the registrar does where no manager does it: levels, the mark, mails, invitations (MODEL §7; AD-02, AD-04, AD-06, AD-07, AD-11, AD-19, AU-08)."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete

from idp.affiliations.deciding.cases import Asked
from idp.affiliations.deciding.models import Comment
from idp.affiliations.deciding.rules import Act, Reason
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.console.registrar import keeping
from idp.console.staff.models import StaffMember
from idp.console.staff.service import By
from idp.foundation.database import writing
from idp.messaging.models import OutboxMessage
from idp.sessions.facts import session_facts
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import HERE, PORTAL, World
from tests.authenticators.browsing import post_form, press
from tests.console.staff_world import ADMINISTRATOR, AUDITOR, HELP_DESK, REGISTRAR, enter_as, post, staff

pytestmark = pytest.mark.both


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def who(make: Any) -> Any:
    return staff(make, REGISTRAR)


@pytest.fixture
def nora(client: FlaskClient, world: World, make: Any, who: Any) -> FlaskClient:
    return enter_as(client, make, who)


@pytest.fixture
def alone(world: World, make: Any) -> Affiliation:
    """Kim's access to a provider that nobody manages."""
    other = make.provider("100200998", tin="981110002")
    kim = make.subject("kim", email="kim@clinic.test", given_name="Kim", family_name="Park")
    return make.affiliation(kim, other, registry="heartland", portal=PORTAL, levels=((PORTAL, "claims.inquiry"),))


def levels_of(row: Affiliation) -> str:
    return f"/console/registrants/{row.id}/levels/{PORTAL}"


def events(make: Any, *types: str) -> list[AuditEvent]:
    return [event for event in make.rows(AuditEvent) if event.type in types]


def mails(make: Any) -> set[str]:
    return {row.notice for row in make.rows(OutboxMessage)}


def test_MODEL_7_levels_are_shown_first_then_set_with_before_and_after(
    nora: FlaskClient, world: World, alone: Affiliation, make: Any, who: Any
) -> None:
    form, wanted = nora.get(levels_of(alone)), {"level.claims.submit": "yes", "reason": "letter of 3 May"}
    shown = post_form(nora, form, "levels-form", **wanted)
    assert "claims.submit" in shown.text and "They lose:" in shown.text
    assert world.row(alone).version == alone.version, "showing changes nothing"
    assert post_form(nora, shown, "levels-form", reason="letter of 3 May").status_code == 303
    after = world.row(alone)
    assert {level.level for level in after.levels} == {"claims.submit"}
    assert (after.epoch, after.account_manager) == (alone.epoch + 1, False)
    (told,) = events(make, "levels_changed")
    assert told.details == {"before": ["claims.inquiry"], "after": ["claims.submit"]}
    assert (told.actor, told.subject_id) == (f"staff:{who.id}", alone.subject_id)
    assert [(line.action, line.text, line.author) for line in make.rows(Comment)] == [
        ("payer_set_levels", "letter of 3 May", f"staff:{who.id}")
    ]
    assert mails(make) == {"access_changed"}


def test_MODEL_7_AD_06_levels_need_a_reason_a_known_level_and_the_version_shown(
    nora: FlaskClient, world: World, alone: Affiliation, make: Any
) -> None:
    here, sure = levels_of(alone), {"version": "1", "sure": "yes", "reason": "x", "level.claims.submit": "yes"}
    assert post(nora, here, **(sure | {"reason": " "})).status_code == 422
    assert post(nora, here, **(sure | {"version": "7"})).status_code == 409
    assert post(nora, here, **(sure | {"level.root": "yes"})).status_code == 400
    assert post(nora, here, **(sure | {"account_manager": "yes"})).status_code == 400
    assert post(nora, here, version="1", reason="x").status_code == 200, "without a level: shown, then refused"
    assert post(nora, here, version="1", reason="x", sure="yes").status_code == 422
    assert world.row(alone).version == alone.version
    assert {event.outcome for event in events(make, "affiliation_changed")} == {
        "no_reason", "changed_meanwhile", "no_level",
    }  # fmt: skip


def test_MODEL_7_where_somebody_manages_the_manager_decides_on_levels_mails_and_invitations(
    nora: FlaskClient, world: World, make: Any
) -> None:
    row = world.member()
    here, there = f"/console/registrants/{row.id}", f"/console/registrants/at/{PORTAL}/{world.provider.id}/invitations"
    page = nora.get(here).text
    assert 'id="mark"' in page and 'id="disable"' in page
    assert 'id="send_reset"' not in page and 'id="levels-' not in page
    sure = {"version": "1", "sure": "yes", "reason": "x", "level.claims.submit": "yes"}
    assert post(nora, levels_of(row), **sure).status_code == 409
    assert post(nora, f"{here}/act/send_reset", version="1", reason="x").status_code == 409
    assert post(nora, f"{here}/act/start_recovery", version="1", reason="x").status_code == 404
    assert 'id="invite-form"' not in nora.get(there).text
    invited = post(nora, there, email="new@clinic.test", reason="x", **{"level.claims.inquiry": "yes"})
    assert invited.status_code == 409
    assert make.rows(Invitation) == [] and mails(make) == set()
    assert world.row(row).version == row.version
    refused = events(make, "affiliation_changed", "invitation_sent")
    assert [event.outcome for event in refused] == ["has_a_manager"] * 3


def test_MODEL_7_the_registrar_gives_the_mark_by_the_payer_s_word_and_the_managers_are_told(
    nora: FlaskClient, world: World, make: Any
) -> None:
    row = world.member()
    here = f"/console/registrants/{row.id}/act/mark"
    asked = nora.get(here)
    assert "so are the other account managers" in asked.text
    assert press(nora, asked, here, reason="").status_code == 422
    assert press(nora, asked, here, reason="elected by the owners").status_code == 303
    after = world.row(row)
    assert after.account_manager and {level.level for level in after.levels} == {"admin", "claims.inquiry"}
    assert ("payer", PORTAL) in {(proof.kind, proof.portal) for proof in after.evidence}
    assert world.mails() == [("access_changed", address_of(make, row)), ("manager_mark", address_of(make, world.mine))]
    assert press(nora, asked, here, reason="again").status_code == 409
    gone = nora.get(f"/console/registrants/{row.id}/act/unmark")
    assert press(nora, gone, f"/console/registrants/{row.id}/act/unmark", reason="a slip").status_code == 303
    assert not world.row(row).account_manager
    assert [mail[0] for mail in world.mails()].count("manager_mark") == 2


def address_of(make: Any, row: Affiliation) -> str:
    person = next(each for each in make.rows(Subject) if each.id == row.subject_id)
    return str(person.email)


def test_MODEL_7_AD_19_the_reset_mail_goes_to_the_person_and_the_page_shows_no_secret(
    nora: FlaskClient, alone: Affiliation, make: Any, who: Any
) -> None:
    here = f"/console/registrants/{alone.id}/act/send_reset"
    done = press(nora, nora.get(here), here, reason="called us, checked by birth date")
    assert done.status_code == 303
    told = events(make, "password_reset_asked", "member_helped")
    assert {event.actor for event in told} == {f"staff:{who.id}"}
    assert {event.subject_id for event in told} == {alone.subject_id}
    (mail,) = make.rows(OutboxMessage)
    assert mail.notice in {"password_reset", "no_password"}
    assert "token=" not in nora.get(done.location).text


def test_E10_MODEL_7_the_registrar_invites_the_first_manager_and_their_word_is_the_payer_s(
    nora: FlaskClient, alone: Affiliation, make: Any, who: Any
) -> None:
    here = f"/console/registrants/at/{PORTAL}/{alone.target_id}/invitations"
    typed = {"email": "iris@clinic.test", "first_name": "Iris", "last_name": "Adler", "level.admin": "yes"}
    assert post(nora, here, **typed, reason=" ").status_code == 422
    assert post(nora, here, **(typed | {"email": "none"}), reason="x").status_code == 422
    assert post(nora, here, **typed, **{"level.root": "yes"}, reason="x").status_code == 400
    assert make.rows(Invitation) == []
    assert post_form(nora, nora.get(here), "invite-form", **typed, reason="owner by deed").status_code == 303
    (sent,) = make.rows(Invitation)
    assert (sent.evidence, sent.levels, sent.invited_by) == ("payer", ["admin"], f"staff:{who.id}")
    (told,) = events(make, "member_helped")
    assert told.details == {"act": "invite", "invitation": str(sent.id), "reason": "owner by deed"}
    again = f"{here}/{sent.id}/resend"
    assert press(nora, nora.get(here), again).status_code == 303
    assert press(nora, nora.get(here), f"{here}/{sent.id}/take-back").status_code == 303
    assert make.rows(Invitation)[0].voided_at is not None
    assert post(nora, again).status_code == 404, "what was taken back is gone"


def test_AD_02_foreign_ids_look_non_existent_to_a_registrar_too(
    nora: FlaskClient, world: World, alone: Affiliation, make: Any
) -> None:
    at = "/console/registrants/at"
    sent = {"version": "1", "reason": "x", "sure": "yes", "level.claims.submit": "yes"}
    invite = {"email": "a@clinic.test", "reason": "x"}
    for path, data in (
        (f"/console/registrants/{uuid4()}/act/disable", {"version": "1", "reason": "x"}),
        (f"/console/registrants/{uuid4()}/levels/{PORTAL}", sent),
        (f"/console/registrants/{alone.id}/levels/elsewhere", sent),
        (f"/console/registrants/{alone.id}/levels/nothing", sent),
        (f"/console/registrants/{alone.id}/act/verify", {"version": "1", "reason": "x"}),
        (f"{at}/{PORTAL}/{uuid4()}/invitations", invite),
        (f"{at}/elsewhere/{alone.target_id}/invitations", invite),
        (f"{at}/{PORTAL}/{alone.target_id}/invitations/{uuid4()}/resend", {}),
    ):
        if not path.endswith("resend"):
            assert nora.get(path).status_code == 404, path
        assert post(nora, path, **data).status_code == 404, path
    assert world.row(alone).version == alone.version


def test_AD_07_AD_11_not_on_oneself_not_by_other_staff_not_after_the_role_is_gone(
    nora: FlaskClient, world: World, alone: Affiliation, make: Any, who: Any, new_browser: Callable[[], FlaskClient]
) -> None:
    own = make.affiliation(
        who, make.provider("100200997", tin="981110003"), registry="heartland", portal=PORTAL,
        levels=((PORTAL, "claims.inquiry"),),
    )  # fmt: skip
    for act in ("mark", "disable", "remove", "send_reset", "comment"):
        assert post(nora, f"/console/registrants/{own.id}/act/{act}", version="1", reason="x").status_code == 403
    sure = {"version": "1", "sure": "yes", "reason": "x", "level.claims.submit": "yes"}
    assert post(nora, levels_of(own), **sure).status_code == 403
    assert world.row(own).version == own.version
    for role in (HELP_DESK, AUDITOR, ADMINISTRATOR):
        theirs = enter_as(new_browser(), make, staff(make, role))
        for path in (f"/console/registrants/{alone.id}/act/mark", levels_of(alone)):
            assert theirs.get(path).status_code == 403
            assert post(theirs, path, **sure).status_code == 403
    with writing() as tx:
        tx.execute(delete(StaffMember).where(StaffMember.subject_id == who.id))
    assert post(nora, levels_of(alone), **sure).status_code == 403
    assert world.row(alone).version == alone.version


def test_AD_11_a_role_lost_between_the_guard_and_the_act_is_lost(
    world: World, alone: Affiliation, make: Any, who: Any
) -> None:
    row, _cookie = make.session(who)
    by = By(who.id, "Nora Whitlock", HERE, world.now, session_facts(row))
    with writing() as tx:
        tx.execute(delete(StaffMember).where(StaffMember.subject_id == who.id))
    refused = keeping.keep(by, Asked(Act.DISABLE, alone.id, alone.version, text="x"))
    assert refused == Refused(Reason.NOT_THEIRS)
    assert world.row(alone).version == alone.version
