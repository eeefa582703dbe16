"""Whose a TIN is, by the stored dates of all its records: whatever files say so, in whatever order, killed or not (MODEL §10)."""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from idp.affiliations.facts import target_of
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.directory import facts, service
from idp.directory.imports import service as imports
from idp.directory.imports.ownership import rules
from idp.directory.imports.ownership.rules import Former, Holder, Owned
from idp.directory.imports.run import Report
from idp.directory.models import Practice, Provider
from idp.foundation.database import reading, see_as
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.worker.sweep import sweep
from tests.directory.files import GROUP, OFF, PRACTITIONER, taken, written
from tests.factories import Make

Row = dict[str, str]
File = tuple[int, list[Row]]
"""On which day after the first, and what it says; a negative day is a full file, none of rows an NPPES deactivation."""
NEW = PRACTITIONER | {
    "provider_id": "555555555", "npi": "1982607537", "legal_name": "Quentin Marchetti", "first_name": "Quentin",
    "last_name": "Marchetti", "effective_date": "2026-03-01",
}  # fmt: skip
OLD = PRACTITIONER
ENDED, MOVED = {"status": "terminated", "end_date": "2026-02-15"}, {"tin": "666025842"}
EARLY, LEAVING = {"effective_date": "2026-02-01"}, {"end_date": "2026-03-20"}
TO_COME = {"effective_date": "2026-04-01"}

PASSED: dict[str, list[File]] = {
    "moved before": [(1, [OLD | MOVED]), (2, [NEW])],
    "moved above": [(1, [OLD | MOVED, NEW])],
    "moved below": [(1, [NEW, OLD | MOVED])],
    "moved later": [(1, [NEW]), (2, [OLD | MOVED])],
    "ended before": [(1, [OLD | ENDED]), (2, [NEW])],
    "ended later": [(1, [NEW]), (2, [OLD | ENDED])],
    "ended later, overlapping": [(1, [NEW | EARLY]), (2, [OLD | ENDED])],
    "absent in a full file": [(-1, [NEW])],
    "absent in a later full file": [(1, [NEW | EARLY]), (-2, [NEW | EARLY])],
    "absent before": [(-1, [GROUP]), (2, [NEW])],
    "deactivated later": [(1, [NEW]), (2, [])],
    "deactivated before": [(1, []), (2, [NEW])],
    "nobody meanwhile": [(1, [OLD | ENDED]), (2, [NEW | TO_COME])],
    "put off": [(1, [OLD | {"effective_date": "2035-01-01"}]), (2, [NEW])],
}
ANNOUNCED: dict[str, list[File]] = {
    "in one file": [(1, [OLD | LEAVING, NEW | TO_COME])],
    "the newcomer first": [(1, [NEW | TO_COME]), (2, [OLD | LEAVING])],
    "the newcomer last": [(1, [OLD | LEAVING]), (2, [NEW | TO_COME])],
    "overlapping": [(1, [OLD | LEAVING, NEW | {"effective_date": "2026-03-15"}])],
    "in force already": [(1, [NEW]), (2, [OLD | LEAVING])],
}
KEPT: dict[str, list[File]] = {
    "the same NPI": [(1, [NEW | {"npi": OLD["npi"]}]), (2, [OLD | ENDED])],
    "the same name": [(-1, [NEW | {"legal_name": OLD["legal_name"]}])],
    "announced and taken back": [(1, [OLD | LEAVING, NEW | TO_COME]), (2, [OLD])],
    "colleagues for a year": [(1, [NEW]), (400, [OLD | {"status": "terminated", "end_date": "2027-04-01"}])],
    "gone and back": [(1, [OLD | MOVED]), (2, [OLD])],
}


def provider(number: str) -> Provider:
    with reading() as tx:
        return tx.execute(select(Provider).where(Provider.provider_id == number)).scalar_one()


def practice(identity: UUID) -> Practice:
    with reading() as tx:
        return tx.get_one(Practice, identity)


def bring(files: list[File], *, now: datetime) -> datetime:
    for day, rows in files:
        moment = now + timedelta(days=abs(day))
        if rows:
            taken(rows, now=moment, full=(lambda *_: True) if day < 0 else None)
        else:
            taken([OFF], "nppes", now=moment)
    return moment


def acts(row: Affiliation, *, now: datetime) -> bool:
    """Whether the practice's people act for it as it is read now."""
    with reading() as tx:
        see_as(tx, everything=True)
        target = target_of(tx, tx.get_one(Affiliation, row.id), on=now.date())
        alive = service.practice_in_force(tx, practice_id=row.target_id, registry="ozark", now=now)
    assert target is not None
    assert target.in_force == alive
    return alive


