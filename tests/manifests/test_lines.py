"""The line of every key, whatever TOML allows."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from idp.manifests.lines import line_of, lines_of

TEXT = '''# a comment = [not, a, key]
name = "x # not a comment"
dotted.key = 1

[a]
"quoted.key" = 'it''s' # three
list = [
  "one",   # with a comment ]
  { deep = "]}" },

  "three",
]
inline = { en = "a\\"b", es = { x = [1,
  2] } }
multi = """
[not.a.table]
key = 1 \\"""
""""
after = 1979-05-27T07:32:00Z

[[rows]]
key = 1
[[rows]]
key = 2
[rows.sub]
x = true
[[rows.inner]]
y = \'\'\'
z\'\'\'
[[rows.inner]]
y = -1.5e3

[implied.inner]
z = 1
'''.replace("'it''s'", "'its'")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 2),
        (("dotted",), 3),
        (("dotted", "key"), 3),
        (("a",), 5),
        (("a", "quoted.key"), 6),
        (("a", "list"), 7),
        (("a", "list", 0), 8),
        (("a", "list", 1), 9),
        (("a", "list", 1, "deep"), 9),
        (("a", "list", 2), 11),
        (("a", "inline", "en"), 13),
        (("a", "inline", "es", "x"), 13),
        (("a", "inline", "es", "x", 1), 14),
        (("a", "multi"), 15),
        (("a", "after"), 19),
        (("rows", 0, "key"), 22),
        (("rows", 1, "key"), 24),
        (("rows", 1, "sub", "x"), 26),
        (("rows", 1, "inner", 0, "y"), 28),
        (("rows", 1, "inner", 1, "y"), 31),
        (("implied",), 33),
        (("implied", "inner", "z"), 34),
    ],
)
def test_every_key_is_found(path: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(TEXT)
    assert lines_of(TEXT)[path] == line


def test_a_missing_key_is_shown_at_the_nearest_table() -> None:
    lines = lines_of(TEXT)
    assert line_of(("a", "inline", "fr"), lines=lines) == 13
    assert line_of(("rows", 0, "label", "en"), lines=lines) == 21
    assert line_of(("nowhere",), lines=lines) == 1


@pytest.mark.parametrize("file", sorted(Path("clients/manifests").glob("*.toml")), ids=lambda file: file.stem)
def test_every_key_of_the_manifests_has_a_line(file: Path) -> None:
    text = file.read_text("utf-8")
    lines, said = lines_of(text), text.splitlines()

    def walk(path: tuple[str | int, ...], value: Any) -> None:
        if path and isinstance(path[-1], str):
            assert path[-1] in said[lines[path] - 1]
        if isinstance(value, dict):
            for key, inner in value.items():
                walk((*path, key), inner)
        elif isinstance(value, list):
            for position, inner in enumerate(value):
                assert (*path, position) in lines
                walk((*path, position), inner)

    walk((), tomllib.loads(text))
