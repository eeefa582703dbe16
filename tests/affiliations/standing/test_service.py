"""*Who can act for this number on that day* on both databases: the audit's answer agrees with the rows, and stays true."""

import json
import random
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, literal, select, update
from sqlalchemy import event as sql_event

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.rules import Act
from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.affiliations.standing import recording, service
from idp.affiliations.standing.cli import affiliations as commands
from idp.audit import service as audit
from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.directory.models import Practice, Provider
from idp.foundation.database import db, reading, see_as, writing
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from tests.affiliations.deciding.world import HERE, LEVELS, PORTAL, World
from tests.conftest import NOON, Hands

pytestmark = pytest.mark.both
TIN = "981112223"
IDP = Path(recording.__file__).parents[2]
Who = dict[str, set[str]]


@pytest.fixture
def world(make: Any, now: datetime) -> World:
    return World(make, now)


def give(
    world: World, subject: Any, *, levels: tuple[str, ...] = ("claims.inquiry",), at: str = PORTAL, **changed: Any
) -> Any:
    """Access made as the product makes it, by the manager."""
    values: dict[str, Any] = {
        "subject_id": subject.id, "registry": "heartland", "kind": TargetKind.PROVIDER, "target_id": world.provider.id,
        "evidence": {at: Evidence.MANAGER}, "levels": {at: levels}, "now": world.now, "actor": world.lena.id,
        "origin": HERE,
    }  # fmt: skip
    with writing() as tx:
        return affiliations.grant_affiliation(tx, **(values | changed))


def begin(now: datetime) -> int:
    """Records for what the factory put straight into the tables."""
    with writing() as tx:
        return recording.begin(tx, after=None, now=now)[0]


def on(day: date, *, now: datetime, **changed: Any) -> tuple[service.Line, ...]:
    with reading() as tx:
        asked = service.ask(tx, on=day, now=now, **({"tin": TIN} | changed))
        assert asked is not None
        return tuple(service.everyone(tx, asked))


def said(lines: tuple[service.Line, ...]) -> Who:
    """Who could act when the day ended, with which levels."""
    still = [line for line in lines if line.could.until is None]
    return {line.subject.id: {level for lets in line.could.at for level, _ in lets.levels} for line in still}


def by_rows(world: World, people: list[Any], *, now: datetime) -> Who:
    """What sign-in and tokens would say of each person now, read from the rows."""
    terms = affiliations.terms_of(world.party)
    assert terms is not None
    found: Who = {}
    with reading() as tx:
        for person in people:
            subject = subjects.by_id(tx, subject_id=person.id)
            assert subject is not None
            choices = affiliations.choices_at(tx, subject_id=person.id, terms=terms, now=now)
            here = [choice for choice in choices if choice.practice_id == world.practice.id]
            if here and subject.status != "disabled":
                found[person.id] = {level for choice in here for level in choice.levels}
    return found


def step(world: World, luck: random.Random, people: list[Any], *, now: datetime) -> None:
    """One thing that happens to somebody."""
    world.now = now
    person = luck.choice(people)
    rows = [row for row in world.make.rows(Affiliation) if row.subject_id == person.id and row.status != "ended"]
    if not rows:
        kind, target = luck.choice([(TargetKind.PROVIDER, world.provider.id), (TargetKind.PRACTICE, world.practice.id)])
        status = luck.choice([AffiliationStatus.ACTIVE, AffiliationStatus.UNVERIFIED])
        give(world, person, kind=kind, target_id=target, status=status, levels=tuple(luck.sample(LEVELS[:2], 1)))
        return
    match luck.randrange(6):
        case 0:
            world.do(luck.choice([Act.DISABLE, Act.REMOVE, Act.ENABLE]), rows[0])
        case 1:
            world.do(Act.SET_LEVELS, rows[0], levels=tuple(luck.sample(LEVELS, 2)))
        case 2:
            by: dict[str, Any] = {"subject_id": person.id, "actor": "staff:x", "now": now, "origin": HERE}
            with writing() as tx:
                if luck.random() < 0.5:
                    subjects.disable(tx, reason="left the practice", **by)
                else:
                    subjects.enable(tx, **by)
        case 3:
            status = luck.choice([AffiliationStatus.ACTIVE, AffiliationStatus.DISABLED])
            with writing() as tx:
                affiliations.change_status(
                    tx, affiliation_id=rows[0].id, status=status, now=now, actor="system", origin=HERE,
                    disabled_by="payer",
                )  # fmt: skip
        case 4:
            with writing() as tx:
                see_as(tx, everything=True)
                row = tx.get(Affiliation, rows[0].id)
                assert row is not None
                row.ends_at = now + timedelta(days=luck.randrange(1, 6))
        case _:
            pass


