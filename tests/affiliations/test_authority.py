"""`Acting` (SECURITY D5, ruling 20): who manages whom, and that a foreign id is as good as none."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from idp.affiliations import service
from idp.affiliations.authority import ActedOn, Reason, authorize
from idp.affiliations.rules import Held
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.vocabulary.affiliation import Acting, AffiliationStatus, TargetKind
from idp.vocabulary.assurance import Acr
from idp.vocabulary.refused import Refused
from tests.affiliations.worlds import DORMANCY, NOW, PRACTICE, held, partner, practice, provider, record

THE_PRACTICE = ActedOn("heartland", TargetKind.PRACTICE, PRACTICE, PRACTICE)
ITS_PROVIDER = ActedOn("heartland", TargetKind.PROVIDER, UUID(int=1), PRACTICE)
ANOTHER = ActedOn("heartland", TargetKind.PROVIDER, UUID(int=2), UUID(int=501))


def judged(target: ActedOn, *every: Held) -> Acting | Refused:
    return authorize(every, target, subject_id="manager", acr=Acr.AAL2, fresh_at=NOW, now=NOW, dormancy=DORMANCY)


@pytest.mark.parametrize("target", [THE_PRACTICE, ITS_PROVIDER])
def test_a_practices_manager_acts_on_it_and_on_its_providers(target: ActedOn) -> None:
    acting = judged(target, held(practice(record(1)), account_manager=True))
    assert isinstance(acting, Acting)
    assert (acting.target_kind, acting.target_id) == (target.kind, target.id)


def test_a_providers_manager_acts_on_that_provider_only() -> None:
    mine = held(provider(1), account_manager=True)
    assert isinstance(judged(ITS_PROVIDER, mine), Acting)
    assert judged(THE_PRACTICE, mine) == Refused(Reason.NOT_A_MANAGER)
    assert judged(ANOTHER, mine) == Refused(Reason.NOT_A_MANAGER)


@pytest.mark.parametrize(
    "changed",
    [
        {"account_manager": False},
        {"status": AffiliationStatus.DISABLED},
        {"ends_at": NOW},
        {"starts_at": NOW + timedelta(seconds=1)},
        {"used_at": NOW - DORMANCY},
        {"registry": "ozark"},
    ],
)
def test_nobody_acts_on_less_than_an_active_managers_affiliation(changed: dict[str, Any]) -> None:
    mine = held(practice(record(1)), **({"account_manager": True} | changed))
    assert judged(THE_PRACTICE, mine) == Refused(Reason.NOT_A_MANAGER)


def test_a_trading_partners_manager_acts_on_its_staff_only() -> None:
    mine = held(partner(), account_manager=True)
    staff = ActedOn("heartland", TargetKind.TRADING_PARTNER, UUID(int=900))
    assert isinstance(judged(staff, mine), Acting)
    assert judged(THE_PRACTICE, mine) == Refused(Reason.NOT_A_MANAGER)


@pytest.mark.both
def test_AD_02_a_manager_changes_nothing_outside_the_target_and_nothing_of_their_own(app: Any, make: Any) -> None:
    manager, member = make.subject("lena.ortiz"), make.subject("oscar.benitez")
    ours, theirs = make.provider("100200300"), make.provider("100200301")
    mine = make.affiliation(manager, ours, account_manager=True)
    inside, outside = make.affiliation(member, ours), make.affiliation(member, theirs)
    acting = Acting(
        subject_id=manager.id,
        registry=ours.registry_name,
        target_kind=TargetKind.PROVIDER,
        target_id=ours.id,
        permission="manage",
        acr=Acr.AAL1,
        fresh_at=NOW,
    )

    def disable(affiliation_id: UUID) -> bool:
        with writing() as tx:
            return service.change_status(
                tx,
                affiliation_id=affiliation_id,
                status=AffiliationStatus.DISABLED,
                now=NOW,
                actor=manager.id,
                origin=Origin.local("test"),
                acting=acting,
                disabled_by="manager",
            )

    assert [disable(each) for each in (outside.id, mine.id, uuid4())] == [False, False, False]
    assert disable(inside.id)
    assert {row.id: row.status for row in make.rows(type(mine))} == {
        mine.id: "active",
        outside.id: "active",
        inside.id: "disabled",
    }
