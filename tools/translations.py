"""Keep the Spanish catalogue complete: `python tools/translations.py [check|update]`.

`check` extracts every wrapped text from `idp/` and `templates/`, compares with `messages.po` and exits 1 when one is
missing, fuzzy, no longer used, or names other placeholders than its source. `update` writes `messages.pot` and merges
it into the `.po` (new texts are left empty there, to be translated by a person; nothing is guessed).
"""

import re
import sys
from io import BytesIO
from pathlib import Path

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
TRANSLATIONS = ROOT / "idp" / "translations"
LANGUAGES = ("es",)
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2), "lazy_pgettext": ((1, "c"), 2)}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
UNKEPT = (
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Last-Translator',
    '"Language-Team',
    '"Report-Msgid-Bugs-To',
    '"Generated-By',
    '"Project-Id-Version',
)
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
    unused = [m.id for m in known if m.id and source.get(m.id, m.context) is None]
    return found + [f"no longer used: {text!r}" for text in unused]


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
        click.echo(__doc__, err=True)
        return 2
    lines = [f"{code}: {fault}" for code in LANGUAGES for fault in faults(code, source)]
    click.echo("\n".join([*lines, f"{len([m for m in source if m.id])} texts, {len(lines)} to mend"]))
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
    """Without dates, people and places in files, so that only changed texts change it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    catalog.header_comment = "# Credence. Written by tools/translations.py; translate here, and nowhere else."
    catalog.fuzzy = False
    written = BytesIO()
    write_po(written, catalog, no_location=True, sort_output=True, width=118)
    lines = written.getvalue().decode().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(UNKEPT)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
