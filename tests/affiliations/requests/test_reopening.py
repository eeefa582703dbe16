"""An approval whose approver is gone is decided anew, with no link left that works (MODEL §10, AD-12, AD-14): both databases."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.affiliations.deciding.rules import Act
from idp.affiliations.deciding.service import Done
from idp.affiliations.invitations import inviting
from idp.affiliations.invitations import service as invitations
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import Reason
from idp.affiliations.invitations.service import Accepted, Offer
from idp.affiliations.models import Affiliation
from idp.affiliations.requests import deciding, service
from idp.affiliations.requests.models import AccessRequest
from idp.affiliations.requests.reopening import reopen_orphaned
from idp.affiliations.requests.rules import Answer
from idp.affiliations.requests.service import Submitted
from idp.audit.models import AuditEvent
from idp.foundation.database import see_as, writing
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import Acting
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import HERE, World
from tests.affiliations.requests.asking import link_of, submit

pytestmark = pytest.mark.both
BROWSER = b"b" * 32


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


@pytest.fixture
def dan(make: Any, world: World) -> Affiliation:
    """Another manager, who approves."""
    return world.manager(make.subject("deputy.dan"))


def approved(world: World, by: Acting | None = None) -> UUID:
    made = submit(world.party, world.provider.id, now=world.now)
    assert isinstance(made, Submitted)
    approve(world, made.request_id, by=by)
    return made.request_id


def approve(world: World, request_id: UUID, *, by: Acting | None = None, version: int = 1, now: Any = None) -> None:
    with writing() as tx:
        outcome = deciding.approve(
            tx, acting=by or world.acting(), party=world.party, request_id=request_id, version=version,
            levels=("claims.inquiry",), now=now or world.now, origin=HERE,
        )  # fmt: skip
    assert not isinstance(outcome, Refused), outcome


def the_request(world: World) -> AccessRequest:
    (row,) = world.make.rows(AccessRequest)
    return row


def sweep(world: World, *, hours: int = 1) -> int:
    with writing() as tx:
        see_as(tx, everything=True)
        return reopen_orphaned(tx, now=world.now + timedelta(hours=hours), batch=50)


def say_yes(world: World, *, now: Any = None) -> Accepted | Refused:
    known = [row for row in world.make.rows(Subject) if row.user_id == "june"]
    june = known[0] if known else world.make.subject("june", email="june.harwood@mail.test")
    moment = now or world.now
    offer = invitations.present(world.link("invitation"), browser_digest=BROWSER, now=moment, origin=HERE)
    if not isinstance(offer, Offer):
        return offer
    with writing() as tx:
        return invitations.accept(
            tx, invitation_id=offer.id, browser_digest=BROWSER, subject_id=june.id, now=moment, origin=HERE
        )


@pytest.mark.parametrize("gone", ["removed", "disabled", "left without a word"])
def test_MODEL_10_an_approval_of_who_is_gone_is_decided_anew_and_its_link_is_dead(
    world: World, dan: Affiliation, make: Any, gone: str
) -> None:
    approved(world, world.acting(next(each for each in make.rows(Subject) if each.id == dan.subject_id)))
    if gone == "left without a word":
        with writing() as tx:
            see_as(tx, everything=True)
            tx.execute(update(Affiliation).where(Affiliation.id == dan.id).values(account_manager=False))
        assert sweep(world) == 0, "the link is looked at when it is followed"
        assert say_yes(world) == Refused(Reason.INVITER_GONE)
    else:
        assert isinstance(world.do(Act.REMOVE if gone == "removed" else Act.DISABLE, dan), Done)
        assert say_yes(world) == Refused(Reason.DEAD_LINK)
    assert service.look(link_of(make), now=world.now).link is Answer.GONE  # type: ignore[union-attr]
    assert sweep(world) == 1
    row = the_request(world)
    assert (row.status, row.decided_by, row.submitted_at) == ("pending", None, world.now + timedelta(hours=1))
    assert row.escalated_at is None, "Lena manages"
    lena = next(each for each in make.rows(Subject) if each.id == world.lena.id)
    assert world.mails().count(("access_requested", lena.email)) == 2
    assert ("access_request_reopened", "June.Harwood@mail.test") in world.mails()
    (told,) = [event for event in make.rows(AuditEvent) if event.type == "access_request_reopened"]
    assert told.details["approved_by"] == dan.subject_id
    assert sweep(world) == 0, "once"
    approve(world, row.id, version=row.version, now=world.now + timedelta(hours=120))
    assert isinstance(say_yes(world, now=world.now + timedelta(hours=121)), Accepted)
    assert the_request(world).status == "closed"


def test_MODEL_10_where_nobody_manages_any_more_the_payer_decides_anew(world: World, make: Any) -> None:
    approved(world)
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(update(Affiliation).where(Affiliation.id == world.mine.id).values(status="ended"))
    assert say_yes(world) == Refused(Reason.INVITER_GONE)
    assert sweep(world) == 1
    assert the_request(world).escalated_at is not None
    assert ("access_requested", "help@payer.test") in world.mails()


def test_MODEL_10_who_asked_again_meanwhile_has_one_request(world: World, dan: Affiliation, make: Any) -> None:
    approved(world, world.acting(next(each for each in make.rows(Subject) if each.id == dan.subject_id)))
    assert isinstance(world.do(Act.REMOVE, dan), Done)
    assert isinstance(submit(world.party, world.provider.id, now=world.now), Submitted)
    assert sweep(world) == 1
    assert sorted(row.status for row in make.rows(AccessRequest)) == ["pending", "withdrawn"]


def test_AD_12_an_approval_taken_back_is_a_denial_and_one_sent_again_is_the_sender_s(
    world: World, dan: Affiliation, make: Any
) -> None:
    approved(world, world.acting(next(each for each in make.rows(Subject) if each.id == dan.subject_id)))
    (invitation,) = make.rows(Invitation)
    changing = {"acting": world.acting(), "party": world.party, "invitation_id": invitation.id, "origin": HERE}
    with writing() as tx:
        assert inviting.resend(tx, now=world.now, **changing) is None
    assert isinstance(world.do(Act.REMOVE, dan), Done)
    (sent,) = make.rows(Invitation)
    assert (sent.invited_by, sent.voided_at) == (world.lena.id, None), "Lena vouches for it now"
    assert sweep(world) == 0
    with writing() as tx:
        assert inviting.take_back(tx, now=world.now, **changing) is None
    row = the_request(world)
    assert (row.status, row.cause, row.decided_by) == ("denied", "manager", world.lena.id)
    assert ("access_request_denied", "June.Harwood@mail.test") in world.mails()
    assert sweep(world) == 0


def test_AD_12_a_new_invitation_of_the_same_address_answers_the_request(world: World, make: Any) -> None:
    approved(world)
    with writing() as tx:
        inviting.invite(
            tx, acting=world.acting(), party=world.party, email="june.harwood@mail.test", given_name="June",
            family_name="Harwood", levels=("claims.submit",), locale="en", now=world.now, origin=HERE,
        )  # fmt: skip
    assert sweep(world) == 0
    assert isinstance(say_yes(world), Accepted)
    assert the_request(world).status == "closed"


def test_B7_an_expired_link_says_so_and_a_manager_may_send_it_again(
    world: World, make: Any, client: FlaskClient, hands: Any
) -> None:
    approved(world)
    token = link_of(make)
    assert "It works for seven days" in client.get("/access-request", query_string={"token": token}).text
    hands.forward(days=7, minutes=1)
    assert "has expired" in client.get("/access-request", query_string={"token": token}).text
    assert sweep(world) == 0
    assert the_request(world).status == "approved"
