"""What searching and matching cost among all of the country's names, each asked in a transaction of its own: the same questions
again and again, and some hundred names of the roster once each."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bench.matching import rule_us
from bench.report import Bar, Figure
from bench.roster import LARGEST, REGISTRY, SELECTIVE, TINS, number_of
from idp.directory import service as directory
from idp.directory.looking_up import service as looking_up
from idp.directory.matching import service as matching
from idp.directory.matching.rules import PractitionerClaim, ProviderMatch
from idp.directory.models import Provider
from idp.directory.rules import DirectoryFilter, ProviderFacts
from idp.foundation.database import reading

ASKED: Final = 20
DIFFERENT: Final = 300
"""So many names, evenly out of the roster, are asked once each: pages that nobody has read before."""
SEARCHES: Final = (
    "1000000004", "1618033991", "john smith", "mary johnson", "james garcia", "patricia lopez", "robert", "smith",
    "hernandez", "nguyen linda", "kebi family", "drogin", "stebru nobo", "mar", "wil", "sna", "clinic juba", "pharmacy",
    "smtih", "jonson mary", "hernadez", "m walker", "thomas e", "elizabeth scott", "smith jones",
)  # fmt: skip
IN_STATES: Final = (("smith", "CA"), ("john brown", "TX"), ("garcia", "OH"), ("home health", "NY"))
AT_MOST: Final = 10.0
"""Milliseconds, of 95 of 100."""
Ask = Callable[[Session], object]


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


def searches() -> tuple[list[Figure], list[Bar]]:
    """Every question `ASKED` times in turn, a round before warms; each kind is held to `AT_MOST`."""
    with reading() as tx:
        rows, size = tx.execute(
            text("SELECT reltuples, pg_size_pretty(pg_database_size(current_database())) FROM pg_class"
                 " WHERE relname = 'npi_record'")
        ).one()  # fmt: skip
    print(f"searches among {rows:,.0f} NPI records and a roster of as many ({size}):")
    told, bars = list[Figure](), list[Bar]()
    for kind, questions in _different().items():
        once = Spent()
        for ask in questions:
            once.add(timed(ask, times=1, before=0))
        _judge(kind, once, told, bars)
    for kind, questions in _kinds().items():
        every = Spent()
        for what, ask in questions:
            every.add(spent := timed(ask))
            told += spent.figures(f"{kind}: {what}")
        _judge(kind, every, told, bars)
    return told, bars


def _judge(kind: str, every: Spent, told: list[Figure], bars: list[Bar]) -> None:
    for unit, taken in (("ms", every.wall_ms), ("ms CPU", every.cpu_ms)):
        cuts = statistics.quantiles(taken, n=100)
        told += [Figure(f"{kind}, all, p{part}", unit, [cuts[part - 1]]) for part in (50, 95, 99)]
        bars.append(Bar(f"{kind}, p95, {unit}", cuts[94], AT_MOST, at_least=False))


def _different() -> dict[str, list[Ask]]:
    """The first and the last word of names that stand as far from one another as the roster allows."""
    named = select(Provider.name_key).where(Provider.registry_name == REGISTRY)
    last = select(func.max(Provider.provider_id)).where(Provider.registry_name == REGISTRY)
    with reading() as tx:
        rows = int(tx.execute(last).scalar_one()) - int(number_of(0))
        query = named.where(Provider.provider_id.in_({number_of(1 + n * rows // DIFFERENT) for n in range(DIFFERENT)}))
        keys = [key.split(" ") for key in tx.scalars(query.order_by(Provider.provider_id))]
    names = list(dict.fromkeys(f"{key[0]} {key[-1]}" for key in keys))
    return {
        f"roster by {len(names)} different names, once each": [_of_the_roster(name) for name in names],
        f"the same {len(names)} in a program, once each": [_of_the_roster(n, programs=("medicare",)) for n in names],
        f"NPI records by the same {len(names)}, once each": [_of_the_country(name, None) for name in names],
    }


def _of_the_roster(words: str, **within: tuple[str, ...]) -> Ask:
    part, now = DirectoryFilter.of(**within), datetime.now(UTC)
    return lambda tx: directory.search_providers(tx, REGISTRY, words, now=now, within=part)


def _kinds() -> dict[str, list[tuple[str, Ask]]]:
    """What is asked of the NPI records, and of the roster by number, name, program and TIN."""
    roster = _of_the_roster
    national = [
        (f"{words}{f' in {state}' if state else ''}", _of_the_country(words, state))
        for words, state in (*((words, None) for words in SEARCHES), *IN_STATES)
    ]
    numbers = [number_of(at) for at in (1, 20_001, 500_000)]
    with reading() as tx:
        npis = [found.npi for number in numbers if (found := _record(tx, number)) is not None]
    tins = sorted(TINS)
    return {
        "NPI records": national,
        "roster by number": [(number, roster(number)) for number in (*numbers, *npis, "999999999")],
        "roster by name": [(words, roster(words)) for words in SEARCHES if not words.isdigit()],
        "roster by name in a program": [
            (f"{words} in {program}", roster(words, programs=(program,)))
            for words in ("john smith", "smith", "hernandez", "clinic juba", "mar", "smtih", "drogin")
            for program in ("medicare", "medicaid")
        ],
        "roster by name in a program and a state": [
            (f"{words} in medicare and {state}", roster(words, programs=("medicare",), states=(state,)))
            for words, state in IN_STATES
        ],
        "roster by a common name in a program that one in a thousand of them has": [
            (f"{words} in medicare", roster(words, programs=("medicare",)))
            for words in (SELECTIVE, f"{SELECTIVE} smith")
        ],
        "roster by TIN": [
            *((f"**-***{tin[-4:]}", _of_tin(tin)) for tin in tins),
            ("the largest, a later page", _of_tin(tins[0], after=number_of(LARGEST // 2))),
            ("nobody's", _of_tin("999999999")),
        ],
        "every record of an NPI": [(npi, _every(npi)) for npi in npis],
    }


def _of_the_country(words: str, state: str | None) -> Ask:
    return lambda tx: directory.search_npi(tx, words, state=state)


def _every(npi: str) -> Ask:
    return lambda tx: looking_up.every_record(tx, npi)


def _of_tin(tin: str, *, after: str | None = None) -> Ask:
    place = None if after is None else (REGISTRY, after)
    return lambda tx: looking_up.by_tin(tx, tin, registry=REGISTRY, after=place, limit=25)


def _record(tx: Session, number: str) -> ProviderFacts | None:
    return directory.provider_by_number(tx, registry=REGISTRY, provider_id=number)


def matches(rows: int) -> list[Figure]:
    """A claim against a roster of `rows` providers: one that matches, one of nobody's number, one that nobody can mean."""
    now = datetime.now(UTC)
    told = [Figure("matching rule, a claim of six fields", "µs CPU", rule_us())]
    number, asked = _somebody(rows)
    claims = {
        "hit": PractitionerClaim(**asked, provider_id=number),
        "miss": PractitionerClaim(**asked, provider_id="999999999"),
        "nonsense": PractitionerClaim(**asked, provider_id="\U0001f600"),
        "miss by TIN": PractitionerClaim(**asked, tin="900000001"),
        "nonsense by TIN": PractitionerClaim(**asked, tin="x"),
    }
    for what, claim in claims.items():
        with reading() as tx:
            found = matching.match_practitioner(tx, claim, registry=REGISTRY, now=now)
        if isinstance(found, ProviderMatch) != (what == "hit"):
            raise SystemExit(f"the {what} answers {found}")
        spent = timed(lambda tx, claim=claim: matching.match_practitioner(tx, claim, registry=REGISTRY, now=now))
        told += spent.figures(f"match against {rows:,} providers, {what}")
    return told


