"""The numbers on the tabs (E3): they say what the tabs show, and are counted no further than they tell."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from idp.affiliations.deciding.facts import Place
from idp.affiliations.managers.facts import point_at
from idp.affiliations.service import terms_of
from idp.foundation import house
from idp.foundation.database import db, reading, see_as
from idp.manage import facts, words
from idp.manage.rules import Count, Filter
from idp.settings import Settings
from idp.vocabulary.affiliation import TargetKind
from tests.affiliations.deciding.world import PORTAL, World
from tests.manage.desks import at_desk

both = pytest.mark.both


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


def place_of(tx: Any, world: World) -> Place:
    target = point_at(tx, registry="heartland", kind=TargetKind.PROVIDER, target_id=world.provider.id, now=world.now)
    terms = terms_of(world.party)
    assert target is not None and terms is not None
    return Place(world.party, terms, target)


def crowd(world: World) -> None:
    """One more person in each way that a row can stand."""
    ago = {days: world.now - timedelta(days=days) for days in (1, 40, 100, 200)}
    ways = [
        {"status": "verification_pending", "activated_at": None, "last_used_at": None, "created_at": ago[1]},
        {"status": "verification_pending", "activated_at": None, "last_used_at": None, "created_at": ago[40]},
        {"status": "unverified"},
        {"status": "unverified", "ends_at": ago[1]},
        {"status": "disabled", "disabled_by": "manager"},
        {"status": "ended"},
        {},
        {"created_at": ago[200]},
        {"activated_at": ago[40], "last_used_at": None},
        {"activated_at": ago[100], "last_used_at": None},
        {"activated_at": ago[100], "last_used_at": ago[100]},
        {"activated_at": ago[200], "last_used_at": ago[1]},
        {"activated_at": ago[1], "last_used_at": ago[200]},
        {"activated_at": None, "last_used_at": ago[200]},
        {"activated_at": None, "last_used_at": None},
        {"activated_at": ago[100], "last_used_at": ago[100], "created_at": ago[200]},
    ]
    for way in ways:
        world.make.affiliation(world.make.subject(), world.provider, **way)


MOVED = timedelta(days=150)
"""Before the moment of the test the roster moved the record: who came before that is suspended."""
PENDING, UNVERIFIED = Filter.VERIFICATION_PENDING, Filter.UNVERIFIED


@both
@pytest.mark.parametrize(
    ("in_force", "moved", "expected"),
    [
        (True, False, {PENDING: 1, UNVERIFIED: 1, Filter.ACTIVE: 7, Filter.DISABLED: 5, Filter.SUSPENDED: 0}),
        (True, True, {PENDING: 1, UNVERIFIED: 1, Filter.ACTIVE: 6, Filter.DISABLED: 4, Filter.SUSPENDED: 2}),
        (False, False, {PENDING: 1, UNVERIFIED: 1, Filter.ACTIVE: 0, Filter.DISABLED: 1, Filter.SUSPENDED: 11}),
    ],
)
def test_E3_each_tab_shows_as_many_people_as_its_number_says(
    world: World, monkeypatch: pytest.MonkeyPatch, in_force: bool, moved: bool, expected: dict[Filter, int]
) -> None:
    asked: Any = {"now": world.now, "dormancy": house.get(Settings).dormancy}

    def shown(tx: Any, place: Place) -> dict[Filter, int]:
        return {
            each: len(facts.people(tx, place, shown=each, search="", after=None, limit=100, **asked).rows)
            for each in Filter
        }

    world.member(status="disabled", disabled_by="manager")
    changed: Any = {"in_force": in_force, "moved_at": world.now - MOVED if moved else None}
    with reading() as tx:
        place = place_of(tx, world)
        place = replace(place, target=replace(place.target, **changed))
        see_as(tx, target_id=world.provider.id)
        assert shown(tx, place)[Filter.DISABLED] == 1, "nobody's access lies unused"
    crowd(world)
    expected = {**expected, Filter.DISABLED: expected[Filter.DISABLED] + 1, Filter.ALL: 15}
    with reading() as tx:
        see_as(tx, target_id=world.provider.id)
        assert shown(tx, place) == expected
        assert facts.counts(tx, place, **asked) == {each: Count(number) for each, number in expected.items()}
        monkeypatch.setattr(facts, "MOST_COUNTED", 2)
        monkeypatch.setattr("idp.manage.rules.MOST_COUNTED", 2)
        assert facts.counts(tx, place, **asked) == {
            each: Count(min(number, 2), more=number > 2) for each, number in expected.items()
        }


@pytest.mark.parametrize(
    ("parts", "tab", "below"),
    [
        ((), "0", "0 people"),
        ((1,), "1", "One person"),
        ((600, 400), "1,000", "1000 people"),
        ((600, 401), "1,000+", "More than 1,000 people"),
    ],
)
def test_E3_numbers_are_exact_up_to_a_bound(app: Any, parts: tuple[int, ...], tab: str, below: str) -> None:
    with app.test_request_context():
        count = Count.of(parts)
        assert (words.number(count), words.people(count)) == (tab, below)


def test_E3_the_page_reads_no_more_people_than_it_tells(client: FlaskClient, world: World) -> None:
    """The plan of what the page itself asks: each part of the count is a range of an index, of which a bound is read."""
    browser, sent = at_desk(client, "lena.ortiz"), []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "UNION ALL" in statement and "count(" in statement:
            sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        page = browser.get(f"/manage/{PORTAL}/{world.provider.id}/people?sort=first_name")
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert page.status_code == 200
    ((statement, parameters),) = sent
    assert statement.count("LIMIT") == statement.count("count(") == 6
    with reading() as tx:
        plan = str(tx.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
    assert plan.count("ix_affiliation_by_status") == 4 and plan.count("ix_affiliation_unused") == 2, plan
    assert "status=verification_pending&amp;sort=first_name" in page.text, "a tab keeps the order"
