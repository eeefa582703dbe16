"""`python -m bench.managing`: what a manager's list, page and decision cost on SQLite and on PostgreSQL: CPU time of this process,
and of PostgreSQL's beside it.

100,000 people of one practice, and 100,000 other practices with one of them each beside it. The rows are made without
the ORM; the queries are those of the pages, and the pages come through the whole application.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from flask import Flask
from sqlalchemy import Table, insert, text
from sqlalchemy.orm import Session

from bench import report
from bench.desk import PORTAL, Desk
from bench.report import Figure
from idp import create_app
from idp.affiliations.deciding.facts import Place
from idp.affiliations.deciding.rules import Act, Actor, Member, Setting, decide
from idp.affiliations.managers.facts import Pointed
from idp.affiliations.models import Affiliation
from idp.affiliations.rules import PortalTerms
from idp.affiliations.searching.models import AffiliationWord
from idp.affiliations.searching.rules import words_of
from idp.affiliations.sorting import keys_of
from idp.foundation import clock
from idp.foundation.database import db, reading, see_as, writing
from idp.keyring import rotation
from idp.manage import facts
from idp.manage.rules import Filter, Key, Sort
from idp.migrations import run as migrations
from idp.settings import load
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from tests.servers import APP, OWNER, Postgres

PEOPLE: Final = 100_000
ROUNDS: Final = 40
RULES: Final = 20_000
NOW: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
DORMANCY: Final = timedelta(days=90)
CROWD: Final = UUID(int=1)
_TERMS: Final = PortalTerms(PORTAL, "bench", frozenset({TargetKind.PRACTICE}), Evidence.LETTER, ("claims",))
_STATUSES: Final = ("active",) * 17 + ("unverified", "disabled", "verification_pending")


def fill(people: int) -> None:
    """Everybody in the one practice, and each in a practice of their own."""
    subjects, held, words = Subject.__table__, Affiliation.__table__, AffiliationWord.__table__
    for start in range(0, people, 10_000):
        numbers = range(start, min(start + 10_000, people))
        with writing() as tx:
            see_as(tx, everything=True)
            _many(tx, subjects, [_person(number) for number in numbers])  # type: ignore[arg-type]
            _many(tx, held, [_held(number, CROWD, UUID(int=(1 << 64) + number)) for number in numbers])  # type: ignore[arg-type]
            _many(tx, held, [_held(number, UUID(int=2 + number), UUID(int=(2 << 64) + number)) for number in numbers])  # type: ignore[arg-type]
            _many(tx, words, [row for number in numbers for row in _words(number)])  # type: ignore[arg-type]


def _many(tx: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    tx.execute(insert(table), rows)


def _names(number: int) -> tuple[str, str]:
    return f"Given{number % 701}", f"Family{number * 7919 % 100_003}"


def _person(number: int) -> dict[str, Any]:
    given, family = _names(number)
    return {
        "id": f"b{number:025}", "status": "active", "epoch": 1, "version": 1, "user_id": f"bench.{number}",
        "user_id_key": f"bench.{number}", "email": f"p{number}@bench.example", "email_key": f"p{number}@bench.example",
        "email_verified_at": NOW, "given_name": given, "family_name": family, "profile": {}, "created_at": NOW,
        "updated_at": NOW,
    }  # fmt: skip


def _held(number: int, target: UUID, identity: UUID) -> dict[str, Any]:
    given, family = _names(number)
    status = _STATUSES[number % len(_STATUSES)]
    return {
        "id": identity, "subject_id": f"b{number:025}", "registry": "bench", "target_kind": "practice",
        "target_id": target, "status": status, "disabled_by": "manager" if status == "disabled" else None,
        "account_manager": number < 3, "starts_at": NOW, "activated_at": NOW - timedelta(days=number % 80),
        "warned": 0, "epoch": 1, "version": 1, "created_at": NOW - timedelta(days=number % 20),
        **keys_of(family, given, None, f"bench.{number}"),
    }  # fmt: skip


def _words(number: int) -> list[dict[str, Any]]:
    given, family = _names(number)
    found = words_of((given, family, f"bench.{number}"), email=f"p{number}@bench.example").items()
    held = ((CROWD, (1 << 64) + number), (UUID(int=2 + number), (2 << 64) + number))
    return [
        {
            "affiliation_id": UUID(int=identity), "word": word, "target_id": target, "by_mail": by_mail,
            "sort_key": keys_of(family, given, None, None)["sort_key"],
        }
        for target, identity in held
        for word, by_mail in found
    ]  # fmt: skip


def _server_ms() -> float:
    """CPU that PostgreSQL's processes of this pool have used; ticks of 10 ms."""
    if db.engine.dialect.name != "postgresql":
        return 0
    with reading() as tx:
        pids = tx.scalars(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")).all()
    return sum(_ticks(pid) for pid in pids) * 1e3 / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def ms_of(look: Callable[[], object]) -> tuple[float, float]:
    """CPU of one look, the first left out: of this process, and of PostgreSQL's."""
    look()
    begun, served = time.process_time(), _server_ms()
    for _ in range(ROUNDS):
        look()
    return (time.process_time() - begun) * 1e3 / ROUNDS, (_server_ms() - served) / ROUNDS


def _within(read: Callable[[Session], object]) -> Callable[[], object]:
    def look() -> object:
        with reading() as tx:
            see_as(tx, target_id=CROWD)
            return read(tx)

    return look


def rule_us() -> list[float]:
    """CPU of one decision about somebody's levels."""
    actor = Actor("m", frozenset({"claims", "admin"}), (Evidence.LETTER,))
    member = Member("p", AffiliationStatus.ACTIVE, 3, frozenset({"claims"}))
    setting = Setting(frozenset({"claims", "admin"}), "admin", 1)
    taken = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(RULES):
            decide(Act.SET_LEVELS, actor=actor, member=member, setting=setting, version=3, wanted=("claims", "admin"))
        taken.append((time.process_time() - begun) / RULES * 1e6)
    return taken


def tell(people: int, app: Flask) -> None:
    """Each query of the page, the page, and the rule."""
    target = Pointed("bench", TargetKind.PRACTICE, CROWD, CROWD, "Crowd", in_force=True)
    party: Any = SimpleNamespace(client_id=PORTAL)
    place = Place(party, _TERMS, target)

    def people_at(tx: Session, **more: Any) -> object:
        asked = {"shown": Filter.ALL, "search": "", "after": None} | more
        return facts.people(tx, place, now=NOW, dormancy=DORMANCY, **asked)

    middle = Key("family5", UUID(int=0))
    cases: dict[str, Callable[[Session], object]] = {
        "first page": people_at,
        "a page in the middle": lambda tx: people_at(tx, after=middle),
        "by first name, in the middle": lambda tx: people_at(
            tx, sort=Sort.FIRST_NAME, after=Key("given5", UUID(int=0))
        ),
        "by user name, in the middle": lambda tx: people_at(tx, sort=Sort.USER_NAME, after=Key("bench.5", UUID(int=0))),
        "Verification Pending": lambda tx: people_at(tx, shown=Filter.VERIFICATION_PENDING),
        "Active": lambda tx: people_at(tx, shown=Filter.ACTIVE),
        "Disabled": lambda tx: people_at(tx, shown=Filter.DISABLED),
        "search, a few": lambda tx: people_at(tx, search="given17 family5"),
        "search, one in a hundred": lambda tx: people_at(tx, search="family55"),
        "search, one in ten": lambda tx: people_at(tx, search="family9"),
        "search, everybody": lambda tx: people_at(tx, search="bench.example"),
        "search, in the middle": lambda tx: people_at(tx, search="family", after=middle),
        "search, nobody": lambda tx: people_at(tx, search="nobody"),
        "search, one address": lambda tx: people_at(tx, search="p77@bench.example"),
        "search, pending": lambda tx: people_at(tx, search="bench", shown=Filter.VERIFICATION_PENDING),
        "search, common, nobody both": lambda tx: people_at(tx, search="family9 family1"),
        "numbers on the tabs": lambda tx: facts.counts(tx, place, now=NOW, dormancy=DORMANCY),
        "account managers": lambda tx: facts.managers(tx, place, now=NOW, dormancy=DORMANCY),
    }
    print(f"one practice of {people:,} people, {people:,} practices beside it; CPU of one look, here and in PostgreSQL")
    looks = {name: _within(read) for name, read in cases.items()} | _pages(Desk(app, practice=CROWD, now=NOW))
    decision = Figure("decision rule", "µs CPU", rule_us())
    figures = [*_costs(looks), decision]
    report.tell(
        f"managing-on-{db.engine.dialect.name}", figures, people=people, peer=report.postgresql_version(db.engine)
    )


def _pages(desk: Desk) -> dict[str, Callable[[], object]]:
    """The page of the list as a browser gets it."""
    middle = Key("family5", UUID(int=0)).pack()
    return {
        "page: the list": desk.reads(),
        "page: in the middle": desk.reads(after=middle),
        "page: by first name": desk.reads(sort=Sort.FIRST_NAME),
        "page: by user name": desk.reads(sort=Sort.USER_NAME),
        **{f"page: {shown.value}, a tab": desk.reads(status=shown) for shown in Filter if shown is not Filter.ALL},
        "page: search, one in a hundred": desk.reads(q="family55"),
        "page: search, nobody": desk.reads(q="nobody"),
        "page: search by first name, one in a hundred": desk.reads(q="family55", sort=Sort.FIRST_NAME),
    }


def _costs(looks: Mapping[str, Callable[[], object]]) -> Iterator[Figure]:
    for name, look in looks.items():
        ours, served = ms_of(look)
        yield Figure(name, "ms CPU", [ours])
        if db.engine.dialect.name == "postgresql":
            yield Figure(f"{name}, in PostgreSQL", "ms CPU", [served])


def main() -> None:
    """Fill, measure, print; on each database."""
    parser = argparse.ArgumentParser(prog="python -m bench.managing", description=main.__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rotation.create(folder / "keys", now=datetime.now(UTC))
        _on(folder, asked.people, "SQLite", database_url=f"sqlite:///{folder / 'bench.sqlite3'}")
        server = Postgres().start()
        try:
            server.create_database("managing")
            urls = {"database_url": server.url(APP, "managing"), "database_owner_url": server.url(OWNER, "managing")}
            _on(folder, asked.people, "PostgreSQL", **urls)
        finally:
            server.remove()


def _on(folder: Path, people: int, called: str, **databases: str) -> None:
    print(f"{called}:")
    settings = load(
        overrides={
            "mode": "production", "issuer": "https://bench.example", "data_dir": folder, "keys_dir": folder / "keys",
            "smtp_url": "smtp://localhost:9", "smtp_from": "bench@bench.example", "log_level": "ERROR",
        } | databases
    )  # fmt: skip
    migrations.upgrade(settings)
    app = create_app(settings)
    with app.app_context():
        fill(people)
        clock.set_reader(lambda: NOW)
        try:
            tell(people, app)
        finally:
            clock.set_reader(None)


if __name__ == "__main__":
    main()
