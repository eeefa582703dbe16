"""The `idp` command: every command explains itself; what prints data prints JSON too."""

from collections.abc import Iterator

import click
import pytest

from idp import cli


def every(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from every(found, (*path, name))
    else:
        yield path, command


COMMANDS = dict(every(cli.idp))
PROMISED = {
    ("init",), ("serve",), ("worker",), ("demo",), ("doctor",), ("settings",), ("sweep",), ("epoch", "bump"),
    ("db", "upgrade"), ("db", "check"), ("db", "backup"), ("directory", "import"), ("audit", "verify"), ("audit", "export"),
    ("affiliations", "on"), ("affiliations", "record"),
    ("keys", "list"), ("keys", "create"), ("keys", "rotate"), ("keys", "retire"),
    ("relying-parties", "plan"), ("relying-parties", "apply"), ("people", "create"),
}  # fmt: skip
WITHOUT_DATA = {("serve",), ("worker",), ("demo",)}


def test_the_promised_commands_are_there() -> None:
    assert PROMISED - COMMANDS.keys() == set()


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMANDS[path].help
    assert cli.run([*path, "--help"]) == 0
    assert "Usage: idp" in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(PROMISED - WITHOUT_DATA), ids=" ".join)
def test_what_prints_data_prints_json_too(path: tuple[str, ...]) -> None:
    options = {option for parameter in COMMANDS[path].params for option in parameter.opts}
    assert options & {"--json", "--format"}


def test_a_wrong_option_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["settings", "--nonsense"], ["directory", "import", "-"]):
        assert cli.run(command) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1, command
