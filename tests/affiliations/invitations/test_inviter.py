"""Who invited must still be allowed to when the invitation is accepted (AD-12, AD-14): on both databases."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from idp.affiliations.deciding.rules import Act
from idp.affiliations.deciding.service import Done
from idp.affiliations.invitations import inviting
from idp.affiliations.invitations import service as invitations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import Reason
from idp.affiliations.invitations.service import Accepted, Offer
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.foundation.database import see_as, writing
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import Acting, TargetKind
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import HERE, World

pytestmark = pytest.mark.both
BROWSER = b"b" * 32
MAILBOX = "second.mailbox@mail.test"


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def dan(make: Any) -> Subject:
    subject: Subject = make.subject("deputy.dan")
    return subject


def invite(world: World, by: Acting, *, levels: Sequence[str] = ("admin",)) -> str:
    """Invited, opened in a browser; what is left is the yes."""
    with writing() as tx:
        made = inviting.invite(
            tx, acting=by, party=world.party, email=MAILBOX, given_name="Second", family_name="Mailbox",
            levels=levels, locale="en", now=world.now, origin=HERE,
        )  # fmt: skip
    assert not isinstance(made, Refused)
    return world.link("invitation")


def say_yes(world: World, token: str) -> Accepted | Refused:
    known = [row for row in world.make.rows(Subject) if row.email == MAILBOX]
    subject = known[0] if known else world.make.subject("second.mailbox", email=MAILBOX)
    offer = invitations.present(token, browser_digest=BROWSER, now=world.now, origin=HERE)
    if not isinstance(offer, Offer):
        return offer
    with writing() as tx:
        return invitations.accept(
            tx, invitation_id=offer.id, browser_digest=BROWSER, subject_id=subject.id, now=world.now, origin=HERE
        )


def without_a_word(world: World, row: Affiliation, **changed: object) -> None:
    """What no service of ours does: the mark goes and the invitation is left as it was."""
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).where(Affiliation.id == row.id).values(**changed))


def seconds(world: World) -> list[Affiliation]:
    mine = {row.id for row in world.make.rows(Subject) if row.email == MAILBOX}
    return [row for row in world.make.rows(Affiliation) if row.subject_id in mine]


def outcomes(world: World, kind: str) -> list[str]:
    return [row.outcome for row in world.make.rows(AuditEvent) if row.type == kind]


@pytest.mark.parametrize(
    ("act", "levels"),
    [(Act.REMOVE, ()), (Act.DISABLE, ()), (Act.SET_LEVELS, ("claims.inquiry",))],
)
def test_AD_12_AD_14_who_is_no_manager_any_more_comes_back_by_no_second_mailbox(
    world: World, dan: Subject, act: Act, levels: tuple[str, ...]
) -> None:
    theirs = world.manager(dan)
    token = invite(world, world.acting(dan))
    assert isinstance(world.do(act, theirs, levels=levels), Done)
    assert say_yes(world, token) == Refused(Reason.DEAD_LINK)
    assert seconds(world) == []
    assert outcomes(world, "invitation_voided") == ["ok"]


@pytest.mark.parametrize(
    "changed", [{"status": "disabled"}, {"account_manager": False}, {"status": "ended"}, {"registry_name": "ozark"}]
)
def test_AD_14_the_yes_itself_asks_whether_who_invited_still_may(
    world: World, dan: Subject, changed: dict[str, object]
) -> None:
    theirs = world.manager(dan)
    token = invite(world, world.acting(dan))
    without_a_word(world, theirs, **changed)
    assert say_yes(world, token) == Refused(Reason.INVITER_GONE)
    assert seconds(world) == []
    assert outcomes(world, "invitation_accepted") == ["inviter_gone"]


def test_AD_04_AD_14_a_level_that_the_inviter_lost_is_given_no_more(world: World, dan: Subject) -> None:
    theirs = world.manager(dan)
    token = invite(world, world.acting(dan), levels=("claims.submit",))
    assert isinstance(world.do(Act.SET_LEVELS, theirs, levels=("claims.inquiry", "admin")), Done)
    assert say_yes(world, token) == Refused(Reason.INVITER_GONE)
    assert seconds(world) == []


def test_AD_14_a_closed_account_s_invitations_give_nothing(world: World, dan: Subject) -> None:
    world.manager(dan)
    token = invite(world, world.acting(dan))
    with writing() as tx:
        tx.execute(update(Subject).where(Subject.id == dan.id).values(status="disabled"))
    assert say_yes(world, token) == Refused(Reason.INVITER_GONE)


def test_AD_12_a_practice_s_manager_takes_along_what_they_sent_for_its_providers_and_nothing_else(
    world: World, dan: Subject, make: Any
) -> None:
    row = world.manager(dan, world.practice)
    token = invite(world, world.acting(dan))
    kept = make.provider("100200301")
    world.manager(dan, kept)
    with writing() as tx:
        inviting.invite(
            tx, acting=world.acting(dan, target=kept), party=world.party, email=MAILBOX, given_name="", family_name="",
            levels=("claims.inquiry",), locale="en", now=world.now, origin=HERE,
        )  # fmt: skip
    by = world.acting(target=world.practice, kind=TargetKind.PRACTICE)
    world.manager(world.lena, world.practice)
    assert isinstance(world.do(Act.REMOVE, row, by=by), Done)
    assert isinstance(invitations.present(token, browser_digest=BROWSER, now=world.now, origin=HERE), Refused)
    assert {each.target_id: each.voided_at is None for each in make.rows(Invitation)} == {
        world.provider.id: False, kept.id: True,
    }  # fmt: skip


def test_AD_12_what_waits_for_a_registration_link_waits_for_another_manager_s(world: World, dan: Subject) -> None:
    theirs = world.manager(dan)
    waits = world.member(levels=(), status="verification_pending", activated_at=None, last_used_at=None)
    assert isinstance(world.do(Act.VERIFY, waits, by=world.acting(dan)), Done)
    first = world.link("registration_link")
    assert isinstance(world.do(Act.DISABLE, theirs), Done)
    assert isinstance(invitations.present(first, browser_digest=BROWSER, now=world.now, origin=HERE), Refused)
    assert isinstance(world.do(Act.SEND_REGISTRATION, waits), Done)
    assert len([row for row in world.make.rows(Invitation) if row.voided_at is None]) == 1


def test_MODEL_7_whoever_still_manages_has_invited_in_earnest(world: World, dan: Subject) -> None:
    world.manager(dan)
    assert isinstance(say_yes(world, invite(world, world.acting(dan))), Accepted)
    assert [row.account_manager for row in seconds(world)] == [True]


def test_MODEL_7_the_payer_s_word_stands_without_a_manager(world: World, dan: Subject) -> None:
    theirs = world.manager(dan)
    token = invite(world, world.acting(dan), levels=("claims.inquiry",))
    with writing() as tx:
        tx.execute(update(Invitation).values(evidence="payer", invited_by="staff:nora"))
    without_a_word(world, theirs, status="ended")
    assert isinstance(say_yes(world, token), Accepted)


def test_AD_14_what_is_offered_at_sign_in_asks_the_same(world: World, dan: Subject, make: Any) -> None:
    theirs = world.manager(dan)
    invite(world, world.acting(dan))
    person = make.subject("second.mailbox", email=MAILBOX)
    with writing() as tx:
        tx.execute(update(Invitation).values(at_sign_in=True, subject_id=person.id))
    without_a_word(world, theirs, account_manager=False)
    (row,) = make.rows(Invitation)
    with writing() as tx:
        outcome = invitations.accept_at_sign_in(
            tx, invitation_id=row.id, subject_id=person.id, now=world.now, origin=HERE
        )
    assert outcome == Refused(Reason.INVITER_GONE)
    assert seconds(world) == []
