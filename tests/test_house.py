"""The rules of the house that no other tool checks; `make lint` runs this file too."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
IDP: Final = ROOT / "idp"
PYTHON: Final = sorted(path for path in IDP.rglob("*.py") if "versions" not in path.parts)
TEMPLATES: Final = sorted(
    path for folder in (ROOT / "templates", ROOT / "clients") for path in folder.rglob("*.html") if path.is_file()
)
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_TEST_FILE = 300, 40, 500
_EXECUTED: Final = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|\sstyle\s*=|\son[a-z]+\s*=|javascript:|\|\s*safe\b|autoescape\s+false", re.I
)
_EXECUTED_IN_MAIL: Final = re.compile(r"<script|\son[a-z]+\s*=|javascript:|\|\s*safe\b|autoescape\s+false", re.I)
"""Mail readers keep no style sheet, so mails carry their style inline."""
_DRAWERS: Final = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py", "base.py"}
_CLOCK: Final = {
    ("time", "time"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
}
_MAY_ASK_THE_TIME: Final = {"idp/foundation/clock.py", "idp/foundation/logs.py", "idp/foundation/database.py"}
_PLACES: Final = re.compile(rb"(?<![\w.])/(?:home|Users)/[a-z]+/|(?<![\w.])/(?:root|work/main|work/shared)/", re.I)
_LINK_MARKS: Final = (".md", ".toml", ".lock", ".py", ".html", ".css", ".js", ".cfg", ".json", ".po", ".txt", "")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _calls(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            yield getattr(owner, "id", getattr(owner, "attr", "")), node.func.attr, node.lineno


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its signature and docstring: what has to be understood."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return 0 if not body else (node.end_lineno or 0) - body[0].lineno + 1


def test_files_are_short() -> None:
    long = {_name(path): lines for path in PYTHON if (lines := len(path.read_text().splitlines())) > LONGEST_FILE}
    assert long == {}


def test_test_files_are_short() -> None:
    files = (ROOT / "tests").rglob("test_*.py")
    assert {_name(path): n for path in files if (n := len(path.read_text().splitlines())) > LONGEST_TEST_FILE} == {}


def test_functions_are_short() -> None:
    long = {
        f"{_name(path)}:{node.name}": _length(node)
        for path in PYTHON
        for node in _functions(ast.parse(path.read_text()))
        if _length(node) > LONGEST_FUNCTION
    }
    assert long == {}


def test_there_are_no_drawers() -> None:
    assert [_name(path) for path in PYTHON if path.name in _DRAWERS] == []


def test_every_module_says_what_it_is() -> None:
    assert [_name(path) for path in PYTHON if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_a_rooms_init_imports_nothing() -> None:
    rooms = [
        path
        for path in PYTHON
        if path.name == "__init__.py" and path.parent not in (IDP, IDP / "cli", IDP / "settings")
    ]
    bad = [
        _name(path)
        for path in rooms
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(path.read_text()).body)
    ]
    assert bad == []


def test_D4_only_foundation_commits() -> None:
    bad = [
        f"{_name(path)}:{line}"
        for path in PYTHON
        for _, call, line in _calls(ast.parse(path.read_text()))
        if call == "commit" and not _name(path).startswith(("idp/foundation/", "idp/migrations/"))
    ]
    assert bad == []


def test_R_19_only_the_clock_asks_what_time_it_is() -> None:
    bad = [
        f"{_name(path)}:{line}"
        for path in PYTHON
        for owner, call, line in _calls(ast.parse(path.read_text()))
        if (owner, call) in _CLOCK and _name(path) not in _MAY_ASK_THE_TIME
    ]
    assert bad == []


def test_typefaces_and_pillow_are_loaded_by_who_wants_a_sheet_of_paper() -> None:
    """Each worker of each server would begin a tenth later with them."""
    papers = {"idp/affiliations/letters/page.py", "idp/affiliations/reviews/sheet.py"}
    asked = {path.removesuffix(".py").replace("/", ".") for path in papers} | {"reportlab", "PIL", "pymupdf_fonts"}
    bad = []
    for path in PYTHON:
        for node in ast.parse(path.read_text()).body:
            names = [each.name for each in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{name}" for name in names)]
            if _name(path) not in papers and any(name in asked or name.partition(".")[0] in asked for name in names):
                bad.append(_name(path))
    assert bad == []


def test_R_19_whatever_names_a_fault_is_run_by_make_soak(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("faults")


def test_whatever_is_longer_in_make_soak_is_run_by_it() -> None:
    """Who looks at CREDENCE_SOAK, or takes a number of rounds from one who does, bears a mark that `make soak` asks for."""
    made = (ROOT / "Makefile").read_text().partition("\nsoak:")[2]
    asked = set(re.findall(r"\w+", made.partition('-m "')[2].partition('"')[0])) - {"or"}
    assert asked == {"soak", "faults", "races"}
    bad = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text("utf-8")
        if path == Path(__file__) or (
            "CREDENCE_SOAK" not in text and not re.search(r"from tests.races import .*ROUNDS", text)
        ):
            continue
        tree = ast.parse(text)
        longer = {"ROUNDS"} if "tests.races" in text else set()
        for node in tree.body:
            if isinstance(node, ast.Assign) and (longer | {"os"}) & _words(node.value):
                longer |= set().union(*map(_words, node.targets))
        marked = any(f"mark.{mark}" in text.partition("pytestmark")[2].partition("\n")[0] for mark in asked)
        for node in tree.body:
            if (
                isinstance(node, ast.FunctionDef)
                and node.name.startswith("test_")
                and longer & _words(node)
                and not marked
            ):
                own = "".join(map(ast.unparse, node.decorator_list))
                if not any(f"mark.{mark}" in own for mark in asked) and not re.search(r"_R_\d\d_", node.name):
                    bad.append(f"{_name(path)}::{node.name}")
    assert bad == []


def _words(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def test_nobody_uses_flasks_session() -> None:
    bad = [
        _name(path)
        for path in PYTHON
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module == "flask"
        and any(each.name == "session" for each in node.names)
    ]
    assert bad == []


def test_D9_no_template_string_is_rendered() -> None:
    assert [_name(path) for path in PYTHON if "render_template_string" in path.read_text()] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=_name)
def test_SE_no_template_has_inline_code(template: Path) -> None:
    mail = template.is_relative_to(ROOT / "templates" / "notices")
    assert (_EXECUTED_IN_MAIL if mail else _EXECUTED).findall(template.read_text("utf-8")) == []


def _committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


def test_nothing_committed_names_a_place_of_one_machine() -> None:
    bad = [
        _name(path)
        for path in _committed()
        if path.is_file()
        and path != Path(__file__)
        and path.suffix in _LINK_MARKS
        and _PLACES.search(path.read_bytes())
    ]
    assert bad == []


def test_locks_have_hashes_and_no_addresses() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text()
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=")


def test_nothing_of_the_keys_is_committed() -> None:
    assert [_name(path) for path in _committed() if path.suffix in (".jwk", ".pem", ".key", ".sqlite3")] == []
