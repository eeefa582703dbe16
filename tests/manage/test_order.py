"""The list in its order (E3, D6; AD-24): by an index at 100,000 people, sortable, and right after a change of name."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, text, update

from idp.affiliations import sorting
from idp.affiliations.models import Affiliation
from idp.affiliations.searching import keeping
from idp.foundation.database import db, reading, writing
from idp.manage.rules import Key, Sort, sort_of
from idp.subjects.models import Subject
from tests.affiliations.deciding.world import PORTAL, World
from tests.manage.desks import at_desk

pytestmark = pytest.mark.both
INDEXES = {
    Sort.LAST_NAME: "ix_affiliation_by_name",
    Sort.FIRST_NAME: "ix_affiliation_by_first",
    Sort.USER_NAME: "ix_affiliation_by_login",
}


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now, clerks=True)


@pytest.fixture
def lena(client: FlaskClient, world: World) -> FlaskClient:
    return at_desk(client, "lena.ortiz")


def people(make: Any, world: World, *names: tuple[str, str]) -> None:
    for given, family in names:
        subject = make.subject(f"{given}.clerk".lower(), given_name=given, family_name=family)
        make.affiliation(subject, world.provider)


def shown(browser: FlaskClient, world: World, **query: str) -> list[str]:
    page = browser.get(f"/manage/{PORTAL}/{world.provider.id}/people", query_string=query).text
    return [part.split("</b>", 1)[0] for part in page.split('scope="row"><b>')[1:]]


def test_D6_the_list_of_clerks_is_sorted_by_user_name_first_name_or_last_name(
    lena: FlaskClient, world: World, make: Any
) -> None:
    people(make, world, ("Zoe", "Abel"), ("Ann", "Zhou"), ("Mia", "Élan"))
    by_last = ["zoe.clerk", "mia.clerk", "lena.ortiz", "ann.clerk"]
    assert shown(lena, world) == shown(lena, world, sort="last_name") == by_last
    assert shown(lena, world, sort="'; DROP TABLE") == by_last, "AD-24"
    assert shown(lena, world, sort="first_name") == ["ann.clerk", "lena.ortiz", "mia.clerk", "zoe.clerk"]
    assert shown(lena, world, sort="user_name")[0] == "ann.clerk"
    assert sort_of("user_name") is Sort.USER_NAME


def test_E3_whoever_changes_their_name_is_found_at_their_new_place(world: World, make: Any) -> None:
    row = world.member()
    assert places(world, row) == ("benitez oscar", "oscar", "oscar.benitez")
    with writing() as tx:
        tx.execute(
            text("UPDATE subject SET family_name = 'Ávila', given_name = 'Éva', user_id = 'Eva' WHERE id = :who"),
            {"who": row.subject_id},
        )
        keeping.refresh(tx, subject_id=row.subject_id)
    assert places(world, row) == ("avila eva", "eva", "eva")
    with writing() as tx:
        tx.execute(update(Subject).where(Subject.id == row.subject_id).values(given_name="Zoë"))
    assert places(world, row) == ("avila zoe", "zoe", "eva"), "whoever changes them"


def places(world: World, row: Affiliation) -> tuple[str, str, str]:
    stored = world.row(row)
    return stored.sort_key, stored.first_key, stored.login_key


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (("Benítez", "Óscar", None, "x"), "benitez oscar"),
        ((None, None, "  The  Clinic ", "x"), "the clinic"),
        ((None, None, None, "june.harwood"), "june.harwood"),
        ((None, None, None, None), ""),
        (("x" * 300, "y", None, None), "x" * 160),
    ],
)
def test_E3_names_are_folded_the_same_on_every_database(names: tuple[str | None, ...], key: str) -> None:
    assert sorting.key_of(*names) == key


@pytest.mark.parametrize("sort", INDEXES)
def test_E3_D6_a_page_is_read_by_the_index_and_nothing_is_sorted(lena: FlaskClient, world: World, sort: Sort) -> None:
    """What the page itself asks the database, in the middle of the list."""
    after = Key("m", UUID(int=0)).pack()
    (plan,) = plans(lena, f"/manage/{PORTAL}/{world.provider.id}/people?sort={sort}&after={after}")
    assert INDEXES[sort] in plan
    assert "Sort" not in plan and "TEMP B-TREE" not in plan, plan


def plans(browser: FlaskClient, address: str) -> list[str]:
    """How the database would answer each ordered reading of people that this page sent."""
    sent: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "FROM affiliation" in statement and "ORDER BY" in statement and "LIMIT" in statement:
            sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert browser.get(address).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    with reading() as tx:
        connection, explain = tx.connection(), "EXPLAIN QUERY PLAN "
        if connection.dialect.name == "postgresql":
            explain = "EXPLAIN "
            for kind in ("seqscan", "bitmapscan", "sort"):
                tx.execute(text(f"SET LOCAL enable_{kind} = off"))
        return [
            str(connection.exec_driver_sql(explain + statement, parameters).all()) for statement, parameters in sent
        ]
