"""A day that a record's dates announced: told on it, once, as an import tells, however late the sweep comes (MODEL §10)."""

import importlib
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from idp.audit.models import AuditEvent
from idp.directory.changed import DirectoryChange, What
from idp.directory.imports.days import sweeping
from idp.directory.imports.days.rules import Days, news, overdue
from idp.directory.models import Provider
from idp.directory.upstairs import Upstairs
from idp.foundation import house
from idp.foundation.database import reading, see_as, writing
from idp.vocabulary.identifiers import Malformed, Npi
from idp.worker.sweep import sweep
from tests.conftest import Backend
from tests.directory.files import OFF, PRACTITIONER, taken
from tests.plans import asked, at_size, postgres_plan, sqlite_plan
from tests.servers import until

FIRST = date(2026, 3, 1)
DAY, LATE = (datetime(2026, 3, day, 12, tzinfo=UTC) for day in (20, 25))
dates = st.integers(-3, 12).map(lambda n: FIRST + timedelta(days=n))
records = st.builds(Days, st.sampled_from(["active", "terminated"]), dates, st.none() | dates, st.none() | dates)


@given(record=records, after=dates)
def test_MODEL_10_the_next_turn_is_the_first_day_on_which_it_is_in_force_or_not_unlike_the_day_before(
    record: Days, after: date
):
    days = [after + timedelta(days=n) for n in range(1, 40)]
    turns = [day for day in days if record.holds(day) != record.holds(day - timedelta(days=1))]
    assert record.next_turn(after) == (turns[0] if turns else None)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 4), st.none() | records), min_size=1, max_size=8), records)
def test_MODEL_10_whatever_files_and_sweeps_come_in_whatever_order_nobody_is_told_twice_or_not_at_all(
    steps: list[tuple[int, Days | None]], record: Days
):
    """A step is some days later: a file that has other dates of the record, or the sweep."""
    today, record = FIRST, _noted(record, FIRST)
    believed = record.holds(today)
    for later, said in [*steps, (0, None)]:
        today += timedelta(days=later)
        told = overdue(record, today) if said is None else news(record, said, today)
        record = _noted(record if said is None else said, today)
        is_so = record.holds(today)
        if believed != is_so:
            assert not {What.RESTORED, What.NPI_REACTIVATED}.isdisjoint(told) if is_so else told
        elif said is None:
            assert told == []
        believed = is_so
        assert record.held(today) == believed


def _noted(record: Days, today: date) -> Days:
    return Days(
        record.status, record.effective_date, record.end_date, record.npi_deactivated_on, record.next_turn(today)
    )


@pytest.fixture
def told(app: Flask) -> list[DirectoryChange]:
    """What a room above hears."""
    heard: list[DirectoryChange] = []

    def listen(_tx: Session, changes: Sequence[DirectoryChange], **_more: Any) -> None:
        heard.extend(changes)

    house.furnish(app, Upstairs((listen,)))
    return heard


def _npis() -> Iterator[str]:
    for number in range(1_100_000_000, 1_200_000_000):
        try:
            yield str(Npi.parse(str(number)))
        except Malformed:
            continue


