"""Mail programs know no style sheets: a mail's few classes become style attributes while it is rendered (LOOK, Mail)."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

SHEET: Final = Path(__file__).resolve().parents[2] / "templates" / "notices" / "_mail.css"
_RULE: Final = re.compile(r"^\.([a-z]+)\{([^{}]*)\}$", re.MULTILINE)
_CLASS: Final = re.compile(r'\bclass="([a-z]+)"')


def mail_styles(html: str) -> Markup:
    """The markup with `class="name"` replaced by that rule's declarations; a class without a rule is a `KeyError`."""
    rules = _rules()
    return Markup(_CLASS.sub(lambda found: f'style="{rules[found[1]]}"', str(html)))  # noqa: S704 - escaped before


@cache
def _rules() -> dict[str, str]:
    sheet = SHEET.read_text(encoding="utf-8")
    return {name: str(escape(declarations)) for name, declarations in _RULE.findall(sheet)}
