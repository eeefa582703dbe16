"""Grants as rows: reused, superseded, and dead by the next read when anything under them moves (D4, TK-06, UI-04)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Update, update

from idp.affiliations.models import Affiliation
from idp.consent import grants
from idp.consent.models import Grant
from idp.consent.rules import GrantFacts
from idp.directory.models import Practice, Provider, TradingPartner
from idp.foundation.database import reading, see_as, writing
from idp.foundation.epochs import SystemState
from idp.relying_parties.models import Client
from idp.sessions.models import BrowserSession
from idp.subjects.models import Subject
from tests.conftest import Hands
from tests.consent.conftest import Authorize, acting
from tests.consent.worlds import authorized
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both
A_DAY = timedelta(days=1)


def live(grant_id: UUID, now: datetime) -> GrantFacts | None:
    with reading() as tx:
        return grants.live(tx, grant_id=grant_id, now=now)


def change(statement: Update) -> None:
    with writing() as tx:
        see_as(tx, everything=True)
        tx.execute(statement)


def test_the_same_act_reuses_the_grant_and_adds_scopes(make: Make, authorize: Authorize, now: datetime) -> None:
    act = acting(make, make.provider())
    first = authorize(**act, scopes=frozenset({"openid", "tin"}))
    second = authorize(**act, scopes=frozenset({"openid", "email"}))
    assert first == second
    found = live(first, now)
    assert found is not None
    assert set(found.scopes.split()) == {"openid", "tin", "email"}


def test_switching_provider_supersedes(make: Make, authorize: Authorize, now: datetime) -> None:
    first = authorize(**acting(make, make.provider()))
    second = authorize(**acting(make, make.provider()))
    assert live(first, now) is None
    assert live(second, now) is not None
    assert make.row(Grant, first).revoked_reason == "superseded"


def test_an_offline_grant_stands_beside_the_sessions_for_the_same_act(
    make: Make, authorize: Authorize, now: datetime
) -> None:
    act = acting(make, make.provider())
    offline, bound = authorize(**act, offline=True), authorize(**act)
    assert offline != bound
    assert live(offline, now) is not None
    assert live(bound, now) is not None
    other = authorize(**acting(make, make.provider()))
    assert (live(offline, now), live(bound, now)) == (None, None)
    assert live(other, now) is not None


@pytest.mark.parametrize("epoch", ["subject_epoch", "affiliation_epoch", "client_epoch", "system_epoch"])
def test_a_grant_of_an_older_epoch_is_not_reused(make: Make, authorize: Authorize, epoch: str) -> None:
    act = acting(make, make.provider())
    first = authorize(**act)
    assert authorize(**(act | {epoch: 2})) != first


DEATHS: dict[str, Callable[[datetime], Update]] = {
    "person's epoch": lambda now: update(Subject).values(epoch=2),
    "person disabled": lambda now: update(Subject).values(status="disabled"),
    "client's epoch": lambda now: update(Client).values(epoch=2),
    "client disabled": lambda now: update(Client).values(enabled=False),
    "system's epoch": lambda now: update(SystemState).values(epoch=2),
    "affiliation's epoch": lambda now: update(Affiliation).values(epoch=2),
    "affiliation disabled": lambda now: update(Affiliation).values(status="disabled"),
    "affiliation ended": lambda now: update(Affiliation).values(status="ended"),
    "affiliation ends now": lambda now: update(Affiliation).values(ends_at=now),
    "affiliation not begun": lambda now: update(Affiliation).values(starts_at=now + timedelta(seconds=1)),
    "session ended": lambda now: update(BrowserSession).values(ended_at=now),
    "session expired": lambda now: update(BrowserSession).values(expires_at=now),
    "session idle": lambda now: update(BrowserSession).values(last_seen_at=now - timedelta(minutes=30)),
    "provider ended": lambda now: update(Provider).values(end_date=now.date()),
    "provider inactive": lambda now: update(Provider).values(status="terminated"),
    "provider not begun": lambda now: update(Provider).values(effective_date=now.date() + A_DAY),
    "practice retired": lambda now: update(Practice).values(retired_at=now),
    "grant revoked": lambda now: update(Grant).values(revoked_at=now),
    "grant expired": lambda now: update(Grant).values(expires_at=now),
}


@pytest.mark.parametrize("death", DEATHS)
def test_TK_06_UI_04_each_epoch_and_date_kills_by_the_next_read(
    make: Make, authorize: Authorize, now: datetime, death: str
) -> None:
    grant = authorize(**acting(make, make.provider()))
    assert live(grant, now) is not None
    change(DEATHS[death](now))
    assert live(grant, now) is None


def test_a_provider_that_moved_to_another_practice_takes_no_grant_along(
    make: Make, authorize: Authorize, now: datetime
) -> None:
    grant = authorize(**acting(make, make.provider()))
    change(update(Provider).values(practice_id=make.practice().id))
    assert live(grant, now) is None


def test_a_practice_as_a_whole_lives_while_one_provider_of_its_registry_is_in_force(
    make: Make, authorize: Authorize, now: datetime
) -> None:
    practice = make.practice()
    first, second = make.provider(practice=practice), make.provider(practice=practice)
    grant = authorize(**acting(make, practice, registry="heartland"))
    change(update(Provider).where(Provider.id == first.id).values(status="terminated"))
    assert live(grant, now) is not None
    change(update(Provider).where(Provider.id == second.id).values(registry_name="ozark"))
    assert live(grant, now) is None


def test_a_trading_partner_that_ended_is_acted_for_no_more(make: Make, authorize: Authorize, now: datetime) -> None:
    grant = authorize(**acting(make, make.trading_partner()))
    assert live(grant, now) is not None
    change(update(TradingPartner).values(status="terminated"))
    assert live(grant, now) is None


@pytest.mark.parametrize("death", ["session ended", "session expired", "session idle"])
def test_an_offline_grant_outlives_the_session(make: Make, authorize: Authorize, now: datetime, death: str) -> None:
    grant = authorize(**acting(make, make.provider()), offline=True)
    change(DEATHS[death](now))
    assert live(grant, now) is not None
    change(DEATHS["affiliation's epoch"](now))
    assert live(grant, now) is None


def test_a_grant_says_what_tokens_ask_of_it(make: Make, authorize: Authorize, now: datetime) -> None:
    provider = make.provider()
    found = live(authorize(**acting(make, provider)), now)
    assert found is not None
    assert (found.target_kind, found.target_id, found.registry) == ("provider", provider.id, "heartland")
    assert (found.provider_id, found.practice_id, found.amr) == (provider.id, provider.practice_id, ("pwd",))


def test_revoking_says_whether_there_was_something(make: Make, authorize: Authorize, now: datetime) -> None:
    grant = authorize()
    with writing() as tx:
        assert grants.revoke(tx, grant_id=grant, reason="revoked_by_client", now=now)
        assert not grants.revoke(tx, grant_id=grant, reason="revoked_by_client", now=now)
    assert live(grant, now) is None


def test_a_person_sees_their_own_live_grants_newest_first(make: Make, authorize: Authorize, hands: Hands) -> None:
    first = authorize()
    with reading() as tx:
        owner = make.rows(Subject)[0].id
        assert [row.id for row in grants.held_by(tx, subject_id=owner, now=hands.now)] == [first]
        assert grants.held_by(tx, subject_id="somebody else", now=hands.now) == []
        assert grants.held_by(tx, subject_id=owner, now=hands.now + A_DAY) == []


def test_RA_two_requests_of_one_session_leave_one_live_grant(app: Flask, make: Make, now: datetime) -> None:
    """The caller holds the session (`sessions.hold`), so that two tabs pass one after the other."""
    from idp.sessions import participants
    from idp.sessions import service as sessions
    from idp.sessions.facts import session_facts

    make.client()
    for _ in range(5):
        subject = make.subject()
        session, _ = make.session(subject)
        facts = session_facts(session)

        def ask(subject: Subject = subject, session: BrowserSession = session, facts: Any = facts) -> UUID:
            with writing() as tx:
                assert sessions.hold(tx, facts) is not None
                sid = participants.join(
                    tx, session_id=session.id, client_id="ozark-secure", sub=subject.id, now=now,
                    affiliation_id=None, provider_id=None, practice_id=None,
                    before=participants.participation(tx, session_id=session.id, client_id="ozark-secure"),
                )  # fmt: skip
                act = authorized(subject_id=subject.id, sub=subject.id, session_id=session.id, sid=sid)
                return grants.make(tx, act, now=now, lifetime=A_DAY)

        assert len(set(race(app, ask))) == 1