ENDS, BEGINS = {"end_date": "2026-03-20"}, {"effective_date": "2026-03-20"}
BACK = {"effective_date": "2020-01-01", "end_date": ""}
OFF_SOON = {"off": "03/20/2026"}
Case = tuple[dict[str, str], dict[str, str] | None, list[What], list[What]]
"""What is announced; what a file says later, if any; what is told on the day, and what of that file after it."""
SWEPT: dict[str, Case] = {
    "ends": (ENDS, None, [What.ENDED], []),
    "terminated ahead": (ENDS | {"status": "terminated"}, BACK, [What.ENDED], [What.RESTORED]),
    "put off": (BEGINS, None, [What.RESTORED], []),
    "npi off": (OFF_SOON, None, [What.NPI_DEACTIVATED], []),
    "both at once": (ENDS | OFF_SOON, None, [What.ENDED, What.NPI_DEACTIVATED], []),
    "ends, off before": (ENDS | {"off": "03/01/2026"}, None, [], []),
    "ends, another ZIP code": (ENDS, ENDS | {"zip_codes": "06010"}, [What.ENDED], [What.ZIP_CHANGED]),
    "ends, then ended": (ENDS, ENDS | {"status": "terminated"}, [What.ENDED], []),
    "off before it begins": (BEGINS | {"off": "03/10/2026"}, None, [], []),
    "later": ({"end_date": "2026-03-21"}, None, [], []),
}
UNSWEPT: dict[str, Case] = {
    "ends": (ENDS, None, [What.ENDED], []),
    "ends and is taken back": (ENDS, BACK, [], []),
    "ends, another ZIP code": (ENDS, ENDS | {"zip_codes": "06010"}, [], [What.ENDED, What.ZIP_CHANGED]),
    "put off, then for ever": (BEGINS, BEGINS | {"status": "terminated", "end_date": "2026-03-20"}, [], []),
    "ends, then off": (ENDS, {"off": "03/01/2026"}, [], [What.ENDED, What.NPI_DEACTIVATED]),
    "off, then ended": (OFF_SOON, {"status": "terminated", "end_date": "2026-03-22"}, [],
                        [What.ENDED, What.NPI_DEACTIVATED]),
    "begins and ends": (BEGINS | {"end_date": "2026-03-22"}, None, [], []),
    "begins, off before anybody swept": (BEGINS | {"off": "03/22/2026"}, None, [], []),
}  # fmt: skip


def _bring(cases: dict[str, Case], which: int, *, now: datetime) -> None:
    """One file of the payer and one of NPPES, with every case's record."""
    rows, off = [], []
    for n, (case, npi) in enumerate(zip(cases.values(), _npis(), strict=False)):
        said = {} if which < 0 else case[which]
        its = {"provider_id": f"{700000000 + n}", "npi": npi, "tin": f"0799910{n:02}", "tin_type": "EIN"}
        if said is not None:
            plain = {name: value for name, value in said.items() if name != "off"}
            if plain or which < 0:
                rows.append(PRACTITIONER | its | {"legal_name": f"Case Number{chr(65 + n)}"} | plain)
            if "off" in said:
                off.append(OFF | {"NPI": npi, "NPI Deactivation Date": said["off"]})
    taken(rows, now=now)
    if off:
        taken(off, "nppes", now=now)


def _heard(told: list[DirectoryChange], cases: dict[str, Case]) -> dict[str, list[What]]:
    with reading() as tx:
        numbers = {row.id: int(row.provider_id) - 700000000 for row in tx.scalars(select(Provider))}
    found: dict[str, list[What]] = {name: [] for name in cases}
    for change in told:
        assert change.provider_id is not None
        found[list(cases)[numbers[change.provider_id]]].append(change.what)
    told.clear()
    return found


def _noted_days() -> dict[str, date | None]:
    with reading() as tx:
        return {row.provider_id: row.turns_on for row in tx.scalars(select(Provider))}


@pytest.mark.both
def test_MODEL_10_the_sweep_tells_on_the_day_what_was_announced_once(told: list[DirectoryChange], now: datetime):
    _bring(SWEPT, -1, now=now)
    _bring(SWEPT, 0, now=now + timedelta(days=1))
    assert _heard(told, SWEPT)["put off"] == [What.ENDED]
    noted = _noted_days()
    assert set(noted.values()) == {DAY.date(), date(2026, 3, 21), None}
    _forget()
    with writing() as tx:
        migration = importlib.import_module("idp.migrations.versions.days_to_come")
        migration.fill(tx.connection(), today=(now + timedelta(days=1)).date())
    assert _noted_days() == noted, "an upgrade finds the same"
    assert sweep(now=DAY - timedelta(days=1))["records_turned"] == 0
    assert sweep(now=DAY)["records_turned"] == sum(day == DAY.date() for day in noted.values())
    assert _heard(told, SWEPT) == {name: case[2] for name, case in SWEPT.items()}
    with reading() as tx:
        query = select(AuditEvent.details, AuditEvent.actor).where(
            AuditEvent.type == "provider_changed", AuditEvent.at == DAY
        )
        audited = sorted((row.details["number"], row.details["changed"], row.actor) for row in tx.execute(query))
    assert {actor for _number, _changed, actor in audited} == {"system"}
    assert [changed for _number, changed, _actor in audited] == [
        [what.value for what in case[2]] for case in SWEPT.values() if case[2]
    ]
    sweep(now=DAY)
    assert told == []
    _bring(SWEPT, 1, now=DAY)
    assert _heard(told, SWEPT) == {name: case[3] for name, case in SWEPT.items()}


