"""Search, asked by enrolment and by staff: by number, or by the beginning of any word of a name."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from idp.directory import facts as directory
from idp.directory.rules import EVERY_RECORD, WORDS_SEARCHED, DirectoryFilter, search_words
from idp.directory.search import facts, rules
from idp.directory.search.facts import Index
from idp.directory.search.rules import NpiPage, Page


def search_providers(
    tx: Session,
    registry: str,
    text: str,
    after: tuple[str, str] | None = None,
    limit: int = 25,
    *,
    now: datetime,
    within: DirectoryFilter = EVERY_RECORD,
    even_ended: bool = False,
) -> Page:
    """Providers in force by number, by NPI, or by words of their name, in the order of the word found and the name.

    `within` is the portal's filter (B3). Whether anybody has enrolled for them never shows (ruling 9). `%`, `_` and the
    like are plain characters; `after` is a former page's, and anything else in it begins at the beginning. `even_ended`
    is for staff: whatever the roster ever named.
    """
    text = text.strip()
    today = () if even_ended else (directory.in_force_on(now.date()),)
    allowed = (*today, *directory.served(within))
    if text.isascii() and text.isdigit():
        number = directory.found_by_number(registry=registry, number=text)
        place = after if after is not None and all(part.isprintable() for part in after) else None
        return Page(*directory.search_page(tx, number, *allowed, after=place, limit=limit))
    index = facts.roster(registry)
    rows, more, meant = _by_words(tx, index, text, allowed, within=within, after=after, limit=limit)
    return Page(tuple(directory.provider_of(row) for row in rows), more, meant)


def search_npi(
    tx: Session, text: str, after: tuple[str, str] | None = None, limit: int = 25, *, state: str | None = None
) -> NpiPage:
    """NPI records, of whatever source and standing, by NPI or by words of their name. For staff: it says nothing of the roster."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return NpiPage(rules.folded(facts.npi_records(tx, text)), None)
    within = EVERY_RECORD if state is None else DirectoryFilter(states=frozenset({state}))
    index = facts.national()
    rows, more, meant = _by_words(tx, index, text, (), within=within, after=after, limit=limit)
    return NpiPage(rules.folded(facts.npi_of(row) for row in rows), more, meant)


def _by_words(
    tx: Session,
    index: Index,
    text: str,
    allowed: Sequence[ColumnElement[bool]],
    *,
    within: DirectoryFilter,
    after: tuple[str, str] | None,
    limit: int,
) -> tuple[list[object], tuple[str, str] | None, tuple[str, ...] | None]:
    typed = search_words(text)[:WORDS_SEARCHED]
    if not typed:
        return [], None, None
    most = rules.COUNTED if len(typed) > 1 else 1
    counts = facts.count_first(tx, index, typed, most=most)
    meant = [word if counts[word] else _meant(tx, index, word) for word in typed]
    known = [word for word in meant if word is not None]
    if len(known) < len(typed):
        return [], None, None
    if tuple(known) != typed:
        counts |= facts.count(tx, index, (word for word in known if word not in counts), most=most)
    counted = {word: counts[word] for word in known}
    first = rules.stretches(counted, begun=facts.has_stretches(index, after))
    terms = rules.order(counted)
    rows, more = facts.page(
        tx, index, terms, *facts.here(index, within), *allowed, first=first, after=after, limit=limit
    )
    return rows, more, tuple(known) if tuple(known) != typed else None


def _meant(tx: Session, index: Index, word: str) -> str | None:
    """The word of some name that the typed one may stand for."""
    found = None
    for least in rules.shares(word):
        close = rules.misspelt(word, facts.neighbours(tx, index, word, least=least))
        found = rules.likeliest(word, facts.count(tx, index, close, most=rules.WEIGHT)) if close else None
        if found is not None and rules.slips(word, found) == 1:
            break
    return found
