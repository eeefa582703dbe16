"""Keep the Spanish catalogue complete: `python tools/translations.py [check|update]`.

`check` extracts every wrapped text from `idp/` and `templates/`, compares with `messages.po` and exits 1 when one is
missing, fuzzy, no longer used, or names other placeholders than its source. `update` writes `messages.pot` and merges
it into the `.po` (new texts are left empty there, to be translated by a person; nothing is guessed).
"""

import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
TRANSLATIONS = ROOT / "idp" / "translations"
LANGUAGES = ("es",)
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2), "lazy_pgettext": ((1, "c"), 2)}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
MARKUP = re.compile(r"</?[a-z]+")


def extracted() -> Catalog:
    """Every wrapped text of the sources, with the files that use it."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    catalog = Catalog(project="Credence", charset="utf-8")
    for file, _, text, comments, context in extract_from_dir(
        ROOT, methods, options, KEYWORDS, comment_tags=("Translators:",), directory_filter=_is_ours
    ):
        catalog.add(text, None, [(file, 0)], auto_comments=comments, context=context)
    return catalog


def faults(code: str, source: Catalog) -> list[str]:
    """What keeps this language from being complete, a line each."""
    known = _read(code)
    found = []
    for message in source:
        if not message.id:
            continue
        translated = known.get(message.id, message.context)
        where = ", ".join(sorted({file for file, _ in message.locations})[:2])
        if translated is None or not _filled(translated):
            found.append(f"missing: {message.id!r} ({where})")
        elif translated.fuzzy:
            found.append(f"fuzzy: {message.id!r} ({where})")
        elif _marks(translated.string) != _marks(message.id):
            found.append(f"placeholders differ: {message.id!r} ({where})")
    for message in known:
        if message.id and source.get(message.id, message.context) is None:
            found.append(f"no longer used: {message.id!r}")
    return found


def update(source: Catalog) -> None:
    """Write the template, and give each language its new texts; those no longer used go."""
    _write(TRANSLATIONS / "messages.pot", source)
    for code in LANGUAGES:
        known = _read(code)
        known.update(source, no_fuzzy_matching=True)
        known.obsolete.clear()
        _write(_path(code), known)


def main(arguments: list[str]) -> int:
    source = extracted()
    if arguments == ["update"]:
        update(source)
    elif arguments not in ([], ["check"]):
        print(__doc__, file=sys.stderr)
        return 2
    lines = [f"{code}: {fault}" for code in LANGUAGES for fault in faults(code, source)]
    print(*lines, sep="\n", end="\n" if lines else "")
    print(f"{len([m for m in source if m.id])} texts, {len(lines)} to mend")
    return 1 if lines else 0


def _filled(message: Message) -> bool:
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def _marks(text: object) -> tuple[set[str], set[str]]:
    parts = text if isinstance(text, tuple | list) else (str(text),)
    return (
        {name for part in parts for name in PLACEHOLDER.findall(part)},
        {tag for part in parts for tag in MARKUP.findall(part)},
    )


def _is_ours(folder: str | Path) -> bool:
    name = Path(folder).name
    return not name.startswith((".", "_vendored")) and name not in {"node_modules", "var", "tests", "clients", "bench"}


def _path(code: str) -> Path:
    return TRANSLATIONS / code / "LC_MESSAGES" / "messages.po"


def _read(code: str) -> Catalog:
    if not _path(code).is_file():
        return Catalog(locale=code, project="Credence", charset="utf-8")
    with _path(code).open("rb") as file:
        return read_po(file, locale=code)


def _write(path: Path, catalog: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, no_location=True, omit_header=False, sort_output=True, include_previous=False, width=118)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
