"""Nobody decides for themselves by a second account, whatever its address (AD-07, AD-04)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from idp.affiliations.deciding.rules import Act, Reason
from idp.affiliations.invitations import inviting, service
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.invitations.rules import Reason as InvitationReason
from idp.affiliations.requests import deciding
from idp.affiliations.requests.rules import Reason as RequestReason
from idp.affiliations.requests.service import Submitted
from idp.foundation import house, vault
from idp.foundation.database import writing
from idp.keyring.service import Keyring
from idp.subjects.likeness import Reached, mailbox, same_person
from idp.subjects.models import FormerContact, Subject
from idp.subjects.service import phone_context
from idp.vocabulary.refused import Refused
from tests.affiliations.deciding.world import HERE, World
from tests.affiliations.requests.asking import JUNE, submit

MOBILE = "+15555550142"


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


def with_phone(person: Subject, now: Any, *, proven: bool = True) -> Subject:
    """The person has this mobile, proven by a code."""
    sealed = vault.seal(MOBILE.encode(), keys=house.get(Keyring).vault, context=phone_context(person.id))
    with writing() as tx:
        values = {"phone_sealed": sealed, "phone_verified_at": now if proven else None}
        tx.execute(update(Subject).where(Subject.id == person.id).values(**values))
    return person


def was_reached_at(make: Any, person: Subject, address: str, *, proven: bool = True) -> None:
    make._save(
        FormerContact(
            subject_id=person.id, kind="email", email=address, email_key=address, changed_at=make.now,
            verified_at=make.now if proven else None, until=make.now + timedelta(days=3),
        )
    )  # fmt: skip


def test_AD_07_one_person_is_known_by_what_is_proven_theirs() -> None:
    lena = Reached("lena", frozenset({"lena@mail.test"}), frozenset({MOBILE}))
    assert same_person(lena, Reached("lena"))
    assert same_person(lena, Reached("other", frozenset({"lena@mail.test"})))
    assert same_person(lena, Reached(None, phones=frozenset({MOBILE})))
    assert not same_person(lena, Reached("other", frozenset({"june@mail.test"}), frozenset({"+15555550143"})))
    assert not same_person(Reached(None), Reached(None)), "nothing known is nobody"
    assert mailbox("lena+second.desk@mail.test") == mailbox("lena@mail.test") != mailbox("len@mail.test")


@pytest.mark.both
@pytest.mark.parametrize("like", ["address", "tagged", "former", "phone", "second account's phone"])
def test_AD_07_nobody_approves_their_own_request_by_any_account_or_address(world: World, make: Any, like: str) -> None:
    second = make.subject("l.o", email="second@elsewhere.test")
    asks = replace(JUNE, email="second@elsewhere.test")
    if like == "address":
        asks = replace(asks, email="Lena.Ortiz@mail.test")
    elif like == "tagged":
        asks = replace(asks, email="lena.ortiz+claims@mail.test")
    elif like == "former":
        was_reached_at(make, world.lena, "second@elsewhere.test")
    else:
        with_phone(world.lena, world.now)
        asks = replace(asks, phone=MOBILE)
        if like != "phone":
            with_phone(second, world.now)
            asks = replace(asks, phone=None, subject_id=second.id)
    made = submit(world.party, world.provider.id, now=world.now, requester=asks)
    assert isinstance(made, Submitted)
    with writing() as tx:
        outcome = deciding.approve(
            tx, acting=world.acting(), party=world.party, request_id=made.request_id, version=1,
            levels=("claims.inquiry",), now=world.now, origin=HERE,
        )  # fmt: skip
    assert outcome == Refused(RequestReason.OWN)
    assert make.rows(Invitation) == []


@pytest.mark.both
def test_AD_07_what_was_never_proven_makes_nobody_the_same_person(world: World, make: Any) -> None:
    with_phone(world.lena, world.now, proven=False)
    was_reached_at(make, world.lena, "june.harwood@mail.test", proven=False)
    made = submit(world.party, world.provider.id, now=world.now, requester=replace(JUNE, phone=MOBILE))
    assert isinstance(made, Submitted)
    with writing() as tx:
        outcome = deciding.approve(
            tx, acting=world.acting(), party=world.party, request_id=made.request_id, version=1,
            levels=("claims.inquiry",), now=world.now, origin=HERE,
        )  # fmt: skip
    assert not isinstance(outcome, Refused)


@pytest.mark.both
def test_AD_07_nobody_verifies_their_second_account_nor_accepts_what_they_sent(world: World, make: Any) -> None:
    with_phone(world.lena, world.now)
    second = world.member("l.o", levels=(), status="verification_pending", activated_at=None, last_used_at=None)
    account = next(each for each in make.rows(Subject) if each.id == second.subject_id)
    with_phone(account, world.now)
    assert world.do(Act.VERIFY, second) == Refused(Reason.SELF)
    assert world.row(second).status == "verification_pending"

    def invite(address: str) -> Any:
        with writing() as tx:
            return inviting.invite(
                tx, acting=world.acting(), party=world.party, email=address, given_name="L", family_name="O",
                levels=("claims.inquiry",), locale="en", now=world.now, origin=HERE,
            )  # fmt: skip

    assert invite("lena.ortiz+2@mail.test") == Refused(Reason.SELF)
    third = make.subject("third", email="third@elsewhere.test")
    with_phone(third, world.now)
    invited = invite("third@elsewhere.test")
    service.present(world.link("invitation"), browser_digest=b"b" * 32, now=world.now, origin=HERE)
    with writing() as tx:
        outcome = service.accept(
            tx, invitation_id=invited, browser_digest=b"b" * 32, subject_id=third.id, now=world.now, origin=HERE
        )
    assert outcome == Refused(InvitationReason.OWN)
    assert {row.subject_id for row in make.rows(type(second)) if row.status == "active"} == {world.lena.id}
