"""What changes in the directory is audited and told to the rooms above, in its own transaction; a TIN that passes on takes nobody along."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.audit.models import AuditEvent
from idp.directory import service
from idp.directory.changed import DirectoryChange, What
from idp.directory.models import ImportRun, Practice, Provider
from idp.directory.upstairs import Upstairs
from idp.foundation import house
from idp.foundation.database import reading
from tests.directory.files import GROUP, MEMBER, OFF, PERSON_NPI, PRACTITIONER, counted, taken

pytestmark = pytest.mark.both

OTHER_NPI = "1982607537"
NEWCOMER = PRACTITIONER | {
    "provider_id": "555555555", "npi": OTHER_NPI, "legal_name": "Quentin Marchetti", "first_name": "Quentin",
    "last_name": "Marchetti", "effective_date": "2026-03-01",
}  # fmt: skip
ENDED = {"status": "terminated", "end_date": "2026-02-15"}


@pytest.fixture
def told(app: Flask) -> list[DirectoryChange]:
    """What a room above hears."""
    heard: list[DirectoryChange] = []

    def listen(_tx: Session, changes: Sequence[DirectoryChange], **_more: Any) -> None:
        heard.extend(changes)

    house.furnish(app, Upstairs((listen,)))
    return heard


@pytest.fixture
def later(now: datetime) -> datetime:
    return now + timedelta(days=1)


def provider(number: str = "123456789") -> Provider:
    with reading() as tx:
        return tx.execute(select(Provider).where(Provider.provider_id == number)).scalar_one()


def current(tin: str = "666025841") -> UUID:
    with reading() as tx:
        found = service.practice_by_tin(tx, tin)
    assert found is not None
    return found.id


def events(kind: str) -> list[AuditEvent]:
    with reading() as tx:
        return list(tx.execute(select(AuditEvent).where(AuditEvent.type == kind)).scalars())


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (ENDED, [What.ENDED]),
        ({"effective_date": "2035-01-01"}, [What.ENDED]),
        ({"npi": OTHER_NPI}, [What.NPI_CHANGED]),
        ({"zip_codes": "06010"}, [What.ZIP_CHANGED]),
        ({"tin": "666025842"}, [What.TIN_CHANGED, What.PRACTICE_MERGED]),
        ({"group_tin": "079990001"}, [What.TIN_CHANGED, What.PRACTICE_MERGED]),
        ({"legal_name": "Inés Roos", "programs": "medicare"}, []),
    ],
)
def test_MODEL_10_a_change_of_what_others_hang_on_is_told(
    told: list[DirectoryChange], now: datetime, later: datetime, changed: dict[str, str], what: list[What]
):
    taken([GROUP, PRACTITIONER], now=now)
    before = provider()
    assert told == []
    taken([PRACTITIONER | changed], now=later)
    assert [each.what for each in told] == what
    assert {each.practice_id for each in told} <= {before.practice_id}
    assert {each.provider_id for each in told if each.what is not What.PRACTICE_MERGED} <= {before.id}
    told.clear()
    taken([PRACTITIONER | changed], now=later)
    assert told == []


def test_MODEL_10_restored_and_reactivated_are_told_too(told: list[DirectoryChange], now: datetime, later: datetime):
    taken([PRACTITIONER | ENDED], now=now)
    taken([PRACTITIONER], now=later)
    taken([OFF], "nppes", now=later)
    taken([PERSON_NPI | {"Last Update Date": "02/05/2026"}], "nppes", now=later)
    assert [each.what for each in told] == [What.RESTORED, What.NPI_DEACTIVATED, What.NPI_REACTIVATED]


def test_MODEL_10_who_left_a_full_file_is_told(told: list[DirectoryChange], now: datetime, later: datetime):
    taken([GROUP, PRACTITIONER], now=now)
    taken([GROUP], now=later, full=lambda *_: True)
    assert [(each.what, each.provider_id) for each in told] == [(What.ENDED, provider().id)]


def test_a_subscriber_that_fails_undoes_the_change_with_its_audit(app: Flask, now: datetime, later: datetime):
    def refuse(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("no")

    taken([PRACTITIONER], now=now)
    house.furnish(app, Upstairs((refuse,)))
    with pytest.raises(RuntimeError):
        taken([PRACTITIONER | ENDED], now=later)
    assert provider().status == "active"
    assert events("provider_changed") == []
    with reading() as tx:
        told = list(tx.execute(select(ImportRun.counts)).scalars())
    assert sorted((each["read"], each["added"], each["changed"]) for each in told) == [(1, 0, 0), (1, 1, 0)]


def test_a_dry_run_tells_nobody(told: list[DirectoryChange], now: datetime):
    taken([PRACTITIONER], now=now)
    taken([PRACTITIONER | ENDED], now=now, dry_run=True)
    taken([OFF], "nppes", now=now, dry_run=True)
    assert told == []


@pytest.mark.parametrize(
    "files",
    [
        [[PRACTITIONER | ENDED], [NEWCOMER]],
        [[PRACTITIONER | ENDED, NEWCOMER]],
        [[NEWCOMER, PRACTITIONER | ENDED]],
        [[NEWCOMER], [PRACTITIONER | ENDED]],
        [[PRACTITIONER | {"tin": "666025842"}], [NEWCOMER]],
        [[PRACTITIONER | {"tin": "666025842"}, NEWCOMER]],
        [[NEWCOMER, PRACTITIONER | {"tin": "666025842"}]],
    ],
    ids=["ended before", "ended above", "ended below", "ended later", "moved before", "moved above", "moved below"],
)
def test_MODEL_10_a_number_that_passes_to_another_owner_is_another_practice(
    told: list[DirectoryChange], now: datetime, later: datetime, files: list[list[dict[str, str]]]
):
    taken([PRACTITIONER], now=now)
    old = current()
    for rows in files:
        taken(rows, now=later)
        later += timedelta(days=1)
    new = current()
    assert new != old
    assert provider("555555555").practice_id == new
    with reading() as tx:
        retired = tx.get_one(Practice, old)
        assert retired.retired_at is not None
        assert not service.practice_in_force(tx, practice_id=old, registry="ozark", now=later)
        of_new = service.practice(tx, new)
        assert of_new is not None
        assert (of_new.name, service.tin_of(of_new)) == ("Quentin Marchetti", "666025841")
    last = [each for each in told if each.what is What.PRACTICE_RETIRED]
    assert [(each.practice_id, each.successor_id) for each in last] == [(old, new)]
    assert "practice_retired" in {each.outcome for each in events("practice_changed")}
    assert counted(taken(files[-1], now=later)) == {"unchanged": len(files[-1])}
    assert current() == new


@pytest.mark.parametrize(
    "newcomer",
    [
        NEWCOMER | {"npi": PRACTITIONER["npi"]},
        NEWCOMER | {"legal_name": "HALVORSEN, INES".replace("HALVORSEN, INES", "Ines Halvorsen")},
    ],
)
def test_MODEL_10_the_same_owner_by_npi_or_name_keeps_the_practice(
    told: list[DirectoryChange], now: datetime, later: datetime, newcomer: dict[str, str]
):
    taken([PRACTITIONER], now=now)
    old = current()
    taken([PRACTITIONER | ENDED], now=later)
    taken([newcomer], now=later + timedelta(days=1))
    assert current() == old
    assert What.PRACTICE_RETIRED not in {each.what for each in told}


def test_MODEL_10_members_come_and_go_without_their_practice_changing_hands(
    told: list[DirectoryChange], now: datetime, later: datetime
):
    taken([GROUP, MEMBER], now=now)
    old = current("079990001")
    taken([MEMBER | ENDED, NEWCOMER | {"group_tin": "079990001"}], now=later)
    taken([GROUP | {"zip_codes": "06010"}], now=later + timedelta(days=1))
    assert current("079990001") == old
    assert [each.what for each in told] == [What.ENDED, What.ZIP_CHANGED]


@pytest.mark.usefixtures("app")
def test_MODEL_10_what_followed_one_another_before_we_came_is_one_practice(now: datetime, later: datetime):
    taken([PRACTITIONER | ENDED, NEWCOMER], now=now)
    old = current()
    taken([NEWCOMER | {"zip_codes": "06010"}], now=later)
    assert current() == old


@pytest.mark.usefixtures("app")
def test_MODEL_10_a_typing_mistake_that_is_mended_keeps_the_practice(now: datetime, later: datetime):
    taken([PRACTITIONER], now=now)
    old = current()
    taken([PRACTITIONER | {"tin": "666025849"}], now=later)
    taken([PRACTITIONER], now=later + timedelta(days=1))
    assert current() == old
