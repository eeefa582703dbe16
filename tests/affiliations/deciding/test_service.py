"""Managers' acts on both databases: what changes, who hears of it, and what looks non-existent (E3–E10, D8, AD)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from idp.affiliations.deciding import service
from idp.affiliations.deciding.facts import history
from idp.affiliations.deciding.models import Comment
from idp.affiliations.deciding.rules import Act, Reason
from idp.affiliations.deciding.service import Done
from idp.affiliations.invitations import service as invitations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.service import Accepted, Offer
from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.foundation.database import reading, see_as, writing
from idp.relying_parties import service as relying_parties
from idp.sessions.models import LogoutDelivery
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import HERE, PORTAL, World
from tests.affiliations.registering.test_races import at_once
from tests.attacks import invariants
from tests.attacks.strings import POLYGLOTS, SEEDED

pytestmark = pytest.mark.both


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


def lines(world: World, row: Any) -> list[tuple[int, str, str]]:
    with reading() as tx:
        see_as(tx, target_id=world.provider.id)
        return [(line.number, line.action, line.text) for line in history(tx, row.id, limit=50)]


def events(world: World, kind: str) -> list[tuple[str, str | None]]:
    rows = sorted(world.make.rows(AuditEvent), key=lambda row: row.sequence)
    return [(row.outcome, row.actor) for row in rows if row.type == kind]


def test_E3_verifying_makes_unverified_with_the_manager_s_word_and_the_registration_mail(world: World) -> None:
    row = world.member(levels=(), status="verification_pending", activated_at=None, last_used_at=None)
    assert isinstance(world.do(Act.VERIFY, row), Done)
    after = world.row(row)
    assert (after.status, after.epoch, after.version) == ("unverified", 2, 2)
    assert [(proof.kind, proof.by) for proof in after.evidence][-1] == ("manager", world.lena.id)
    assert world.mails() == [("registration_link", "oscar.benitez@mail.test")]
    assert lines(world, row) == [(1, "verify", "")]


def test_MODEL_10_a_refused_claim_is_ended_and_told(world: World) -> None:
    row = world.member(levels=(), status="verification_pending", activated_at=None)
    assert isinstance(world.do(Act.REFUSE, row), Done)
    assert world.row(row).status == "ended"
    assert world.mails() == [("verification_lapsed", "oscar.benitez@mail.test")]


def test_E4_disabling_ends_what_runs_and_enabling_asks_for_the_mailbox_anew(world: World, make: Any) -> None:
    row = world.member()
    session, _ = make.session(make.row(type(world.lena), row.subject_id))
    make.grant(session, PORTAL, affiliation=row, provider=world.provider)
    assert isinstance(world.do(Act.DISABLE, row), Done)
    assert (world.row(row).status, world.row(row).disabled_by, world.row(row).epoch) == ("disabled", "manager", 2)
    assert len(make.rows(LogoutDelivery)) == 1
    assert isinstance(world.do(Act.ENABLE, row), Done)
    after = world.row(row)
    assert (after.status, after.disabled_by) == ("unverified", None)
    assert {(held.portal, held.level) for held in after.levels} == {(PORTAL, "claims.inquiry")}, "levels are kept"
    assert [notice for notice, _ in world.mails()] == ["access_ended", "registration_link"]


def test_AD_26_who_is_enabled_again_keeps_the_factors_and_proves_the_mailbox_afresh(world: World, make: Any) -> None:
    row = world.member()
    make.totp(make.row(type(world.lena), row.subject_id))
    before = [(each.id, each.kind) for each in make.rows(HeldFactor)]
    assert isinstance(world.do(Act.DISABLE, row), Done)
    assert isinstance(world.do(Act.ENABLE, row), Done)
    assert [(each.id, each.kind) for each in make.rows(HeldFactor)] == before != []
    assert world.row(row).status == "unverified", "no access until the link was opened"
    offer = invitations.present(world.link("registration_link"), browser_digest=b"b" * 32, now=world.now, origin=HERE)
    assert isinstance(offer, Offer)
    with writing() as tx:
        done = invitations.accept(
            tx, invitation_id=offer.id, browser_digest=b"b" * 32, subject_id=row.subject_id, now=world.now, origin=HERE
        )
    assert isinstance(done, Accepted)
    assert world.row(row).status == "active"


def test_E6_who_reads_dormant_is_enabled_without_being_told_that_access_ended(world: World, now: Any) -> None:
    old = now - timedelta(days=100)
    row = world.member(activated_at=old, last_used_at=old)
    assert isinstance(world.do(Act.ENABLE, row), Done)
    assert world.row(row).status == "unverified"
    assert [notice for notice, _ in world.mails()] == ["registration_link"]


def test_D8_removing_a_clerk_ends_this_access_and_no_other(world: World, make: Any) -> None:
    row = world.member()
    other = make.affiliation(make.row(type(world.lena), row.subject_id), make.provider("100200301"))
    assert isinstance(world.do(Act.REMOVE, row), Done)
    assert (world.row(row).status, world.row(other).status) == ("ended", "active")
    assert world.do(Act.ENABLE, row) == Refused(Reason.NOT_IN_THIS_STATE), "an end is final"


def test_E7_levels_change_within_what_the_manager_holds_and_tokens_with_them(world: World) -> None:
    row = world.member()
    assert isinstance(world.do(Act.SET_LEVELS, row, levels=("claims.submit", "admin")), Done)
    after = world.row(row)
    assert {held.level for held in after.levels} == {"claims.submit", "admin"}
    assert (after.account_manager, after.epoch, after.version) == (True, 2, 2)
    assert world.mails() == [("access_changed", "oscar.benitez@mail.test")]
    assert lines(world, row) == [(1, "set_levels", "+admin, +claims.submit, -claims.inquiry")]
    assert events(world, "levels_changed") == [("ok", world.lena.id)]


def test_AD_04_a_manager_with_fewer_levels_gives_no_more(world: World, make: Any) -> None:
    deputy = make.subject("deputy.dan")
    world.manager(deputy, levels=((PORTAL, "claims.inquiry"), (PORTAL, "admin")))
    row, by = world.member(), world.acting(deputy)
    wanted = ("claims.inquiry", "claims.submit")
    assert world.do(Act.SET_LEVELS, row, by=by, levels=wanted) == Refused(Reason.NOT_HELD)
    assert world.do(Act.SET_LEVELS, row, by=by, levels=("root",)) == Refused(Reason.NO_SUCH_LEVEL)
    assert isinstance(world.do(Act.SET_LEVELS, row, by=by, levels=("claims.inquiry", "admin")), Done)


@pytest.mark.parametrize("act", Act)
def test_AD_02_what_is_not_this_manager_s_does_not_exist(world: World, make: Any, act: Act) -> None:
    theirs = make.affiliation(make.subject(), make.provider("100200301"))
    of_practice = make.affiliation(make.subject(), world.practice, registry="heartland")
    for foreign in (theirs, of_practice, uuid4()):
        assert world.do(act, foreign, levels=("claims.inquiry",)) == Refused(Reason.UNKNOWN)
    assert world.row(theirs).version == world.row(of_practice).version == 1


def test_AD_02_nobody_acts_at_a_portal_of_another_registry(world: World) -> None:
    row, other = world.member(), relying_parties.find("elsewhere")
    assert world.do(Act.DISABLE, row, party=other) == Refused(Reason.NOT_A_MANAGER)


def test_AD_11_a_manager_demoted_since_the_page_was_shown_does_nothing(world: World, make: Any) -> None:
    row, deputy = world.member(), make.subject("deputy.dan")
    theirs = world.manager(deputy)
    by = world.acting(deputy)
    assert isinstance(world.do(Act.SET_LEVELS, theirs, levels=("claims.inquiry",)), Done)
    assert world.do(Act.DISABLE, row, by=by) == Refused(Reason.NOT_A_MANAGER)
    assert world.row(row).status == "active"
    assert ("not_a_manager", deputy.id) in events(world, "affiliation_changed")


def test_MODEL_1_a_manager_by_weaker_proof_than_the_portal_accepts_is_none_there(world: World, make: Any) -> None:
    weak = make.subject("weak.wanda")
    make.affiliation(weak, world.provider, account_manager=True, evidence="directory")
    assert world.do(Act.DISABLE, world.member(), by=world.acting(weak)) == Refused(Reason.NOT_A_MANAGER)


def test_MODEL_1_a_practice_s_manager_acts_on_its_provider_s_people(world: World, make: Any) -> None:
    head = make.subject("head.helen")
    world.manager(head, world.practice)
    row = world.member()
    assert isinstance(world.do(Act.DISABLE, row, by=world.acting(head)), Done)
    of_practice = make.affiliation(make.subject(), world.practice, registry="heartland")
    narrow = world.acting(world.lena, target=world.practice, kind=TargetKind.PRACTICE)
    assert world.do(Act.DISABLE, of_practice, by=narrow) == Refused(Reason.NOT_A_MANAGER)


def test_AD_03_only_the_affiliation_is_disabled_never_the_person(world: World, make: Any) -> None:
    row = world.member()
    before = make.row(type(world.lena), row.subject_id)
    world.do(Act.DISABLE, row)
    after = make.row(type(world.lena), row.subject_id)
    assert (after.status, after.epoch, after.version) == (before.status, before.epoch, before.version)


def test_AD_20_a_manager_has_so_many_mails_sent_an_hour(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(service, "MAILS_A_MANAGER", replace(service.MAILS_A_MANAGER, limit=2))
    rows = [world.member(f"clerk.n{number}") for number in range(3)]
    outcomes = [world.do(Act.SEND_RESET, row) for row in rows]
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [False, False, True]


def test_AD_20_a_person_is_mailed_five_times_an_hour(world: World, now: Any) -> None:
    row = world.member(status="unverified", activated_at=None)
    found = [world.do(Act.SEND_REGISTRATION, row) for _ in range(6)]
    assert [isinstance(each, Done) for each in found] == [True] * 5 + [False]
    assert found[-1] == Refused(Reason.TOO_MANY)
    assert isinstance(world.do(Act.SEND_REGISTRATION, row, now=now + timedelta(hours=1)), Done)
    open_ones = [each for each in world.make.rows(Invitation) if each.voided_at is None]
    assert len(open_ones) == 1, "a resent link is the only one that works"


@pytest.mark.parametrize("said", SEEDED + POLYGLOTS[2:6])
def test_E9_a_comment_is_kept_as_it_was_said_and_in_no_audit_event(world: World, said: str) -> None:
    row = world.member()
    assert isinstance(world.do(Act.COMMENT, row, text=said), Done)
    assert world.do(Act.COMMENT, row, text="x" * 201) == Refused(Reason.TOO_LONG)
    assert lines(world, row) == [(1, "comment", said)]
    assert all(said not in str(each.details) for each in world.make.rows(AuditEvent))


def test_E9_comments_are_numbered_and_no_other_target_sees_them(world: World, make: Any, backend: Any) -> None:
    row = world.member()
    for text in ("first", "second"):
        world.do(Act.COMMENT, row, text=text)
    assert lines(world, row) == [(2, "comment", "second"), (1, "comment", "first")]
    with reading() as tx:
        see_as(tx, target_id=make.provider("100200301").id)
        seen = tx.scalars(select(Comment)).all()
        assert len(seen) == (0 if backend.name == "postgres" else 2)


@pytest.mark.parametrize("race", range(5))
def test_RA_06_two_last_managers_who_demote_each_other_leave_one(app: Any, world: World, make: Any, race: int) -> None:
    deputy = make.subject("deputy.dan")
    theirs = world.manager(deputy)
    first, second = world.acting(), world.acting(deputy)
    outcomes = at_once(
        app,
        lambda: world.do(Act.SET_LEVELS, theirs, by=first, levels=("claims.inquiry",), version=1),
        lambda: world.do(Act.REMOVE, world.mine, by=second, version=1),
    )
    assert sum(isinstance(each, Done) for each in outcomes) == 1, outcomes
    left = [row for row in (world.row(world.mine), world.row(theirs)) if row.account_manager and row.status == "active"]
    assert len(left) == 1
    invariants.hold()