def _forget() -> None:
    with writing() as tx:
        tx.execute(update(Provider).values(turns_on=None))


@pytest.mark.both
def test_MODEL_10_a_file_that_comes_before_a_late_sweep_tells_what_is_true_by_then(
    told: list[DirectoryChange], now: datetime
):
    _bring(UNSWEPT, -1, now=now)
    _bring(UNSWEPT, 0, now=now + timedelta(days=1))
    noted = _noted_days()
    _forget()
    _bring(UNSWEPT, 0, now=now + timedelta(days=2))
    assert {key: day for key, day in _noted_days().items() if day} == {
        key: day for key, day in noted.items() if day and key != "700000005"
    }, "a file learns what a former release has not noted, though it changes nothing"
    with writing() as tx:
        for number, day in noted.items():
            tx.execute(update(Provider).where(Provider.provider_id == number).values(turns_on=day))
    told.clear()
    _bring(UNSWEPT, 1, now=LATE)
    assert _heard(told, UNSWEPT) == {name: case[3] for name, case in UNSWEPT.items()}
    sweep(now=LATE)
    assert _heard(told, UNSWEPT) == {name: case[2] for name, case in UNSWEPT.items()}
    sweep(now=LATE + timedelta(days=30))
    assert told == []


@pytest.mark.both
@pytest.mark.parametrize("is_swept", [True, False])
def test_MODEL_10_who_leaves_a_full_file_after_its_day_was_told_then(
    told: list[DirectoryChange], now: datetime, is_swept: bool
):
    kept = PRACTITIONER | {"provider_id": "000042", "tin": "079990001", "tin_type": "EIN"}
    taken([kept, PRACTITIONER | ENDS], now=now)
    if is_swept:
        sweep(now=DAY)
    taken([kept], now=LATE, full=lambda *_: True)
    sweep(now=LATE)
    assert [each.what for each in told] == [What.ENDED]


@pytest.mark.both
def test_MODEL_10_a_day_that_a_release_before_moved_is_noted_from_the_next_file_unless_the_sweep_is_due(
    told: list[DirectoryChange], now: datetime
):
    taken([PRACTITIONER | ENDS], now=now)
    for noted, learned in ((DAY.date() + timedelta(days=9), DAY.date()), (None, DAY.date()), (now.date(), now.date())):
        with writing() as tx:
            tx.execute(update(Provider).values(turns_on=noted))
        assert taken([PRACTITIONER | ENDS], now=now).unchanged == 1
        with reading() as tx:
            assert tx.execute(select(Provider.turns_on)).scalars().all() == [learned]
    assert told == []


@pytest.mark.both
def test_R_28_two_workers_tell_it_once(told: list[DirectoryChange], now: datetime, app: Flask, backend: Backend):
    taken([PRACTITIONER | ENDS], now=now)
    second: list[int] = []

    def work() -> None:
        with app.app_context():
            second.append(_tell())

    thread = threading.Thread(target=work)
    with writing() as tx:
        see_as(tx, everything=True)
        assert sweeping.tell_due(tx, now=DAY, batch=10) == 1
        thread.start()
        if backend.name == "postgres":
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            until(lambda: second or tx.execute(waiting).scalar_one(), what="the other worker")
    thread.join(20)
    assert second == [0]
    assert [each.what for each in told] == [What.ENDED]


def _tell() -> int:
    with writing() as tx:
        see_as(tx, everything=True)
        return sweeping.tell_due(tx, now=DAY, batch=10)


@pytest.mark.both
def test_DESIGN_8_what_is_due_is_found_by_an_index(app: Flask, now: datetime):
    taken([PRACTITIONER | ENDS], now=now)
    with asked("SELECT") as statements:
        assert sweep(now=DAY)["records_turned"] == 1
    found = [each for each in statements if "turns_on <=" in each[0] and "practice_id" in each[0]]
    assert found
    with writing() as tx:
        connection = tx.connection()
        at_size(connection)
        if connection.dialect.name == "postgresql":
            names = {node.get("Index Name") for node in postgres_plan(connection, *found[0])}
            assert "ix_provider_turns" in names
        else:
            assert ["ix_provider_turns" in step for step in sqlite_plan(connection, *found[0])] == [True]