def _somebody(rows: int) -> tuple[str, dict[str, str]]:
    """The number of a practitioner in the middle of the roster, and what else a claim says of them."""
    query = (
        select(Provider)
        .where(
            Provider.registry_name == REGISTRY,
            Provider.provider_id >= number_of(rows // 2),
            Provider.provider_type == "practitioner",
            Provider.status == "active",
        )
        .order_by(Provider.provider_id)
        .limit(1)
    )
    with reading() as tx:
        one = tx.scalars(query).one()
        names = {"first_name": one.first_name or "", "last_name": one.last_name or ""}
        return one.provider_id, {**names, "zip_code": one.zip_codes[0]}


def timed(ask: Ask, *, times: int = ASKED, before: int = 1) -> Spent:
    """So many times, and once before, which is not counted, where it is to be warm."""
    spent = Spent()
    for _ in range(times + before):
        with reading() as tx:
            server = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
            cpu, begun = _cpu_ms(server), time.perf_counter()
            ask(tx)
            spent.wall_ms.append((time.perf_counter() - begun) * 1e3)
            tx.execute(text("SELECT 1"))
            spent.cpu_ms.append(_cpu_ms(server) - cpu)
    return Spent(spent.wall_ms[before:], spent.cpu_ms[before:])


def _cpu_ms(server: int) -> float:
    """Of this thread and of a process of the server's; a process's share is booked when it goes to sleep."""
    return time.thread_time() * 1e3 + int(Path(f"/proc/{server}/schedstat").read_text().split()[0]) / 1e6
