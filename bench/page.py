"""Writes the tables of the documentation from the newest results: `python -m bench.page`."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from bench.report import RESULTS, number
from idp.settings import PROJECT

ALL: Final = ", all, p"
"""Between a kind of question and the part of all answers that a figure tells."""
PAGES: Final = (PROJECT / "docs" / "performance.md", PROJECT / "docs" / "directory.md")


def hot_paths(kept: dict[str, Any]) -> str:
    """Cases, bars, and what it was measured with."""
    lines = ["| case | CPU µs | rounds | beside µs | beside ÷ ours |", "|---|--:|--:|--:|--:|"]
    for name, case in kept["cases"].items():
        beside = f"{case['beside_us']:.0f} | {case['ratio']:.2f}" if "ratio" in case else " | "
        low, high = case["spread"]
        lines.append(f"| {name} | {case['cpu_us']:.0f} | {low:.0f}–{high:.0f} | {beside} |")
    return "\n".join([*lines, "", bars(kept), "", measured_with(kept)])


def bars(kept: dict[str, Any]) -> str:
    """Each bar, met or not."""
    lines = ["| bar | measured | |", "|---|--:|---|"]
    for bar in kept["bars"]:
        side = "≥" if bar["at_least"] else "≤"
        verdict = "met" if bar["met"] else "**not met**"
        lines.append(f"| {bar['what']}, {side} {bar['limit']:.2f} | {bar['measured']:.2f} | {verdict} |")
    return "\n".join(lines)


def growth(kept: dict[str, Any]) -> str:
    """CPU at each size, and what each decade costs."""
    grants = kept["grants"]
    sizes = " | ".join(f"{times} ×: {count:,} grants" for times, count in grants.items())
    lines = [f"| CPU µs | {sizes} |", "|---|" + "--:|" * len(grants)]
    first = next(iter(grants))
    for path in [name.removesuffix(f", {first} ×") for name in kept["cases"] if name.endswith(f", {first} ×")]:
        cells = (f"{kept['cases'][f'{path}, {times} ×']['cpu_us']:.0f}" for times in grants)
        lines.append(f"| {path} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", bars(kept), "", measured_with(kept)])


def figures(kept: dict[str, Any]) -> str:
    """Median and rounds of each figure, the bars if there are any."""
    judged = ["", bars(kept)] if kept["bars"] else []
    return "\n".join([*_medians(kept["figures"]), *judged, "", measured_with(kept)])


def directory(kept: dict[str, Any]) -> str:
    """What was taken in and matched, then each kind of question with all that was asked of it, then the bars."""
    taken = {(each["what"], each["unit"]): each["median"] for each in kept["figures"]}
    kinds = dict.fromkeys(what.partition(ALL)[0] for what, _ in taken if ALL in what)
    lines = ["| asked | p50, p95, p99 by the clock, ms | CPU of server and client, ms |", "|---|--:|--:|"]
    for kind in kinds:
        cells = (
            ", ".join(number(taken[f"{kind}{ALL}{part}", unit]) for part in (50, 95, 99)) for unit in ("ms", "ms CPU")
        )
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    of_kinds = tuple(f"{kind}{after}" for kind in kinds for after in (": ", ALL))
    others = [each for each in kept["figures"] if not each["what"].startswith(of_kinds)]
    return "\n".join([*_medians(others), "", *lines, "", bars(kept), "", measured_with(kept)])


def _medians(told: Iterable[dict[str, Any]]) -> list[str]:
    lines = ["| | median | | rounds |", "|---|--:|---|--:|"]
    for figure in told:
        low, high = (number(value) for value in figure["spread"])
        spread = f"{low}–{high}" if len(figure["rounds"]) > 1 else ""
        lines.append(f"| {figure['what']} | {number(figure['median'])} | {figure['unit']} | {spread} |")
    return lines


def measured_with(kept: dict[str, Any]) -> str:
    """Day, commit, machine, versions."""
    versions = ", ".join(f"{name} {version}" for name, version in {**kept["versions"], **kept.get("peer", {})}.items())
    machine = kept["machine"]
    rounds = "".join(f"{len(case['rounds']['ours'])} rounds, " for case in list(kept["cases"].values())[:1])
    commit = f"commit {kept['commit']}, " if kept.get("commit") else ""
    return f"{kept['at'][:10]}, {commit}{rounds}{machine['processor']}, Python {machine['python']}; {versions}."


TOLD: Final[Mapping[str, Callable[[dict[str, Any]], str]]] = {
    "hot-paths": hot_paths,
    "served-on-postgresql": hot_paths,
    **dict.fromkeys(("growth", "postgresql-growth"), growth),
    **dict.fromkeys(("purge", "passkeys", "second-factors", "revoking", "matching"), figures),
    "directory": directory,
    "sqlite-directory": figures,
    **dict.fromkeys(("managing-on-sqlite", "managing-on-postgresql"), figures),
}


def written(page: str, name: str, text: str) -> str:
    """The page with what stands between two marks replaced; as it is where it has no such marks."""
    begin, end = f"<!-- {name}: written by bench.page -->", f"<!-- end of {name} -->"
    if begin not in page:
        return page
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}"


def newest(name: str) -> dict[str, Any] | None:
    """The last result of a kind."""
    found: list[Path] = sorted(RESULTS.glob(f"{name}-*.json"))
    return json.loads(found[-1].read_text("utf-8")) if found else None


def not_met(results: Iterable[dict[str, Any]]) -> list[str]:
    """The bars that the newest results miss, in words."""
    return [f"{bar['what']}: {bar['measured']:.2f}" for kept in results for bar in kept["bars"] if not bar["met"]]


def main() -> int:
    """Write what there is; 3 and a line for each bar that was not met."""
    results = {name: kept for name in TOLD if (kept := newest(name)) is not None}
    for path in PAGES:
        page = path.read_text("utf-8")
        for name, kept in results.items():
            page = written(page, name, TOLD[name](kept))
        path.write_text(page, "utf-8")
    missed = not_met(results.values())
    for bar in missed:
        print(f"not met: {bar}", file=sys.stderr)
    return 3 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
