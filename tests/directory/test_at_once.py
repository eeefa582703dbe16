"""Two imports at once on PostgreSQL: each batch reads what the other's has left, and nothing newer is overwritten."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from idp.audit.models import AuditEvent
from idp.directory.imports import owners, provider_master
from idp.directory.imports.npi import taking
from idp.directory.imports.ownership import sweeping
from idp.directory.imports.run import Report
from idp.directory.imports.service import FORMATS
from idp.directory.models import NpiRecord, Practice, Provider
from idp.foundation.database import reading, writing
from tests.directory.files import (
    CLINIC_NPI,
    GROUP,
    LETTER,
    MEMBER,
    OFF,
    PARTNER,
    PERSON_NPI,
    PRACTITIONER,
    taken,
)

pytestmark = pytest.mark.postgres
UPDATED = "Last Update Date"
MONTHLY = PERSON_NPI | {"Provider First Name": "INEZ", UPDATED: "01/01/2026"}
WEEKLY = PERSON_NPI | {"Provider First Name": "AGNES", UPDATED: "02/01/2026"}


class Meeting:
    """One import stands still between its read and its write, and the other begins."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        self._app, self._monkeypatch = app, monkeypatch
        self._read, self._go = Event(), Event()

    def stands(self, module: Any, name: str) -> None:
        """The first that has done this waits until the other is over, or waits for its turn."""
        done = getattr(module, name)

        def stop(*arguments: Any, **more: Any) -> Any:
            told = done(*arguments, **more)
            if not self._read.is_set():
                self._read.set()
                assert self._go.wait(20)
            return told

        self._monkeypatch.setattr(module, name, stop)

    def of(self, first: Callable[[], object], other: Callable[[], object]) -> None:
        with ThreadPoolExecutor(2) as pool:
            began = pool.submit(self._act, first)
            assert self._read.wait(20)
            came = pool.submit(self._act, other)
            try:
                while not came.done() and not waiting():
                    _look_again(came)
            finally:
                self._go.set()
            began.result(20)
            came.result(20)

    def _act(self, act: Callable[[], object]) -> None:
        with self._app.app_context():
            act()


def _look_again(came: Future[None]) -> None:
    try:
        came.exception(0.01)
    except TimeoutError:
        return


