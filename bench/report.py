"""What the bench says: a table, the bars met or not met, and the same as JSON."""

import json
import platform
import sqlite3
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from bench.load import Figures
from idp.settings import PROJECT

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("flask", "werkzeug", "sqlalchemy", "granian", "cryptography", "argon2-cffi", "orjson")


@dataclass(frozen=True, slots=True)
class Bar:
    """What is promised of one case, and what was measured."""

    what: str
    measured: float
    limit: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def __str__(self) -> str:
        side = "at least" if self.at_least else "at most"
        return f"{'met' if self.met else 'NOT MET':8} {self.what}: {self.measured:.2f}, {side} {self.limit:.2f}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """All rounds of one case: ours, and what stands beside it, round by round."""

    ours: Sequence[Figures]
    beside: Sequence[Figures] = field(default_factory=tuple)

    @property
    def ratio(self) -> float | None:
        """The median over the pairs of what stands beside it ÷ ours."""
        if not self.beside:
            return None
        return statistics.median(b.cpu_us / a.cpu_us for a, b in zip(self.ours, self.beside, strict=True))


@dataclass(frozen=True, slots=True)
class Figure:
    """What is no load of requests: a count, or what something took, round by round."""

    what: str
    unit: str
    rounds: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def __str__(self) -> str:
        spread = f"{number(min(self.rounds))}–{number(max(self.rounds))}" if len(self.rounds) > 1 else ""
        return f"{self.what:64} {number(self.median):>12} {self.unit:7} {spread}"


def number(value: float) -> str:
    """As much of a figure as means something."""
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"


def tell(name: str, figures: Sequence[Figure], bars: Sequence[Bar] = (), **more: Any) -> None:
    """Print what was measured, and keep it."""
    print("\n".join(str(each) for each in (*figures, *bars)))
    print(f"kept: {keep(name, {}, bars, figures=figures, **more)}")


def middle(figures: Sequence[Figures], member: str) -> float:
    return statistics.median(getattr(each, member) for each in figures)


def table(outcomes: Mapping[str, Outcome]) -> str:
    """One line a case: CPU µs with the least and the most of the rounds, beside, ratio, and what is told and not judged."""
    lines = [
        f"{'case':42} {'CPU µs':>8} {'spread':>15} {'beside':>8} {'ratio':>6} {'req/s':>8} {'p50 ms':>7} {'p99 ms':>7}"
    ]
    for name, outcome in outcomes.items():
        cpu = sorted(each.cpu_us for each in outcome.ours)
        beside = f"{middle(outcome.beside, 'cpu_us'):8.0f} {outcome.ratio:6.2f}" if outcome.beside else " " * 15
        lines.append(
            f"{name:42} {statistics.median(cpu):8.0f} {cpu[0]:7.0f}–{cpu[-1]:<7.0f} {beside}"
            f" {middle(outcome.ours, 'per_second'):8.0f} {middle(outcome.ours, 'p50_ms'):7.1f}"
            f" {middle(outcome.ours, 'p99_ms'):7.1f}"
        )
    return "\n".join(lines)


def keep(
    name: str, outcomes: Mapping[str, Outcome], bars: Sequence[Bar], *, figures: Sequence[Figure] = (), **more: Any
) -> Path:
    """Write `bench/results/<name>-<moment>.json`; says where."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    kept = {
        "at": now.isoformat(timespec="seconds"),
        "machine": {"processor": _processor(), "python": platform.python_version(), "system": platform.release()},
        "versions": {package: version(package) for package in PACKAGES} | {"SQLite": sqlite3.sqlite_version},
        "commit": _commit(),
        **more,
        "cases": {case: _told(outcome) for case, outcome in outcomes.items()},
        "figures": [
            {
                "what": each.what,
                "unit": each.unit,
                "median": each.median,
                "spread": [min(each.rounds), max(each.rounds)],
                "rounds": list(each.rounds),
            }
            for each in figures
        ],
        "bars": [{**asdict(bar), "met": bar.met} for bar in bars],
    }
    path = RESULTS / f"{name}-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return path


def postgresql_version(engine: Engine) -> dict[str, str]:
    """Of the server, where it is one."""
    if engine.dialect.name != "postgresql":
        return {}
    with engine.connect() as connection:
        return {"PostgreSQL": str(connection.execute(text("SHOW server_version")).scalar_one())}


def _told(outcome: Outcome) -> dict[str, Any]:
    cpu = [each.cpu_us for each in outcome.ours]
    told: dict[str, Any] = {"cpu_us": statistics.median(cpu), "spread": [min(cpu), max(cpu)]}
    if outcome.beside:
        told |= {"beside_us": middle(outcome.beside, "cpu_us"), "ratio": outcome.ratio}
    rounds = {"ours": [asdict(each) for each in outcome.ours], "beside": [asdict(each) for each in outcome.beside]}
    return told | {"rounds": rounds}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    """Of the tree that was measured; `-dirty` where files differed from it."""
    words = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
