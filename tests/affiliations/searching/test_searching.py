"""Finding a target's people by their words (E3, AD-18): the same on both databases, in step with the people, off an index."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from idp.affiliations.listing import Key
from idp.affiliations.models import Affiliation
from idp.affiliations.searching import facts
from idp.affiliations.searching.models import AffiliationWord
from idp.affiliations.searching.rules import terms
from idp.affiliations.uniting import moving
from idp.affiliations.uniting.moving import Move
from idp.foundation.database import db, reading, see_as, writing
from idp.subjects import closing, contact, merging, profile
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from tests.affiliations.deciding.world import HERE, World

pytestmark = pytest.mark.both


@pytest.fixture
def world(make: Any, now: datetime) -> World:
    return World(make, now)


def person(world: World, given: str, family: str, *, user_id: str, target: Any = None, **more: Any) -> Subject:
    subject = world.make.subject(user_id, given_name=given, family_name=family, password=None, **more)
    world.make.affiliation(subject, target or world.provider)
    return subject


def found(world: World, search: str) -> list[str]:
    """Sort keys of those whom a search finds, in its order."""
    with reading() as tx:
        see_as(tx, target_id=world.provider.id)
        return [name_of(tx, identity) for identity in page(tx, world, search)]


def page(tx: Session, world: World, search: str, *, after: Key | None = None, limit: int = 50) -> tuple[UUID, ...]:
    return facts.page(tx, target_id=world.provider.id, terms=terms(search), where=(), after=after, limit=limit)


def name_of(tx: Session, identity: UUID) -> str:
    return tx.execute(select(Affiliation.sort_key).where(Affiliation.id == identity)).scalar_one()


@pytest.fixture(params=[1, 20_000], ids=["by name", "by word"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word is common from the first person on, or never."""
    monkeypatch.setattr(facts, "MANY", request.param)


@pytest.mark.usefixtures("either_way")
def test_AD_18_E3_every_term_begins_a_word_and_nothing_is_a_wildcard(world: World) -> None:
    person(world, "%Percy", "Under_score", user_id="x1.percy", email="percy@north.example")
    person(world, "\\Back", "Zoë", user_id="x2.back", email="zoe@south.example")
    person(world, "Ann", "Élan-Under", user_id="x3.ann", email="ann@south.example")
    person(world, "Percy", "Elsewhere", user_id="x4.percy", target=world.practice)
    percy, back, ann = "under_score %percy", "zoe \\back", "elan-under ann"
    for search, names in {
        "%": [percy], "_": [], "\\": [back], "percy": [percy], "%percy": [percy], "%%": [], "%p%": [],
        "under": [ann, percy], "under_": [percy], "score": [percy], "ELAN": [ann], "élan": [ann], "zoe": [back],
        "@south": [ann, back], "south.e": [ann, back], "x3.ann": [ann], "ann@south.example": [ann],
        "under ann": [ann], "ann under": [ann], "under zoe": [], "nn": [], "elsewhere": [], "' OR 1=1 --": [],
    }.items():  # fmt: skip
        assert found(world, search) == names, search


@pytest.mark.usefixtures("either_way")
def test_E3_a_search_is_paged_by_name_and_shows_nobody_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_FIRST", 2)
    for number in range(9):
        person(world, f"Word{number % 3}", f"Wordy{number % 4}", user_id=f"wo.{number}")
    everybody = found(world, "wo")
    assert len(everybody) == 9
    assert everybody == sorted(everybody)
    seen: list[UUID] = []
    with reading() as tx:
        see_as(tx, target_id=world.provider.id)
        while ids := page(tx, world, "wo", after=Key(name_of(tx, seen[-1]), seen[-1]) if seen else None, limit=2):
            seen += ids
    assert len(seen) == len(set(seen)) == 9


def _renamed(tx: Session, june: Subject, other: Subject, now: datetime) -> None:
    profile.change(tx, subject_id=june.id, now=now, origin=HERE, family_name="Newly")


