"""Deciding requests and accepting the invitation, on both databases (B6–B8, AD-07, AD-08, AD-10, AD-12, EN-13, RA-05)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from idp.affiliations.deciding.rules import Reason as ActReason
from idp.affiliations.invitations import service as invitations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import Effect
from idp.affiliations.invitations.rules import Reason as InvitationReason
from idp.affiliations.invitations.service import Accepted, Offer
from idp.affiliations.models import Affiliation
from idp.affiliations.requests import deciding, service, sweeping
from idp.affiliations.requests.deciding import Decided
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.rules import Reason, Status
from idp.affiliations.requests.service import Submitted
from idp.foundation.database import reading, see_as, writing
from idp.vocabulary.affiliation import Acting, TargetKind
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import HERE, PORTAL, World
from tests.affiliations.registering.test_races import at_once
from tests.affiliations.requests.asking import JUNE, link_of, submit
from tests.attacks import invariants

pytestmark = pytest.mark.both
HOURS_120 = timedelta(hours=120)
BROWSER, OTHER_BROWSER = b"b" * 32, b"o" * 32


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def asked(world: World) -> UUID:
    found = submit(world.party, world.provider.id, now=world.now)
    assert isinstance(found, Submitted)
    return found.request_id


def approve(
    world: World,
    request_id: UUID,
    *,
    by: Acting | None = None,
    now: Any = None,
    version: int = 1,
    levels: Sequence[str] = ("claims.inquiry",),
) -> Decided | Refused:
    with writing() as tx:
        return deciding.approve(
            tx, acting=by or world.acting(), party=world.party, request_id=request_id, version=version, levels=levels,
            now=now or world.now, origin=HERE,
        )  # fmt: skip


def deny(world: World, request_id: UUID, *, now: Any = None, explanation: str = "") -> Decided | Refused:
    with writing() as tx:
        return deciding.deny(
            tx, acting=world.acting(), party=world.party, request_id=request_id, version=1, explanation=explanation,
            now=now or world.now, origin=HERE,
        )  # fmt: skip


def the_request(world: World) -> AccessRequest:
    (row,) = world.make.rows(AccessRequest)
    return row


def accept(
    world: World, subject: Any, *, browser: bytes = BROWSER, token: str | None = None, now: Any = None
) -> Accepted | Refused:
    at = now or world.now
    offer = invitations.present(token or world.link("invitation"), browser_digest=browser, now=at, origin=HERE)
    if isinstance(offer, Refused):
        return offer
    return say_yes(world, offer.id, subject, browser=browser, now=at)


def say_yes(world: World, identity: UUID, subject: Any, *, browser: bytes = BROWSER, now: Any = None) -> Any:
    with writing() as tx:
        return invitations.accept(
            tx, invitation_id=identity, browser_digest=browser, subject_id=subject.id, now=now or world.now, origin=HERE
        )


def test_B6_the_inbox_shows_what_waits_with_the_least_time_first(world: World, make: Any) -> None:
    later = world.now + timedelta(hours=1)
    first, second = (
        submit(world.party, world.provider.id, now=at, requester=replace(JUNE, email=f"p{n}@mail.test"))
        for n, at in enumerate((world.now, later))
    )
    submit(world.party, make.provider("100200301").id, now=world.now)
    with reading() as tx:
        page = deciding.inbox(tx, acting=world.acting(), party=world.party, now=later, after=None, limit=1)
        assert not isinstance(page, Refused)
        key = (page[-1].submitted_at, page[-1].id)
        rest = deciding.inbox(tx, acting=world.acting(), party=world.party, now=later, after=key, limit=9)
        assert not isinstance(rest, Refused)
        gone = deciding.inbox(tx, acting=world.acting(), party=world.party, now=later + HOURS_120, after=None, limit=9)
    assert [each.id for each in (*page, *rest)] == [first.request_id, second.request_id]
    assert page[0].decide_by == world.now + HOURS_120
    assert gone == ()


def test_B7_approved_invited_accepted_active_and_closed(world: World, make: Any, asked: UUID) -> None:
    assert approve(world, asked) == Decided(asked, Status.APPROVED)
    assert (the_request(world).status, the_request(world).decided_by) == ("approved", world.lena.id)
    assert ("invitation", "June.Harwood@mail.test") in world.mails()
    june = make.subject("june.harwood", email="june.harwood@mail.test")
    found = accept(world, june, now=world.now + timedelta(days=6))
    assert isinstance(found, Accepted)
    assert (found.effect, found.portal) == (Effect.NEW, PORTAL)
    row = make.row(Affiliation, found.affiliation_id)
    assert (row.subject_id, row.status, row.account_manager) == (june.id, "active", False)
    held = next(each for each in make.rows(Affiliation) if each.id == row.id)
    assert [(proof.kind, proof.by) for proof in held.evidence] == [("manager", world.lena.id)]
    assert [(level.portal, level.level) for level in held.levels] == [(PORTAL, "claims.inquiry")]
    assert (the_request(world).status, the_request(world).affiliation_id) == ("closed", row.id)


def test_B7_denied_with_the_reason_in_the_mail(world: World, asked: UUID) -> None:
    assert deny(world, asked, explanation="Please call us first.") == Decided(asked, Status.DENIED)
    row = the_request(world)
    assert (row.status, row.cause, row.decision_reason) == ("denied", "manager", "Please call us first.")
    assert ("access_request_denied", "June.Harwood@mail.test") in world.mails()
    assert deny(world, asked) == Refused(Reason.DECIDED)


def test_AD_08_an_approval_one_second_late_is_refused_though_no_sweep_ran(world: World, asked: UUID) -> None:
    late = world.now + HOURS_120
    assert approve(world, asked, now=late) == Refused(Reason.EXPIRED)
    assert deny(world, asked, now=late) == Refused(Reason.EXPIRED)
    assert (the_request(world).status, world.make.rows(Invitation)) == ("pending", [])
    assert isinstance(approve(world, asked, now=late - timedelta(seconds=1)), Decided)


def test_AD_07_nobody_approves_their_own_request_nor_by_a_second_account(world: World) -> None:
    own = submit(world.party, world.provider.id, now=world.now, requester=replace(JUNE, email="Lena.Ortiz@mail.test"))
    assert isinstance(own, Submitted)
    assert approve(world, own.request_id) == Refused(Reason.OWN)


def test_B5_a_practice_s_manager_decides_what_is_asked_of_its_providers(world: World, make: Any, asked: UUID) -> None:
    head, other = make.subject("head.helen"), make.subject("other.olga")
    world.manager(head, world.practice)
    elsewhere = make.practice("981112224")
    make.provider("100200309", practice=elsewhere, tin="981112224")
    world.manager(other, elsewhere)
    by = world.acting(head, target=world.practice, kind=TargetKind.PRACTICE)
    foreign = world.acting(other, target=elsewhere, kind=TargetKind.PRACTICE)
    with reading() as tx:
        page = deciding.inbox(tx, acting=by, party=world.party, now=world.now, after=None, limit=9)
        assert not isinstance(page, Refused)
        assert [each.id for each in page] == [asked]
        named = deciding.names(tx, page, registry="heartland", now=world.now)
        assert named == {world.provider.id: "DELGADO, ROSA"}
        assert deciding.inbox(tx, acting=foreign, party=world.party, now=world.now, after=None, limit=9) == ()
    assert approve(world, asked, by=foreign) == Refused(Reason.UNKNOWN)
    assert approve(world, asked, by=by) == Decided(asked, Status.APPROVED)
    (invitation,) = make.rows(Invitation)
    assert (invitation.target_kind, invitation.target_id) == ("provider", world.provider.id)


def test_MODEL_10_a_record_that_left_the_practice_is_not_its_manager_s_to_decide(
    world: World, make: Any, asked: UUID
) -> None:
    head = make.subject("head.helen")
    world.manager(head, world.practice)
    by = world.acting(head, target=world.practice, kind=TargetKind.PRACTICE)
    make.provider("100200308", practice=world.practice, tin="981112223")
    kind, elsewhere = type(world.provider), make.practice("981112224")
    with writing() as tx:
        tx.execute(update(kind).where(kind.id == world.provider.id).values(practice_id=elsewhere.id))
    assert approve(world, asked, by=by) == Refused(Reason.UNKNOWN)


def test_AD_02_a_request_for_another_target_does_not_exist(world: World, make: Any) -> None:
    foreign = submit(world.party, make.provider("100200301").id, now=world.now)
    assert isinstance(foreign, Submitted)
    for identity in (foreign.request_id, uuid4()):
        assert approve(world, identity) == Refused(Reason.UNKNOWN)


def test_AD_11_a_demoted_manager_decides_nothing(world: World, make: Any, asked: UUID) -> None:
    stranger = make.subject("nobody.ned")
    make.affiliation(stranger, world.provider)
    assert approve(world, asked, by=world.acting(stranger)) == Refused(ActReason.NOT_A_MANAGER)


def test_AD_04_an_approval_gives_only_what_the_manager_holds(world: World, make: Any, asked: UUID) -> None:
    deputy = make.subject("deputy.dan")
    world.manager(deputy, levels=((PORTAL, "claims.inquiry"), (PORTAL, "admin")))
    by = world.acting(deputy)
    assert approve(world, asked, by=by, levels=("claims.submit",)) == Refused(ActReason.NOT_HELD)
    assert approve(world, asked, by=by, levels=()) == Refused(ActReason.NO_LEVEL)
    assert approve(world, asked, by=by, version=9) == Refused(Reason.CHANGED_MEANWHILE)
    assert isinstance(approve(world, asked, by=by), Decided)


def test_EN_13_an_invitation_is_for_its_address_its_browser_and_once(world: World, make: Any, asked: UUID) -> None:
    approve(world, asked)
    june, mallory = make.subject("june", email="june.harwood@mail.test"), make.subject("mallory")
    offer = invitations.present(world.link("invitation"), browser_digest=BROWSER, now=world.now, origin=HERE)
    assert isinstance(offer, Offer)
    assert say_yes(world, offer.id, mallory) == Refused(InvitationReason.NOT_YOURS)
    assert say_yes(world, offer.id, june, browser=OTHER_BROWSER) == Refused(InvitationReason.UNKNOWN)
    assert isinstance(say_yes(world, offer.id, june), Accepted)
    assert say_yes(world, offer.id, june) == Refused(InvitationReason.DEAD_LINK)
    assert accept(world, june) == Refused(InvitationReason.DEAD_LINK)


def test_EN_13_a_link_that_expired_is_dead_though_nothing_was_purged(world: World, make: Any, asked: UUID) -> None:
    approve(world, asked)
    june = make.subject("june", email="june.harwood@mail.test")
    assert accept(world, june, now=world.now + timedelta(days=9)) == Refused(InvitationReason.DEAD_LINK)


def test_RC_19_an_unproven_mailbox_accepts_nothing(world: World, make: Any, asked: UUID) -> None:
    approve(world, asked)
    june = make.subject("june", email="june.harwood@mail.test", email_verified_at=None, status="unverified")
    assert accept(world, june) == Refused(InvitationReason.MAILBOX_UNPROVEN)


def test_AD_12_withdrawn_or_taken_back_after_the_approval_the_invitation_is_dead(
    world: World, make: Any, asked: UUID
) -> None:
    approve(world, asked)
    june = make.subject("june", email="june.harwood@mail.test")
    token = world.link("invitation")
    assert service.withdraw(link_of(make), now=world.now, origin=HERE) is None
    assert accept(world, june, token=token) == Refused(InvitationReason.DEAD_LINK)
    assert the_request(world).status == "withdrawn"
    assert [row for row in make.rows(Affiliation) if row.subject_id == june.id] == []


def test_AD_12_whose_address_changed_after_the_approval_accepts_nothing(world: World, make: Any, now: Any) -> None:
    june = make.subject("june", email="june.harwood@mail.test")
    requester = replace(JUNE, subject_id=june.id)
    found = submit(world.party, world.provider.id, now=now, requester=requester)
    assert isinstance(found, Submitted)
    approve(world, found.request_id)
    kind = type(june)
    with writing() as tx:
        tx.execute(update(kind).where(kind.id == june.id).values(email="new@mail.test", email_key="new@mail.test"))
    assert accept(world, june) == Refused(InvitationReason.NOT_YOURS)


def test_B7_an_approval_wakes_what_a_manager_disabled_and_adds_to_what_is_too_weak(world: World, make: Any) -> None:
    june = make.subject("june", email="june.harwood@mail.test")
    row = make.affiliation(june, world.provider, evidence="directory", status="disabled", disabled_by="manager")
    found = submit(world.party, world.provider.id, now=world.now)
    assert isinstance(found, Submitted)
    approve(world, found.request_id)
    outcome = accept(world, june)
    assert isinstance(outcome, Accepted)
    assert (outcome.effect, outcome.affiliation_id) == (Effect.ACTIVATE, row.id)
    after = world.row(row)
    assert (after.status, after.disabled_by) == ("active", None)
    assert {proof.kind for proof in after.evidence} == {"directory", "manager"}


@pytest.mark.parametrize("race", range(5))
def test_RA_05_approved_denied_withdrawn_and_expired_at_once_ends_in_one_state(
    app: Any, world: World, make: Any, asked: UUID, race: int
) -> None:
    token, last = link_of(make), world.now + HOURS_120 - timedelta(seconds=1)

    def expire() -> int:
        with writing() as tx:
            see_as(tx, everything=True)
            return sweeping.deny_overdue(tx, now=world.now + HOURS_120, batch=9)

    outcomes = at_once(
        app,
        lambda: approve(world, asked, now=last),
        lambda: deny(world, asked, now=last),
        lambda: approve(world, asked, now=last),
        expire,
    )
    assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
    row = the_request(world)
    sent = [mail for mail in world.mails() if mail[0] in ("invitation", "access_request_denied")]
    assert row.version == 2
    assert len(sent) == 1, "one mail tells of it"
    assert len(make.rows(Invitation)) == (1 if row.status == "approved" else 0)
    assert service.withdraw(token, now=last, origin=HERE) == (
        None if row.status == "approved" else Refused(Reason.NOT_PENDING)
    )
    invariants.hold()


@pytest.mark.parametrize("race", range(5))
def test_RA_05_accepted_and_withdrawn_at_once_is_one_of_both(
    app: Any, world: World, make: Any, asked: UUID, race: int
) -> None:
    approve(world, asked)
    token, june = link_of(make), make.subject("june", email="june.harwood@mail.test")
    offer = invitations.present(world.link("invitation"), browser_digest=BROWSER, now=world.now, origin=HERE)
    assert isinstance(offer, Offer)
    accepted, withdrawn = at_once(
        app,
        lambda: say_yes(world, offer.id, june),
        lambda: service.withdraw(token, now=world.now, origin=HERE),
    )
    assert not [each for each in (accepted, withdrawn) if isinstance(each, Exception)], (accepted, withdrawn)
    assert isinstance(accepted, Accepted) is (withdrawn is not None)
    has_access = [row.status for row in make.rows(Affiliation) if row.subject_id == june.id]
    assert (the_request(world).status, has_access) in [("closed", ["active"]), ("withdrawn", [])]
    invariants.hold()


@pytest.mark.parametrize("race", range(3))
def test_RA_05_one_invitation_accepted_four_times_at_once_makes_one_affiliation(
    app: Any, world: World, make: Any, asked: UUID, race: int
) -> None:
    approve(world, asked)
    june = make.subject("june", email="june.harwood@mail.test")
    offer = invitations.present(world.link("invitation"), browser_digest=BROWSER, now=world.now, origin=HERE)
    assert isinstance(offer, Offer)
    outcomes = at_once(app, *[lambda: say_yes(world, offer.id, june)] * 4)
    assert sum(isinstance(each, Accepted) for each in outcomes) == 1, outcomes
    assert len([row for row in make.rows(Affiliation) if row.subject_id == june.id]) == 1