def waiting() -> bool:
    with reading() as tx:
        return bool(tx.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")))


@pytest.fixture
def meeting(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meeting]:
    return Meeting(app, monkeypatch)


def record() -> tuple[str, str]:
    with reading() as tx:
        row = tx.execute(select(NpiRecord.status, NpiRecord.name)).one()
    return row.status, row.name


@pytest.mark.parametrize(
    ("before", "weekly", "left"),
    [
        ([PERSON_NPI], WEEKLY, ("active", "AGNES M HALVORSEN")),
        ([PERSON_NPI], OFF, ("deactivated", "INEZ M HALVORSEN")),
        ([], WEEKLY, ("active", "AGNES M HALVORSEN")),
    ],
    ids=["newer", "deactivated", "both new"],
)
def test_R_28_a_monthly_file_overwrites_nothing_of_the_weekly_one_beside_it(
    meeting: Meeting, now: datetime, before: list[dict[str, str]], weekly: dict[str, str], left: tuple[str, str]
):
    taken(before, "nppes", now=now)
    meeting.stands(taking, "_note")
    meeting.of(lambda: taken([MONTHLY], "nppes", now=now), lambda: taken([weekly], "nppes", now=now))
    assert record() == left


@pytest.mark.parametrize("roster_reads_first", [True, False])
def test_R_28_a_record_that_comes_while_its_npi_is_deactivated_is_not_in_force(
    meeting: Meeting, now: datetime, roster_reads_first: bool
):
    taken([PERSON_NPI], "nppes", now=now)
    acts = [lambda: taken([PRACTITIONER], now=now), lambda: taken([OFF], "nppes", now=now)]
    meeting.stands(*(provider_master, "deactivated") if roster_reads_first else (taking, "follow"))
    meeting.of(*acts if roster_reads_first else reversed(acts))
    with reading() as tx:
        assert tx.execute(select(Provider.npi_deactivated_on)).scalar_one() is not None


@pytest.mark.parametrize(
    ("rows", "kind", "event"),
    [
        ([GROUP, MEMBER], "provider-master", "provider_changed"),
        ([PARTNER, PARTNER | {"trading_partner_id": "TP000002"}], "trading-partners", "trading_partner_changed"),
        ([PERSON_NPI, CLINIC_NPI], "nppes", "npi_record_changed"),
    ],
)
@pytest.mark.usefixtures("app")
def test_what_left_two_full_files_is_ended_once(now: datetime, rows: list[dict[str, str]], kind: str, event: str):
    """The other ends it while this one asks, and is the one that counts it."""
    taken(rows, kind, now=now)
    both: list[Report] = []

    def full(*_counts: int) -> bool:
        both.append(taken(rows[:1], kind, now=now, full=lambda *_: True))
        return True

    both.append(taken(rows[:1], kind, now=now, full=full))
    assert [report.ended for report in both] == [1, 0]
    with reading() as tx:
        assert len(tx.execute(select(AuditEvent.id).where(AuditEvent.type == event)).all()) == 1


FILES = {
    "provider-master": [PRACTITIONER, GROUP], "trading-partners": [PARTNER, PARTNER | {"trading_partner_id": "TP000002"}],
    "pin-letters": [LETTER], "nppes": [PERSON_NPI, CLINIC_NPI],
}  # fmt: skip


def test_DESIGN_8_a_sign_in_that_only_points_at_a_locked_record_or_practice_does_not_wait(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    """A new grant has keys to both: where it waited, it and the batch could each hold what the other needs."""
    taken([MEMBER, PRACTITIONER], now=now)
    looked = list[str]()

    def look(name: str) -> None:
        done = getattr(owners, name)

        def then(*arguments: Any, **more: Any) -> Any:
            told = done(*arguments, **more)
            with reading() as apart:
                for table in (Practice, Provider):
                    apart.execute(select(table.id).with_for_update(read=True, key_share=True, nowait=True)).all()
            looked.append(name)
            return told

        monkeypatch.setattr(owners, name, then)

    look("_places")
    assert taken([MEMBER], now=now, full=lambda *_: True).ended == 1
    assert looked == ["_places"]


@pytest.mark.usefixtures("app")
def test_R_28_whatever_writes_the_directory_has_its_turn_and_nobody_has_it_while_a_file_is_judged(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    turn = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    held: dict[str, set[int]] = {}

    def look(owner: Any, name: str, *, within: bool) -> None:
        done, key = getattr(owner, name), f"{getattr(owner, 'name', owner.__name__)} {name}"

        def looks(*arguments: Any, **more: Any) -> Any:
            with reading() as apart:
                seen = next((each for each in arguments if isinstance(each, Session)), apart) if within else apart
                held.setdefault(key, set()).add(seen.scalar(turn) or 0)
            return done(*arguments, **more)

        monkeypatch.setattr(owner, name, looks)

    for kind in map(type, FORMATS.values()):
        look(kind, "take", within=True)
        look(kind, "end", within=True)
        look(kind, "parse", within=False)
    look(owners, "look_after", within=True)
    for kind_name, rows in FILES.items():
        taken(rows, kind_name, now=now)
    for kind_name in ("nppes", "trading-partners", "provider-master"):
        taken(FILES[kind_name][:1], kind_name, now=now, full=lambda *_: True)
    with writing() as tx:
        tx.execute(update(Practice).values(passes_on=now.date() + timedelta(days=1)))
    with writing() as tx:
        assert sweeping.part_due(tx, now=now + timedelta(days=1), batch=200) == 2
    assert {key: seen for key, seen in held.items() if "parse" in key} == {f"{name} parse": {0} for name in FILES}
    assert {key: seen for key, seen in held.items() if "parse" not in key} == {
        **{f"{name} take": {1} for name in FILES},
        **{f"{name} end": {1} for name in ("provider-master", "trading-partners", "nppes")},
        "idp.directory.imports.owners look_after": {1},
    }