def _moved_house(tx: Session, june: Subject, other: Subject, now: datetime) -> None:
    row = tx.get_one(Subject, june.id)
    assert contact._take(tx, row, email="newly@mail.test", key="newly@mail.test", now=now)


def _chose_user_id(tx: Session, june: Subject, other: Subject, now: datetime) -> None:
    tx.get_one(Subject, june.id).user_id_key = None
    tx.flush()
    assert subjects.choose_user_id(tx, subject_id=june.id, user_id="newly.7", actor="x", now=now, origin=HERE) is None


def _by_hand(tx: Session, june: Subject, other: Subject, now: datetime) -> None:
    tx.get_one(Subject, june.id).display_name = "Newly Named"


def _merged(tx: Session, june: Subject, other: Subject, now: datetime) -> None:
    see_as(tx, everything=True)
    plans = moving.planned(tx, from_id=june.id, to_id=other.id, now=now)
    moving.carry_out(tx, plans, Move(june.id, other.id, now, HERE))  # type: ignore[arg-type]
    gone, into = tx.get_one(Subject, june.id), tx.get_one(Subject, other.id)
    merging.close(tx, gone=gone, into=into, now=now, origin=HERE)


@pytest.mark.parametrize("change", [_renamed, _moved_house, _chose_user_id, _by_hand, _merged])
def test_E3_whoever_is_called_otherwise_is_found_so_after_the_same_transaction(
    world: World, change: Callable[[Session, Subject, Subject, datetime], None]
) -> None:
    june = person(world, "June", "Harwood", user_id="june.harwood")
    other = world.make.subject("newly.other", given_name="Newly", family_name="Other", password=None)
    assert found(world, "june") == ["harwood june"]
    assert found(world, "newly") == []
    with writing() as tx:
        change(tx, june, other, world.now)
    assert len(found(world, "newly")) == 1


def test_E3_a_change_that_is_undone_leaves_the_words_as_they_were(world: World) -> None:
    june = person(world, "June", "Harwood", user_id="june.harwood")
    with pytest.raises(ZeroDivisionError), writing() as tx:
        _renamed(tx, june, june, world.now)
        tx.flush()
        raise ZeroDivisionError
    assert found(world, "newly") == []
    assert found(world, "harwood") == ["harwood june"]


def test_a_person_who_was_wiped_leaves_no_words(world: World) -> None:
    june = person(world, "June", "Harwood", user_id="june.harwood")
    with writing() as tx:
        closing.close(tx, row=tx.get_one(Subject, june.id), now=world.now, origin=HERE)
    with writing() as tx:
        closing.wipe(tx, row=tx.get_one(Subject, june.id), now=world.now, origin=HERE)
    with reading() as tx:
        see_as(tx, everything=True)
        left = tx.scalars(select(AffiliationWord.word)).all()
    assert not [word for word in left if "june" in word or "harwood" in word]


def test_E3_a_word_is_read_off_the_index_and_nobody_else_is_read(world: World) -> None:
    begun = select(AffiliationWord.affiliation_id).where(
        AffiliationWord.target_id == world.provider.id, facts._begins(AffiliationWord.__table__, "june")
    )
    with reading() as tx:
        see_as(tx, target_id=world.provider.id)
        if tx.get_bind().dialect.name == "sqlite":
            asked, explain = begun.compile(db.engine, compile_kwargs={"literal_binds": True}), "EXPLAIN QUERY PLAN "
        else:
            for kind in ("seqscan", "bitmapscan"):
                tx.execute(text(f"SET LOCAL enable_{kind} = off"))
            asked, explain = begun.compile(db.engine, compile_kwargs={"literal_binds": True}), "EXPLAIN "
        plan = str(tx.connection().exec_driver_sql(explain + str(asked)).all())
    assert "ix_affiliation_word_in_order" in plan
    assert "Seq Scan" not in plan
    assert "SCAN" not in plan
    assert "word>" in plan.replace(" ", ""), plan
