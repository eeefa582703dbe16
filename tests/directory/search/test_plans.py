"""Searches read the indexes of words in their order, as both databases plan them: a page costs a page, however many names there are."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from idp.directory import service
from idp.directory.rules import DirectoryFilter
from idp.directory.search import rules
from tests.conftest import Backend
from tests.directory import grown
from tests.plans import Asked, asked, at_size, postgres_plan, sqlite_plan, wasted

pytestmark = pytest.mark.both
WYOMING = DirectoryFilter.of(programs=["medicaid"], states=["WY"])
HARDLY_ANYBODY = DirectoryFilter.of(programs=["medicare"])
WORDS = {"provider_word", "npi_word"}


@pytest.fixture
def searches(backend: Backend, tx: Session, now: datetime, monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What is asked by number, word, state, program, a second word and a wrong one, a page later too."""
    tx.rollback()
    grown.grow(backend, now)
    monkeypatch.setattr(rules, "COUNTED", 1)
    found = []
    with asked("SELECT") as statements:
        for search in (service.search_npi, lambda *a: service.search_providers(tx, "ozark", *a[1:], now=now)):
            first = search(tx, "smi", None, 2)
            found += [first, search(tx, "smi", first.after, 2), search(tx, "john smith", None, 2)]
            found += [
                search(tx, "grown0007 smith", None, 2),
                search(tx, "grown0077x", None, 2),
                search(tx, "1000000007"),
            ]
        found += [service.search_npi(tx, text, None, 2, state="WY") for text in ("smith", "john smith")]
        for text in ("smith", "john smith"):
            found.append(service.search_providers(tx, "ozark", text, None, 2, now=now, within=WYOMING))
    assert [len(getattr(page, "providers", None) or page.records) for page in found] == [2, 2, 2, 1, 1, 1] * 2 + [2] * 4
    return statements


def test_DESIGN_8_every_search_runs_on_an_index_in_its_order(searches: list[Asked], tx: Session):
    """A page within a state or for a second word reads the index of words alone until it has found somebody; on PostgreSQL
    it is neither compiled nor shared out, which took ten times as long as to run it."""
    assert len(searches) > 30
    connection, pages = tx.connection(), 0
    at_size(connection)
    for statement in searches:
        if "similarity(" not in statement[0]:  # of a small vocabulary all is compared
            assert wasted(connection, *statement, most=grown.MOST) == [], statement
        if "found_by" in statement[0]:
            pages += 1
            assert _alone(connection, statement), statement
    assert pages > 15
    if connection.dialect.name == "postgresql":
        told = tx.execute(text("SELECT current_setting('jit'), current_setting('max_parallel_workers_per_gather')"))
        assert tuple(told.one()) == ("off", "0")


def test_a_program_that_hardly_anybody_has_is_found_in_the_index_of_words(backend: Backend, tx: Session, now: datetime):
    """Nobody's record is read but of who is found, and on PostgreSQL no entry of anybody else leaves the index."""
    tx.rollback()
    grown.grow(backend, now)
    with asked("SELECT") as statements:
        page = service.search_providers(tx, "ozark", "smith", None, 2, now=now, within=HARDLY_ANYBODY)
        rest = service.search_providers(tx, "ozark", "smith", page.after, 2, now=now, within=HARDLY_ANYBODY)
    assert [each.provider_id for each in (*page.providers, *rest.providers)] == [
        f"{500_000_000 + n}" for n in grown.RARE
    ]
    assert rest.after is None
    connection = tx.connection()
    at_size(connection)
    for statement in statements:
        assert wasted(connection, *statement, most=len(grown.RARE) + 2) == [], statement
    pages = [each for each in statements if "found_by" in each[0]]
    assert len(pages) == 2
    assert all(_alone(connection, each) for each in pages)


def _alone(connection: Connection, statement: Asked) -> bool:
    if connection.dialect.name == "postgresql":
        nodes = postgres_plan(connection, *statement)
        return [node["Node Type"] for node in nodes if node.get("Relation Name") in WORDS] == ["Index Only Scan"]
    steps = sqlite_plan(connection, *statement)
    (words,) = (step for step in steps if "_word " in step)
    return ("COVERING INDEX" in words or "PRIMARY KEY" in words) and not any("TEMP B-TREE" in step for step in steps)
