"""The `idp` command: its own commands of the ground floor, and those of every room's `cli.py`.

Exit status: 0 done, 1 refused or failed, 2 wrong input or settings. What is wrong is one line on standard error.
"""

import importlib
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy.exc import OperationalError

from idp.cli.doctor import doctor
from idp.cli.ground import db, epoch, init, serve, settings
from idp.foundation import logs, timekeeping
from idp.keyring.folder import KeysUnusable
from idp.settings import WrongSettings, load

_IDP: Final = Path(__file__).resolve().parent.parent


class Commands(click.Group):
    """A room's commands are found when they are wanted; groups of one name in two rooms become one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.commands, *_of_rooms()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.commands.get(cmd_name) or _of_rooms().get(cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="credence", message="%(version)s")
@click.pass_context
def idp(context: click.Context) -> None:
    """Credence: who signed in, and for whom they act."""
    if not isinstance(context.obj, ScriptInfo):
        context.obj = ScriptInfo(create_app=_application)


for command in (db, doctor, epoch, init, serve, settings):
    idp.add_command(command)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command and leave the process with its status."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command; its exit status."""
    try:
        status: Any = idp.main(args=arguments, prog_name="idp", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _fail([" ".join(error.format_message().split())], error.exit_code)
    except click.Abort:
        return _fail(["stopped"], 1)
    except WrongSettings as error:
        return _fail(list(error.lines), 2)
    except KeysUnusable as error:
        return _fail([f"keys: {problem}" for problem in error.problems], 1)
    except timekeeping.ClockApart:
        return _fail(["this clock is too far from the database's to write by it; `idp doctor` says more"], 1)
    except OperationalError:
        return _fail(["the database does not answer; `idp doctor` says more"], 1)
    except OSError as error:
        return _fail([f"{error.filename or 'a file'}: {error.strerror or error}"], 1)
    return status if isinstance(status, int) else 0


def _fail(lines: list[str], status: int) -> int:
    for line in lines:
        click.echo(f"idp: {line}", err=True)
    return status


def _application() -> Flask:
    from idp import create_app

    settings = load(serving=True)
    logs.setup(level=settings.log_level)
    app = create_app(settings)
    timekeeping.begin(app, may_go_back=settings.clock_may_go_back)
    return app


def _of_rooms() -> dict[str, click.Command]:
    """Every command of every room's `cli.py`, by name."""
    if not _found:
        for path in sorted(_IDP.glob("*/**/cli.py")):
            module = importlib.import_module(".".join(("idp", *path.relative_to(_IDP).with_suffix("").parts)))
            for found in _outermost(module):
                _add(found)
    return _found


_found: dict[str, click.Command] = {}


def _outermost(module: Any) -> list[click.Command]:
    own = [thing for thing in vars(module).values() if isinstance(thing, click.Command)]
    inner = {id(each) for group in own if isinstance(group, click.Group) for each in group.commands.values()}
    return [each for each in own if id(each) not in inner]


def _add(command: click.Command) -> None:
    name = command.name or ""
    known = _found.get(name)
    if isinstance(known, click.Group) and isinstance(command, click.Group):
        for each in command.commands.values():
            known.add_command(each)
    else:
        _found[name] = command
