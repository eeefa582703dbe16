"""Writes the tables of docs/performance.md from the newest results: `python -m bench.page`."""

import json
from pathlib import Path
from typing import Any

from bench.report import RESULTS
from idp.settings import PROJECT

PAGE = PROJECT / "docs" / "performance.md"


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
    """CPU at each size, what each decade costs, and the purge."""
    grants = kept["grants"]
    sizes = " | ".join(f"{times} ×: {count:,} grants" for times, count in grants.items())
    lines = [f"| CPU µs | {sizes} |", "|---|" + "--:|" * len(grants)]
    first = next(iter(grants))
    for path in [name.removesuffix(f", {first} ×") for name in kept["cases"] if name.endswith(f", {first} ×")]:
        cells = (f"{kept['cases'][f'{path}, {times} ×']['cpu_us']:.0f}" for times in grants)
        lines.append(f"| {path} | {' | '.join(cells)} |")
    purge = "; ".join(f"{name} {value:,}" for name, value in kept["purge"].items())
    return "\n".join([*lines, "", bars(kept), "", f"The purge: {purge}.", "", measured_with(kept)])


def measured_with(kept: dict[str, Any]) -> str:
    """Machine, versions, day."""
    versions = ", ".join(f"{name} {number}" for name, number in {**kept["versions"], **kept.get("peer", {})}.items())
    machine = kept["machine"]
    rounds = len(next(iter(kept["cases"].values()))["rounds"]["ours"])
    return f"{kept['at'][:10]}, {rounds} rounds, {machine['processor']}, Python {machine['python']}; {versions}."


def written(page: str, name: str, text: str) -> str:
    """The page with what stands between two marks replaced."""
    begin, end = f"<!-- {name}: written by bench.page -->", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}"


def newest(name: str) -> dict[str, Any] | None:
    """The last result of a kind."""
    found: list[Path] = sorted(RESULTS.glob(f"{name}-*.json"))
    return json.loads(found[-1].read_text("utf-8")) if found else None


def main() -> None:
    """Write what there is."""
    page = PAGE.read_text("utf-8")
    for name, tell in (("hot-paths", hot_paths), ("growth", growth)):
        if (kept := newest(name)) is not None:
            page = written(page, name, tell(kept))
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
