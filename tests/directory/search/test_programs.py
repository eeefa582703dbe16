"""Words know their record's program: kept by imports, learned by a migration, and where they do not know the record decides."""

import importlib
from datetime import datetime
from itertools import combinations

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.directory import service
from idp.directory.models import ProviderWord
from idp.directory.rules import NEIGHBOURS, DirectoryFilter, Program
from idp.foundation.database import reading, writing
from tests.directory.files import PRACTITIONER, taken

ROSTER = [
    PRACTITIONER | {"provider_id": f"10000000{n}", "programs": programs}
    for n, programs in enumerate(("medicaid", "both", "medicare"))
]


def test_B3_what_a_filter_serves_stands_between_two_places():
    """Of the portal's programs and of those that a person asks for within them."""
    filters = [
        part
        for size in range(4)
        for names in combinations(Program, size)
        for portal in [DirectoryFilter.of(programs=names)]
        for part in (portal, *(portal.covering(name) for name in Program))
    ]
    for part in filters:
        within = NEIGHBOURS[part.places[0] : part.places[1] + 1] if part.places else ()
        assert set(within) == set(part.programs or ()), part


@pytest.mark.both
def test_an_import_keeps_the_program_of_a_records_words(tx: Session, now: datetime):
    tx.rollback()
    taken(ROSTER, now=now)
    assert _places() == {0: {0}, 1: {1}, 2: {2}}
    taken([row | {"programs": "medicare"} for row in ROSTER], now=now)
    assert _places() == {0: {2}, 1: {2}, 2: {2}}
    assert _found(tx, now) == {"medicaid": [], "medicare": [0, 1, 2], "both": []}


@pytest.mark.both
def test_words_that_do_not_know_are_found_in_either_program_and_the_record_decides(tx: Session, now: datetime):
    tx.rollback()
    taken(ROSTER, now=now)
    right = {"medicaid": [0, 1], "medicare": [1, 2], "both": [1]}
    with writing() as its:
        its.execute(update(ProviderWord).values(program=ProviderWord.__table__.c.program.server_default.arg))
    assert _found(tx, now) == right
    with writing() as its:
        importlib.import_module("idp.migrations.versions.roster_words_by_program").fill(its.connection())
    assert _places() == {0: {0}, 1: {1}, 2: {2}}
    assert _found(tx, now) == right


def _places() -> dict[int, set[int]]:
    with reading() as tx:
        rows = tx.execute(select(ProviderWord.number, ProviderWord.program)).all()
    return {int(number[-1]): {program for its, program in rows if its == number} for number, _program in rows}


def _found(tx: Session, now: datetime) -> dict[str, list[int]]:
    found = {}
    for program in Program:
        part = DirectoryFilter.of().covering(program)
        page = service.search_providers(tx, "ozark", "halv in", now=now, within=part)
        found[program.value] = [int(each.provider_id[-1]) for each in page.providers]
    tx.rollback()
    return found