@pytest.mark.parametrize("seed", range(2))
def test_AU_06_today_s_rows_agree_with_the_audit_and_past_days_stay_as_they_were(
    world: World, make: Any, hands: Hands, seed: int
) -> None:
    luck = random.Random(seed)
    people = [world.lena, *(make.subject(f"person.{number}") for number in range(5))]
    assert begin(hands.now) == 1
    remembered: dict[date, Who] = {}
    for _day in range(5):
        for _act in range(3):
            hands.forward(hours=1)
            step(world, luck, people, now=hands.now)
            assert said(on(hands.now.date(), now=hands.now)) == by_rows(world, people, now=hands.now)
        hands.at(hands.now.replace(hour=23, minute=59, second=59))
        remembered[hands.now.date()] = by_rows(world, people, now=hands.now)
        hands.forward(seconds=1)
    for day, then in remembered.items():
        assert said(on(day, now=hands.now)) == then, day


def test_who_granted_it_and_on_what_proof_and_when_it_ended_that_day(world: World, make: Any, hands: Hands) -> None:
    oscar = make.subject("oscar.benitez", given_name="Oscar", family_name="Benítez")
    row = give(world, oscar)
    begin(world.now)
    hands.forward(hours=2)
    world.do(Act.REMOVE, row, now=hands.now)
    removed = hands.now
    hands.forward(days=3)
    (line,) = [line for line in on(world.now.date(), now=hands.now) if line.subject.id == oscar.id]
    assert line.could.until == removed
    assert [(proof.kind, proof.portal, proof.by) for proof in line.record.proofs] == [
        (Evidence.MANAGER, PORTAL, world.lena.id)
    ]
    assert [lets.levels for lets in line.could.at] == [(("claims.inquiry", world.lena.id),)]
    assert oscar.id not in said(on(hands.now.date(), now=hands.now))
    assert oscar.id not in said(on(world.now.date() - timedelta(days=1), now=hands.now))


def test_MODEL_10_access_never_follows_a_record_to_another_number(world: World, make: Any, hands: Hands) -> None:
    """The roster moves the record: from then on nobody acts for it by what was granted before, at either number."""
    begin(hands.now)
    hands.forward(days=2)
    other = make.practice("981119999")
    with writing() as tx:
        see_as(tx, everything=True)
        provider = tx.get(Provider, world.provider.id)
        assert provider is not None
        provider.practice_id, provider.tin_changed_at = other.id, hands.now

        audit.append(
            tx, Event.PRACTICE_CHANGED, now=hands.now, actor="system", origin=HERE, outcome="record_left",
            target_kind="practice", target_id=world.practice.id, details={"provider": world.provider.id},
        )  # fmt: skip
    hands.forward(days=1)
    assert set(said(on(world.now.date(), now=hands.now))) == {world.lena.id}
    assert on(hands.now.date(), now=hands.now) == ()
    assert on(hands.now.date(), now=hands.now, tin="981119999") == ()


def test_a_number_s_former_owner_is_found_by_it_on_the_days_when_it_was_theirs(
    world: World, make: Any, hands: Hands
) -> None:
    give(world, world.make.subject("kim"), kind=TargetKind.PRACTICE, target_id=world.practice.id)
    hands.forward(days=2)
    with writing() as tx:
        practice = tx.get(Practice, world.practice.id)
        assert practice is not None
        practice.retired_at = hands.now
    assert len(on(world.now.date(), now=hands.now)) == 1
    assert on(hands.now.date(), now=hands.now) == ()


def test_dormancy_is_read_for_past_days_too(world: World, make: Any, hands: Hands) -> None:
    give(world, make.subject("kim"))
    hands.forward(days=200)
    assert len(on(world.now.date() + timedelta(days=89), now=hands.now)) == 1
    assert on(world.now.date() + timedelta(days=91), now=hands.now) == ()