def reasons() -> list[str]:
    with reading() as tx:
        return [
            details["roster"]
            for details in tx.execute(
                select(AuditEvent.details).where(AuditEvent.type == "affiliation_changed").order_by(AuditEvent.at)
            ).scalars()
            if "roster" in details
        ]


@pytest.mark.both
@pytest.mark.parametrize("files", PASSED.values(), ids=PASSED)
def test_MODEL_10_no_affiliation_follows_a_number_whatever_files_say_so(make: Make, now: datetime, files: list[File]):
    taken([OLD], now=now)
    former = provider("123456789").practice_id
    its = make.affiliation(make.subject(), practice(former), registry="ozark")
    assert acts(its, now=now)
    moment = bring(files, now=now)
    assert practice(former).retired_at is not None
    assert provider("555555555").practice_id != former
    assert not acts(its, now=moment + timedelta(days=60))
    assert "practice_retired" in reasons()
    taken(next(rows for _day, rows in reversed(files) if rows), now=moment)
    assert provider("555555555").practice_id != former
    sweep(now=moment + timedelta(days=90))
    assert practice(provider("555555555").practice_id).retired_at is None, "parted once"


@pytest.mark.both
@pytest.mark.parametrize("first", [[OLD], [OLD, NEW | TO_COME]], ids=["known", "at the first load"])
@pytest.mark.parametrize("files", ANNOUNCED.values(), ids=ANNOUNCED)
def test_MODEL_10_what_was_announced_is_read_on_the_day_and_made_durable_by_the_sweep(
    make: Make, now: datetime, first: list[Row], files: list[File]
):
    taken(first, now=now)
    moment = bring(files, now=now)
    former = provider("123456789").practice_id
    its = make.affiliation(make.subject("anna.abel"), practice(former), registry="ozark")
    day = datetime(2026, 3, 20, 12, tzinfo=UTC)
    sweep(now=moment)
    assert acts(its, now=day - timedelta(days=1))
    assert practice(former).retired_at is None
    assert not acts(its, now=day)
    with reading() as tx:
        found = service.practice_by_tin(tx, OLD["tin"])
        assert found is not None
        assert not found.has_number(day.date())
        assert not facts.exists_in_force(tx, practice_id=former, registry="ozark", on=date(2026, 5, 1))
    for _ in range(2):
        sweep(now=day)
    assert (practice(former).retired_at, reasons()) == (day, ["practice_retired"])
    assert provider("555555555").practice_id != former
    assert len(make.rows(OutboxMessage)) == 1
    assert practice(provider("555555555").practice_id).name == "Quentin Marchetti"


@pytest.mark.both
@pytest.mark.parametrize("files", KEPT.values(), ids=KEPT)
def test_MODEL_10_the_same_owner_keeps_the_practice(app: Flask, now: datetime, files: list[File]):
    taken([OLD], now=now)
    former = provider("123456789").practice_id
    moment = bring(files, now=now)
    sweep(now=moment + timedelta(days=500))
    assert practice(former).retired_at is None
    assert practice(former).passes_on is None


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "BATCH", 1)


def run(rows: list[Row], *, now: datetime, full: bool, die_after: int | None) -> None:
    """Killed after so many batches: nothing of the run is remembered but what it has committed."""
    left: Iterator[int] = iter(range(die_after if die_after is not None else 99))

    def progress(_report: Report) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    imports.run_import(
        io.BytesIO(written("provider-master", rows)), name="file.csv", format_name="provider-master",
        registry="ozark", now=now, actor="system", origin=Origin.local("test"), progress=progress,
        full=(lambda *_: True) if full else None,
    )  # fmt: skip


@pytest.mark.both
@pytest.mark.usefixtures("one_by_one", "app")
@pytest.mark.parametrize(
    ("rows", "full"),
    [
        ([NEW, OLD | MOVED], False), ([OLD | MOVED, NEW], False), ([NEW, OLD | ENDED], False),
        ([OLD | ENDED, NEW], False), ([NEW, GROUP], True), ([OLD | LEAVING, NEW | TO_COME], False),
    ],
    ids=["moved below", "moved above", "ended below", "ended above", "absent", "announced"],
)  # fmt: skip
def test_MODEL_10_a_killed_run_and_the_next_judge_as_one_that_was_not(now: datetime, rows: list[Row], full: bool):
    run([OLD], now=now, full=False, die_after=None)
    former = provider("123456789").practice_id
    with pytest.raises(KeyboardInterrupt):
        run(rows, now=now + timedelta(days=1), full=full, die_after=0)
    assert practice(former).retired_at is None
    run(rows, now=now + timedelta(days=1, hours=3), full=full, die_after=None)
    sweep(now=now + timedelta(days=30))
    assert practice(former).retired_at is not None
    assert provider("555555555").practice_id != former


