"""Every knob of Credence: typed, frozen, documented where it is declared.

A value comes from, first found wins: the caller's overrides, the environment variable `IDP_<NAME>`, for settings that
hold a secret the file that `IDP_<NAME>_FILE` names, then `credence.toml` (`IDP_CONFIG_FILE` names another).
Nothing else is read, a name that no setting has is an error, and all that is wrong is said at once.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from idp.settings.checks import key_problems, unfit
from idp.settings.model import DERIVED, HOLDS_SECRET, PROJECT, Settings
from idp.settings.sources import PREFIX, gather
from idp.settings.values import Mode, WrongSettings

__all__ = ["HOLDS_SECRET", "PROJECT", "Mode", "Settings", "WrongSettings", "gather", "key_problems", "load"]


def load(
    *,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    serving: bool = False,
) -> Settings:
    """The settings, or `WrongSettings` with everything that is wrong with them.

    `serving` also looks at the keys, which `idp init` and `idp keys` must be able to do without.
    """
    gathered = gather(env=env, overrides=overrides)
    wrong = list(gathered.wrong)
    bad: set[str] = set()
    settings: Settings | None = None
    try:
        settings = Settings(**gathered.values)
    except ValidationError as error:
        for each in error.errors():
            name = str(each["loc"][0]) if each["loc"] else "?"
            if DERIVED.get(name) in gathered.values and name not in gathered.values:
                continue  # nobody set it: it repeats what is wrong with the other
            bad.add(name)
            wrong.append(f"{PREFIX}{name.upper()}: {_wording(each)}")
        settings = _without(bad, gathered.values)
    if settings is not None:
        wrong += [f"{PREFIX}{name.upper()}: {line}" for name, line in unfit(settings, serving) if name not in bad]
    if wrong or settings is None:
        raise WrongSettings(tuple(dict.fromkeys(wrong)))
    return settings


def _wording(error: Any) -> str:
    if error["type"] == "missing":
        return "is missing"
    return str(error["msg"]).removeprefix("Value error, ")


def _without(bad: set[str], values: Mapping[str, Any]) -> Settings | None:
    """The settings with the wrong ones at their defaults, only to look for what else is wrong."""
    rest = {"issuer": "https://issuer.invalid"} | {name: value for name, value in values.items() if name not in bad}
    try:
        return Settings(**rest)
    except ValidationError:
        return None