def test_a_trading_partner_s_staff_act_through_an_engagement_within_its_cap(world: World, make: Any) -> None:
    partner = make.trading_partner(registry_name="heartland")
    make.client("billing", portal={"registry": "heartland", "acting_for": ["trading_partner"]})
    make.engagement(partner, world.practice, levels_cap=["claims.inquiry"])
    kim = make.subject("kim")
    give(
        world, kim, kind=TargetKind.TRADING_PARTNER, target_id=partner.id,
        at="billing", levels=("claims.inquiry", "claims.submit"),
    )  # fmt: skip
    (line,) = on(world.now.date(), now=world.now)
    assert line.engagement is not None and line.subject.id == kim.id
    assert [lets.levels for lets in line.could.at] == [(("claims.inquiry", world.lena.id),)]


def test_AU_06_of_a_partner_s_staff_only_those_assigned_to_the_practice_could_act_and_who_assigned_them(
    world: World, make: Any, hands: Hands
) -> None:
    partner = make.trading_partner(registry_name="heartland")
    make.client("billing", portal={"registry": "heartland", "acting_for": ["trading_partner"]})
    make.engagement(partner, world.practice)
    people = {name: make.subject(name) for name in ("kim", "lou")}
    ids = {}
    for name, who in people.items():
        give(
            world, who, kind=TargetKind.TRADING_PARTNER, target_id=partner.id, at="billing", levels=("claims.inquiry",)
        )
        ids[name] = next(row.id for row in make.rows(Affiliation) if row.subject_id == who.id)

    def assign(*names: str) -> None:
        with writing() as tx:
            audit.append(
                tx, Event.ENGAGEMENT_STAFFED, now=hands.now, actor=world.lena.id, origin=HERE,
                target_kind="trading_partner", target_id=partner.id,
                details={
                    "practice": world.practice.id, "everybody": not names, "before": [],
                    "after": sorted(str(ids[name]) for name in names),
                },
            )  # fmt: skip

    def who(day: int) -> set[tuple[str | None, str | None]]:
        lines = on(world.now.date() + timedelta(days=day), now=hands.now)
        return {(line.subject.user_id, line.assigned_by) for line in lines if line.engagement is not None}

    assert who(0) == {("kim", None), ("lou", None)}
    hands.forward(days=1)
    assign("kim")
    assert who(1) == {("kim", None), ("lou", None)}, "all of them until then, on that day"
    hands.forward(days=1)
    assert who(2) == {("kim", world.lena.id)}
    assign("lou")
    assert who(2) == {("kim", world.lena.id), ("lou", world.lena.id)}
    hands.forward(days=1)
    assert who(3) == {("lou", world.lena.id)}
    assert who(0) == {("kim", None), ("lou", None)}, "a past day stays as it was"


def test_pages_are_by_key_and_ten_times_the_people_cost_no_more_statements(world: World, make: Any) -> None:
    def statements(limit: int) -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        with reading() as tx:
            asked = service.ask(tx, on=world.now.date(), now=world.now, tin=TIN)
            assert asked is not None
            sql_event.listen(db.engine, "before_cursor_execute", counted)
            lines, after = service.page(tx, asked, limit=limit)
            sql_event.remove(db.engine, "before_cursor_execute", counted)
        assert (len(lines), after is not None) == (limit, True)
        return count - limit  # each person is read by their id

    for number in range(25):
        give(world, make.subject(f"clerk.{number}"))
    assert statements(2) == statements(20)
    lines = on(world.now.date(), now=world.now)
    assert len({line.subject.id for line in lines}) == 25
    assert [line.subject.id for line in lines] == sorted(line.subject.id for line in lines)


def test_the_command_prints_json_without_the_number(app: Flask, world: World, make: Any) -> None:
    give(world, make.subject("oscar.benitez", given_name="=Oscar", family_name="Benítez"))
    run = app.test_cli_runner().invoke(commands, ["on", "--tin", "-", "--json"], input=f"{TIN}\n")
    assert run.exit_code == 0, run.output
    found = json.loads(run.output)
    assert found["tin"] == "**-***2223" and TIN not in run.output
    (person,) = found["people"]
    assert person["user_id"] == "oscar.benitez"
    assert person["access"] == {
        PORTAL: [{"level": "claims.inquiry", "granted_by": {"id": world.lena.id, "name": "Lena Ortiz"}}]
    }
    assert person["proof"][0]["kind"] == "manager"
    text = app.test_cli_runner().invoke(commands, ["on", "--tin", TIN])
    assert "claims.inquiry by Lena Ortiz" in text.output and TIN not in text.output
    assert app.test_cli_runner().invoke(commands, ["on", "--tin", "900000001"]).exit_code == 1


