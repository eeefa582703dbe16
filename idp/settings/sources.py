"""Where values come from."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from idp.settings.model import HOLDS_SECRET, Settings

PREFIX: Final = "IDP_"
_NOT_SETTINGS: Final = frozenset({"IDP_CONFIG_FILE"})


@dataclass(frozen=True, slots=True)
class Gathered:
    """Values before they are checked, where each came from, and what was wrong with the sources themselves."""

    values: Mapping[str, Any]
    sources: Mapping[str, str]
    wrong: tuple[str, ...]


def gather(*, env: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None) -> Gathered:
    """Read every source once, weakest first."""
    env = os.environ if env is None else env
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    wrong: list[str] = []
    for name, value, source in (
        *_from_toml(env, wrong),
        *_from_environment(env, wrong),
    ):
        values[name], sources[name] = value, source
    for name, value in (overrides or {}).items():
        values[name], sources[name] = value, "command line"
    return Gathered(values, sources, tuple(wrong))


def _from_toml(env: Mapping[str, str], wrong: list[str]) -> Iterator[tuple[str, Any, str]]:
    named = env.get("IDP_CONFIG_FILE")
    path = Path(named or "credence.toml")
    if not named and not path.is_file():
        return
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        wrong.append(f"IDP_CONFIG_FILE: {path.name} cannot be read ({type(error).__name__})")
        return
    for name, value in table.items():
        if name in Settings.model_fields:
            yield name, value, path.name
        else:
            wrong.append(f"{path.name}: there is no setting `{name}`")


def _from_environment(env: Mapping[str, str], wrong: list[str]) -> Iterator[tuple[str, Any, str]]:
    if env.get("DATA_DIR"):
        yield "data_dir", env["DATA_DIR"], "DATA_DIR"
    for variable in sorted(env):
        if not variable.startswith(PREFIX) or variable in _NOT_SETTINGS or env[variable] == "":
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name in Settings.model_fields:
            yield name, env[variable], variable
        elif name.endswith("_file") and name.removesuffix("_file") in HOLDS_SECRET:
            secret = name.removesuffix("_file")
            if env.get(PREFIX + secret.upper()):
                wrong.append(f"{variable}: {PREFIX}{secret.upper()} is set as well")
            try:
                yield secret, Path(env[variable]).read_text("utf-8").strip(), variable
            except (OSError, ValueError) as error:
                wrong.append(f"{variable}: the file cannot be read ({type(error).__name__})")
        else:
            wrong.append(f"{variable}: there is no such setting")
