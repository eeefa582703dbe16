"""What searching and matching cost among all of the country's names, each asked in a transaction of its own."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.matching import rule_us
from bench.report import Figure
from idp.directory import service as directory
from idp.directory.matching import service as matching
from idp.directory.matching.rules import PractitionerClaim, ProviderMatch
from idp.foundation.database import reading

ASKED: Final = 20
SEARCHES: Final = (
    "1000000004", "1618033991", "john smith", "mary johnson", "james garcia", "patricia lopez", "robert", "smith",
    "hernandez", "nguyen linda", "kebi family", "drogin", "stebru nobo", "mar", "wil", "sna", "clinic juba", "pharmacy",
    "smtih", "jonson mary", "hernadez", "m walker", "thomas e", "elizabeth scott", "smith jones",
)  # fmt: skip
IN_STATES: Final = (("smith", "CA"), ("john brown", "TX"), ("garcia", "OH"), ("home health", "NY"))
_FILLED: Final = 250_000


@dataclass(slots=True)
class Spent:
    """What the same question took each time: by the clock, and in CPU of this process and of the server's together."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def figures(self, what: str) -> list[Figure]:
        return [Figure(what, "ms", self.wall_ms), Figure(what, "ms CPU", self.cpu_ms)]

    def add(self, other: "Spent") -> None:
        self.wall_ms += other.wall_ms
        self.cpu_ms += other.cpu_ms


def searches() -> list[Figure]:
    """Every search `ASKED` times in turn; a round before warms."""
    with reading() as tx:
        rows, size = tx.execute(
            text("SELECT reltuples, pg_size_pretty(pg_database_size(current_database())) FROM pg_class"
                 " WHERE relname = 'npi_record'")
        ).one()  # fmt: skip
    print(f"searches among {rows:,.0f} NPI records ({size}):")
    every, told = Spent(), list[Figure]()
    for words, state in (*((words, None) for words in SEARCHES), *IN_STATES):
        spent = timed(lambda tx, words=words, state=state: directory.search_npi(tx, words, state=state))
        every.add(spent)
        told += spent.figures(f"search: {words}{f' in {state}' if state else ''}")
    for unit, taken in (("ms", every.wall_ms), ("ms CPU", every.cpu_ms)):
        cuts = statistics.quantiles(taken, n=100)
        told += [Figure(f"all searches, p{part}", unit, [cuts[part - 1]]) for part in (50, 95, 99)]
    return told


def matches(rows: int) -> list[Figure]:
    """A claim against a roster of `rows` providers: one that matches, one of nobody's number, one that nobody can mean."""
    now = datetime.now(UTC)
    told = [Figure("matching rule, a claim of six fields", "µs CPU", rule_us())]
    asked = {"first_name": "JOHN", "last_name": "SMITH", "zip_code": "65801"}
    claims = {
        "hit": PractitionerClaim(**asked, provider_id=f"{rows // 2:09}"),
        "miss": PractitionerClaim(**asked, provider_id="999999999"),
        "nonsense": PractitionerClaim(**asked, provider_id="\U0001f600"),
        "miss by TIN": PractitionerClaim(**asked, tin="900000001"),
        "nonsense by TIN": PractitionerClaim(**asked, tin="x"),
    }
    for what, claim in claims.items():
        with reading() as tx:
            found = matching.match_practitioner(tx, claim, registry="bench", now=now)
        if isinstance(found, ProviderMatch) != (what == "hit"):
            raise SystemExit(f"the {what} answers {found}")
        spent = timed(lambda tx, claim=claim: matching.match_practitioner(tx, claim, registry="bench", now=now))
        told += spent.figures(f"match against {rows:,} providers, {what}")
    return told


def fill_roster(owner_url: str, rows: int) -> None:
    """A roster made by the database itself: no import is measured here. What is there already is left."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        there = connection.execute("SELECT count(*) FROM provider WHERE registry = 'bench'").fetchone()
        for start in range(there[0] if there else 0, rows, _FILLED):
            span = {"first": start, "last": min(start + _FILLED, rows) - 1}
            connection.execute(_PRACTICES, span)
            connection.execute(_PROVIDERS, span)
        for table in ("provider", "practice"):
            connection.execute(f"VACUUM ANALYZE {table}")


def timed(ask: Callable[[Session], object]) -> Spent:
    """`ASKED` times, and once before."""
    spent = Spent()
    for _ in range(ASKED + 1):
        with reading() as tx:
            server = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
            cpu, begun = _cpu_ms(server), time.perf_counter()
            ask(tx)
            spent.wall_ms.append((time.perf_counter() - begun) * 1e3)
            tx.execute(text("SELECT 1"))
            spent.cpu_ms.append(_cpu_ms(server) - cpu)
    return Spent(spent.wall_ms[1:], spent.cpu_ms[1:])


def _cpu_ms(server: int) -> float:
    """Of this thread and of a process of the server's; a process's share is booked when it goes to sleep."""
    return time.thread_time() * 1e3 + int(Path(f"/proc/{server}/schedstat").read_text().split()[0]) / 1e6


_PRACTICES: Final = """
    INSERT INTO practice (id, tin_sealed, tin_index, tin_type, tin_last4, name, created_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, '\\x00', decode(md5(n::text) || md5(n::text), 'hex'), 'EIN', '0001', 'Bench', now()
    FROM generate_series(%(first)s::int, %(last)s::int) n WHERE n %% 4 = 0
    ON CONFLICT DO NOTHING
"""
_PROVIDERS: Final = """
    INSERT INTO provider (id, registry, provider_id, provider_type, npi, practice_id, tin_sealed, tin_index, tin_type,
        legal_name, first_name, last_name, name_key, zip_codes, state, programs, status, effective_date, updated_at)
    SELECT ('f' || lpad(to_hex(n), 31, '0'))::uuid, 'bench', lpad(n::text, 9, '0'), 'practitioner', lpad(n::text, 10, '1'),
        lpad(to_hex(n - n %% 4), 32, '0')::uuid, '\\x00', decode(md5('o' || n) || md5('p' || n), 'hex'), 'EIN',
        'JOHN SMITH', 'JOHN', 'SMITH', 'john smith', '["65801"]', 'MO', 'both', 'active', '2020-01-01', now()
    FROM generate_series(%(first)s::int, %(last)s::int) n
"""