def test_the_records_of_older_access_are_begun_once(app: Flask, world: World) -> None:
    run = app.test_cli_runner().invoke(commands, ["record", "--json"])
    assert json.loads(run.output) == {"recorded": 1}
    assert json.loads(app.test_cli_runner().invoke(commands, ["record", "--json"]).output) == {"recorded": 0}


def test_every_change_of_an_affiliation_leaves_a_record_by_whoever_made_it(world: World, make: Any) -> None:
    row = world.member()
    world.do(Act.SET_LEVELS, row, levels=("claims.inquiry", "claims.submit"))
    with reading() as tx:
        found = tx.scalars(select(AuditEvent).where(AuditEvent.type == Event.AFFILIATION_STANDS.value)).all()
    (record,) = found
    assert (record.actor, record.subject_id) == (world.lena.id, row.subject_id)
    assert [level for level, _ in record.details["levels"][PORTAL]] == ["claims.inquiry", "claims.submit"]


STATEMENTS: dict[str, tuple[Any, str, Any]] = {
    "a level goes": (delete(HeldLevel).where(HeldLevel.level == "claims.submit"), "levels", {"claims.inquiry"}),
    "every level goes": (delete(HeldLevel), "levels", set()),
    "a level changes": (
        update(HeldLevel).where(HeldLevel.level == "claims.submit").values(level="admin"),
        "levels", {"claims.inquiry", "admin"},
    ),
    "a proof goes": (delete(AffiliationEvidence), "evidence", []),
    "a proof changes": (update(AffiliationEvidence).values(kind="payer"), "evidence", ["payer"]),
    "it is switched off": (update(Affiliation).values(status="disabled"), "status", "disabled"),
    "it ends by an expression": (update(Affiliation).values(status=literal("ended")), "status", "ended"),
    "it passes on": (update(Affiliation), "status", "active"),
    "it is used": (update(Affiliation).values(last_used_at=NOON, warned=1), "status", None),
}  # fmt: skip


@pytest.mark.parametrize("named", STATEMENTS)
def test_AU_06_a_statement_that_passes_by_the_unit_of_work_leaves_a_record_too(world: World, named: str) -> None:
    statement, field, expected = STATEMENTS[named]
    row = world.member(levels=("claims.inquiry", "claims.submit"))
    another = world.make.subject("kim").id
    if named == "it passes on":
        statement = statement.values(subject_id=another)
    with writing() as tx:
        see_as(tx, everything=True)
        if statement.table.name == "affiliation":
            statement = statement.where(Affiliation.id == row.id)
        else:
            statement = statement.where(statement.entity_description["entity"].affiliation_id == row.id)
        tx.execute(statement)
    with reading() as tx:
        found = tx.scalars(select(AuditEvent).where(AuditEvent.type == Event.AFFILIATION_STANDS.value)).all()
    told = {record.subject_id: record.details for record in found}
    whose = [another, row.subject_id] if named == "it passes on" else [row.subject_id]
    assert sorted(told) == sorted(whose if expected is not None else [])
    if expected is None:
        return
    stands = told[whose[0]][field]
    if field == "levels":
        stands = {level for level, _ in stands.get(PORTAL, ())}
    elif field == "evidence":
        stands = [proof["kind"] for proof in stands]
    assert stands == expected
    if len(whose) == 2:
        assert (told[row.subject_id]["status"], told[row.subject_id]["passed_to"]) == ("ended", another)


def test_AU_06_statements_that_nobody_hears_are_known_by_name() -> None:
    """`Writing` hands those of Core straight to the connection: of these tables, only a use, an epoch and who was told are such."""
    watched, found = r"(?:Affiliation|AffiliationEvidence|HeldLevel)", set()
    for path in sorted(IDP.rglob("*.py")):
        text = path.read_text()
        if "migrations" in path.parts or not re.search(watched, text):
            continue
        assert not re.search(rf"\binsert\(\s*{watched}\b|\b(?:delete|update)\(\s*{watched}\.__table__", text), path
        changed = set(re.findall(r"\b(?:delete|insert|update)\(\s*(\w+)", text))
        if any(re.search(rf"\b{name}\b.* = .*\b{watched}\.__table__", text) for name in changed):
            found.add(str(path.relative_to(IDP)))
    assert found == {f"affiliations/{each}.py" for each in ("service", "roster/service", "roster/returning")}