@pytest.mark.both
@pytest.mark.usefixtures("one_by_one", "app")
def test_MODEL_10_who_followed_before_we_came_follows_in_a_resumed_first_load_too(now: datetime):
    rows = [OLD | {"status": "terminated", "end_date": "2024-01-31"}, NEW]
    with pytest.raises(KeyboardInterrupt):
        run(rows, now=now, full=False, die_after=0)
    run(rows, now=now + timedelta(hours=1), full=False, die_after=None)
    assert provider("555555555").practice_id == provider("123456789").practice_id


days = st.dates(date(2024, 1, 1), date(2027, 12, 31))
moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
holders = st.builds(
    Holder, id=st.uuids(), registry=st.just("ozark"), npi=st.sampled_from("123"), name_key=st.sampled_from("abc"),
    status=st.just("active"), effective_date=days, end_date=st.none() | days, joined_at=st.none() | moments,
)  # fmt: skip
formers = st.builds(
    Former, st.uuids(), st.just("ozark"), npi=st.sampled_from("123"), name_key=st.sampled_from("abc"), at=moments
)


@settings(deadline=None)
@given(held=st.lists(holders, max_size=4), gone=st.lists(formers, max_size=2), today=days)
def test_MODEL_10_a_practice_is_never_parted_from_who_is_known_to_share_it(
    held: list[Holder], gone: list[Former], today: date
):
    owned = Owned("a", datetime(2025, 1, 1, tzinfo=UTC), held, gone)
    day = owned.passes_on(today)
    if day is not None:
        assert day >= today
        taken_along = owned.newcomers(day)
        past = [each for each in held if not each.holds(day) and not each.will(day)]
        assert taken_along
        assert not {each.npi for each in taken_along} & {each.npi for each in (*past, *gone)}


@pytest.mark.parametrize(("ended", "days"), [(1, 80), (80, 80)])
def test_R_10_a_practice_of_many_is_judged_once_for_each_day_on_which_it_changes(ended: int, days: int):
    """Colleagues whom the number's first holder's record makes known; each but the first of them ends on another day."""
    start, today = datetime(2020, 1, 1, tzinfo=UTC), date(2026, 11, 26)
    moved = datetime(2026, 7, 1, tzinfo=UTC)
    held = [
        Holder(
            uuid4(), "ozark", f"0{at}", "old", "active", date(2019, 1, 1), date(2026, 6, 1) + timedelta(days=at % 28)
        )
        for at in range(ended)
    ]
    held += [
        Holder(
            uuid4(),
            "ozark",
            f"{at}",
            f"{at}",
            "active",
            date(2026, 7, 1),
            today + timedelta(days=1 + at % days),
            None,
            moved,
        )
        for at in range(1, 200)
    ]
    held.append(Holder(uuid4(), "ozark", "00", "z", "active", date(2026, 7, 1), None, None, moved))
    owned, steps = Owned("old", start, held, []), 0

    def count(frame: Any, what: str, _: Any) -> None:
        nonlocal steps
        steps += what == "call" and frame.f_code.co_filename == rules.__file__

    sys.setprofile(count)
    try:
        assert owned.passes_on(today) is None
    finally:
        sys.setprofile(None)
    assert steps < 4 * len(held) * (days + 1), "a few for each record and day"


def test_MODEL_10_the_last_who_went_in_a_registry_says_where_to_and_no_other_registry_hides_it():
    on, to = datetime(2026, 3, 2, tzinfo=UTC), uuid4()
    went = Former(uuid4(), "ozark", "1", "a", on, went_to=to)
    elsewhere = Holder(uuid4(), "heartland", "2", "b", "active", date(2020, 1, 1), None)
    ended = Holder(uuid4(), "ozark", "2", "b", "terminated", date(2020, 1, 1), date(2021, 1, 1))
    still = Holder(uuid4(), "ozark", "2", "b", "active", date(2020, 1, 1), None)
    for holders_, expected in (((), to), ((elsewhere, ended), to), ((still,), None)):
        assert Owned("a", on, holders_, [went]).merged_into("ozark", on) == expected
    assert Owned("a", on, (), [went]).merged_into("heartland", on) is None
    assert Owned("a", on, (), [went]).merged_into("ozark", on + timedelta(days=2)) is None
