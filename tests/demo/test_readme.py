"""What the README and the manuals tell a newcomer is there."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest

from idp.__main__ import main
from idp.demo.clients import PORTS
from idp.demo.hospital import DISTANCE
from idp.settings import PROJECT

README = (PROJECT / "README.md").read_text("utf-8")
MANUALS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]


def test_the_two_commands_stand_at_its_top() -> None:
    assert re.match(r"# Credence\n\n```\nmake demo .*\nmake test .*\n```\n", README)


def test_every_picture_and_page_is_there_and_light() -> None:
    named = {*re.findall(r"\]\((docs/[^)]+)\)", README), *re.findall(r'src="([^"]+)"', README)}
    pictures = {name for name in named if name.endswith(".png")}
    assert len(pictures) >= 4
    assert all((PROJECT / name).is_file() for name in named)
    assert all((PROJECT / name).stat().st_size < 80 * 1024 for name in pictures)


def test_every_address_is_one_of_the_demos() -> None:
    ports = {urlsplit(url).port for url in re.findall(r"http://localhost:\d+", README)}
    assert ports <= {8000, 8000 + DISTANCE, *(8000 + distance for distance in PORTS.values())}


def test_everybody_named_is_in_the_demo() -> None:
    people = (PROJECT / "clients" / "demo" / "people.toml").read_text("utf-8")
    for name in re.findall(r"`([a-z]+\.[a-z]+)`", README.partition("## Try it")[2].partition("## Run it")[0]):
        assert f'user_id = "{name}"' in people


@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.name)
def test_every_command_named_exists(manual: Path) -> None:
    for said in re.findall(r"(?:`|\.venv/bin/)idp ([a-z][a-z -]*[a-z])", manual.read_text("utf-8")):
        here: click.Command = main
        for word in said.split():
            if not isinstance(here, click.Group):
                break
            found = here.commands.get(word) or here.get_command(click.Context(here), word)
            assert found is not None, f"idp {said}"
            here = found
