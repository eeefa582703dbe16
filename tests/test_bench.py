"""What the bench measured is told as it was measured, and the pages name only what it writes."""

import re
from pathlib import Path

import pytest

from bench import load, page, report
from bench.load import Figures
from bench.people import Returning
from bench.report import Bar, Figure, Outcome, number


def _load(cpu_us: float) -> Figures:
    return Figures(cpu_us, 100.0, 1.0, 2.0, 50)


def test_a_ratio_is_the_median_of_pairs_and_not_the_ratio_of_medians() -> None:
    ours, beside = [_load(each) for each in (10, 100, 1000)], [_load(each) for each in (20, 100, 500)]
    assert Outcome(ours, beside).ratio == 1.0
    assert Outcome(ours).ratio is None
    assert Outcome([_load(10), _load(40), _load(50)], [_load(30), _load(20), _load(100)]).ratio == 2.0


def test_a_bar_is_met_on_its_own_side() -> None:
    assert Bar("of bare", 0.6, 0.6, at_least=True).met
    assert not Bar("of bare", 0.59, 0.6, at_least=True).met
    assert Bar("refused", 0, 0, at_least=False).met
    assert not Bar("growth", 1.11, 1.1, at_least=False).met


def test_who_is_told_to_come_back_is_counted_and_ends_no_run() -> None:
    def refused(_caller: load.Caller) -> None:
        raise load.Busy("429")

    assert 429 in load.LATER
    assert load._together(0, refused, more=lambda: True, connections=1) == load.MOST_REFUSED + 1


def test_who_returns_comes_from_another_network_each_time() -> None:
    somebody = Returning("bench.person0")
    assert len({str(somebody.headers) for _ in range(50)}) > 40


def test_a_figure_tells_its_median_and_how_far_its_rounds_went() -> None:
    told = str(Figure("a thing", "µs CPU", [30.0, 1000.5, 20.0]))
    assert "30 µs CPU" in told
    assert "20–1,000" in told
    assert "–" not in str(Figure("a count", "", [7]))
    assert [number(value) for value in (1234.5, 2.0, 0.0123, 18.27)] == ["1,234", "2", "0.0123", "18.3"]


def test_the_page_is_written_between_its_marks_alone() -> None:
    before = "a\n<!-- purge: written by bench.page -->\nold\n<!-- end of purge -->\nz\n"
    once = page.written(before, "purge", "new")
    assert once == "a\n<!-- purge: written by bench.page -->\n\nnew\n\n<!-- end of purge -->\nz\n"
    assert page.written(once, "purge", "new") == once
    assert page.written(before, "growth", "new") == before


def test_the_documentation_has_marks_for_all_that_is_written_and_for_nothing_else() -> None:
    marks: list[str] = []
    for path in page.PAGES:
        text = path.read_text("utf-8")
        begun = re.findall(r"<!-- ([a-z-]+): written by bench.page -->", text)
        assert begun == re.findall(r"<!-- end of ([a-z-]+) -->", text)
        marks += begun
    assert sorted(marks) == sorted(page.TOLD)


def test_the_page_of_the_directory_tells_kinds_of_questions_and_no_single_one() -> None:
    told = [
        {"what": what, "unit": unit, "median": median, "spread": [median, median], "rounds": [median]}
        for unit in ("ms", "ms CPU")
        for what, median in [
            ("ours: rows", 7.0), ("by name: smith", 5.0), *((f"by name{page.ALL}{part}", float(part)) for part in (50, 95, 99)),
        ]
    ]  # fmt: skip
    machine = {"processor": "a", "python": "3"}
    written = page.directory(
        {"figures": told, "bars": [], "at": "2026-01-01", "machine": machine, "versions": {}, "cases": {}}
    )
    assert "| by name | 50, 95, 99 | 50, 95, 99 |" in written
    assert "ours: rows" in written
    assert "smith" not in written


def test_a_bar_that_is_not_met_ends_the_bench_with_a_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "PAGES", ())
    for module in (page, report):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    report.keep("purge", {}, [Bar("rows left", 0.0, 0.01, at_least=False)])
    assert page.main() == 0
    report.keep("matching", {}, [Bar("p95", 12.0, 10.0, at_least=False)])
    assert page.main() == 3
    assert capsys.readouterr().err == "not met: p95: 12.00\n"
