"""E6 on both databases: written to three times, disabled once, and nobody who came back."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from idp.affiliations import service as affiliations
from idp.affiliations.dormancy import sweeping
from idp.affiliations.models import Affiliation
from idp.affiliations.requests import sweeping as requests
from idp.affiliations.requests.models import AccessRequest
from idp.audit.models import AuditEvent
from idp.foundation.database import see_as, writing
from idp.messaging.models import OutboxMessage
from idp.relying_parties import service as relying_parties
from idp.sessions.models import LogoutDelivery
from idp.worker.sweep import sweep
from tests.affiliations.pins.posted import portal
from tests.affiliations.requests.asking import submit

pytestmark = pytest.mark.both


def swept(job: Any, *, now: datetime) -> int:
    with writing() as tx:
        see_as(tx, everything=True)
        return int(job(tx, now=now, batch=10))


def notices(make: Any) -> list[str]:
    return [row.notice for row in make.rows(OutboxMessage)]


@pytest.fixture
def row(make: Any, now: datetime) -> Affiliation:
    """Last used today, at a portal where it has a level."""
    portal(make)
    return make.affiliation(
        make.subject("rosa.delgado"), make.provider("100200300"), levels=(("cascade-mmis", "claims.inquiry"),),
        activated_at=now - timedelta(days=10), last_used_at=now,
    )  # fmt: skip


def test_E6_the_person_is_written_to_on_days_60_75_and_85(make: Any, now: datetime, row: Affiliation) -> None:
    days = (59, 60, 61, 75, 76, 85, 86)
    assert [swept(sweeping.warn, now=now + timedelta(days=day)) for day in days] == [0, 1, 0, 1, 0, 1, 0]
    assert notices(make) == ["access_unused"] * 3
    assert make.row(Affiliation, row.id).warned == 3


def test_E6_of_missed_mails_only_the_last_is_sent(make: Any, now: datetime, row: Affiliation) -> None:
    assert swept(sweeping.warn, now=now + timedelta(days=86)) == 1
    assert swept(sweeping.warn, now=now + timedelta(days=87)) == 0
    assert notices(make) == ["access_unused"]


def test_E6_on_day_90_it_is_disabled_for_good_and_told_once(make: Any, now: datetime, row: Affiliation) -> None:
    session, _ = make.session(make.row(type(make.subject()), row.subject_id))
    make.grant(session, "cascade-mmis", affiliation=row)
    end = now + timedelta(days=90)
    assert swept(sweeping.disable_dormant, now=end - timedelta(seconds=1)) == 0
    assert [swept(sweeping.disable_dormant, now=end), swept(sweeping.disable_dormant, now=end)] == [1, 0]
    after = make.row(Affiliation, row.id)
    assert (after.status, after.disabled_by, after.epoch) == ("disabled", "dormant", 2)
    assert notices(make) == ["access_ended"]
    assert len(make.rows(LogoutDelivery)) == 1
    assert [each.actor for each in make.rows(AuditEvent) if each.type == "affiliation_changed"] == ["system"]


def test_E6_whoever_comes_back_is_left_alone_and_warned_anew(make: Any, now: datetime, row: Affiliation) -> None:
    later = now + timedelta(days=80)
    assert swept(sweeping.warn, now=later) == 1
    terms = affiliations.terms_of(relying_parties.find("cascade-mmis"))  # type: ignore[arg-type]
    assert terms is not None
    with writing() as tx:
        choice = affiliations.choices_at(tx, subject_id=row.subject_id, terms=terms, now=later)[0]
        affiliations.use(tx, choice=choice, subject_id=row.subject_id, visited="cascade-mmis", terms=terms, now=later)
    assert make.row(Affiliation, row.id).warned == 0
    assert swept(sweeping.disable_dormant, now=now + timedelta(days=91)) == 0
    assert swept(sweeping.warn, now=now + timedelta(days=91)) == 0
    assert swept(sweeping.warn, now=later + timedelta(days=60)) == 1


@pytest.mark.parametrize(
    "changed",
    [{"status": "disabled", "disabled_by": "manager"}, {"status": "unverified"}, {"ends_at": "past"}],
)
def test_E6_what_is_not_active_is_not_looked_at(make: Any, now: datetime, changed: dict[str, Any]) -> None:
    old = now - timedelta(days=200)
    if "ends_at" in changed:
        changed = {"ends_at": now - timedelta(days=1)}
    make.affiliation(make.subject(), make.provider("100200301"), activated_at=old, last_used_at=old, **changed)
    assert swept(sweeping.disable_dormant, now=now) == 0
    assert swept(sweeping.warn, now=now) == 0


def test_E6_what_was_never_used_counts_from_its_activation(make: Any, now: datetime) -> None:
    fresh, old = now - timedelta(days=89), now - timedelta(days=90)
    young = make.affiliation(make.subject(), make.provider("100200301"), activated_at=fresh, last_used_at=None)
    make.affiliation(make.subject(), make.provider("100200302"), activated_at=old, last_used_at=None)
    woken = make.affiliation(
        make.subject(), make.provider("100200303"), activated_at=fresh, last_used_at=now - timedelta(days=300)
    )
    assert swept(sweeping.disable_dormant, now=now) == 1
    assert {make.row(Affiliation, each.id).status for each in (young, woken)} == {"active"}


def test_MODEL_7_when_dormancy_takes_the_last_manager_open_requests_go_to_the_payer(make: Any, now: datetime) -> None:
    party, provider = portal(make), make.provider("100200300")
    used = now - timedelta(days=88)
    make.affiliation(make.subject(), provider, account_manager=True, activated_at=used, last_used_at=used)
    submit(party, provider.id, now=now)
    later = now + timedelta(days=2)
    assert swept(requests.escalate, now=later) == 0
    assert swept(sweeping.disable_dormant, now=later) == 1
    assert swept(requests.escalate, now=later) == 1
    assert [row.escalated_at for row in make.rows(AccessRequest)] == [later]


def test_the_worker_s_sweep_does_both(make: Any, now: datetime, row: Affiliation) -> None:
    done = sweep(now=now + timedelta(days=90))
    assert (done["access_dormant"], done["access_warned"]) == (1, 0)
