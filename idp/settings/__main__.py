"""Prints `docs/settings.md` (`make docs`); a test keeps the two equal."""

import sys
from typing import Final

from idp.settings.model import HOLDS_SECRET, Settings

_HEAD: Final = """# Settings

Made from `idp/settings/model.py` by `make docs`. Each is read from the environment as `IDP_<NAME>`, or from
`credence.toml` (`IDP_CONFIG_FILE` names another) as `name`; those marked † also from a file that `IDP_<NAME>_FILE`
names, so that no secret need stand in the environment. Durations are whole numbers with `s`, `m`, `h` or `d`; lists are
separated by commas. Unknown names are refused. All that is wrong is said at once, at start. `idp settings` shows what
is in force and where it came from.

| setting | default | what it does |
|---|---|---|
"""


def document() -> str:
    """The page."""
    return _HEAD + "".join(_line(name) for name in Settings.model_fields)


def _line(name: str) -> str:
    field = Settings.model_fields[name]
    default = "" if field.is_required() or field.default is None else f"`{_shown(field.default)}`"
    text = " ".join((field.description or "").split()).replace("|", "\\|")
    return f"| `IDP_{name.upper()}`{' †' if name in HOLDS_SECRET else ''} | {default} | {text} |\n"


def _shown(default: object) -> str:
    if hasattr(default, "total_seconds"):
        seconds = int(default.total_seconds())
        for unit, letter in ((86400, "d"), (3600, "h"), (60, "m")):
            if seconds % unit == 0:
                return f"{seconds // unit}{letter}"
        return f"{seconds}s"
    return "" if default == () else str(default)


if __name__ == "__main__":
    sys.stdout.write(document())
