"""Every wrapped word has its Spanish one (X6): a missing or fuzzy entry is counted and named by `make lint`."""

import io
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT: Final = Path(__file__).resolve().parent.parent
SPANISH: Final = ROOT / "idp" / "translations" / "es" / "LC_MESSAGES" / "messages.po"


def catalogue() -> Catalog:
    with SPANISH.open("rb") as file:
        return read_po(file, locale="es")


def wrapped() -> set[str]:
    """Message ids in templates and code."""
    found: set[str] = set()
    methods = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
    keywords = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "lazy_ngettext": (1, 2)}
    for folder in (ROOT / "idp", ROOT / "templates"):
        for _, _, message, _, _ in extract_from_dir(str(folder), methods, keywords=keywords):
            found.add(message if isinstance(message, str) else message[0])
    return found - {""}


def test_X6_nothing_is_missing_in_spanish() -> None:
    spanish = catalogue()
    missing = sorted(
        text for text in wrapped() if (entry := spanish.get(text)) is None or entry.fuzzy or not any(entry.string)
    )
    assert missing == [], f"{len(missing)} missing in Spanish"


def test_placeholders_are_the_same_in_both_languages() -> None:
    spanish = catalogue()
    wrong = [message.id for message in spanish if message.id and message.string and list(message.check(spanish))]
    assert wrong == []


def test_the_catalogue_compiles() -> None:
    written = io.BytesIO()
    write_mo(written, catalogue())
    assert written.getvalue()
