"""What a directory row is worth today, and how names and ZIP codes are compared (MODEL §1–§2, PORTALS C6)."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from idp.vocabulary.identifiers import Malformed, Tin, TinType, ZipCode

NATIONAL: Final = "*"
"""Stands for the registry of what is nobody's own file: NPIs mean the same everywhere."""
REGISTRY_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}\Z", re.ASCII)
WORDS_SEARCHED: Final = 5
NAME_KEY_LENGTH: Final = 200
WORD_LENGTH: Final = 64
_SUFFIXES: Final = frozenset((
    "jr", "sr", "ii", "iii", "iv", "v", "md", "do", "dds", "dmd", "dpm", "dc", "od", "phd",
    "pharmd", "psyd", "rn", "np", "pa", "pac", "aprn", "crna", "cnm", "lcsw", "lmft", "lpc", "dnp", "esq",
))  # fmt: skip
_SURNAMES_TOO: Final = frozenset({"do", "ma", "pa", "od", "np", "v"})
"""Suffixes that are family names as well: dropped only where two words are left without them."""
_LATIN: Final = str.maketrans({
    "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "ƚ": "l", "đ": "d", "ð": "d", "ɖ": "d", "ɗ": "d", "ƌ": "d", "þ": "th",
    "ħ": "h", "ı": "i", "ɨ": "i", "ĸ": "q", "ŋ": "n", "ɲ": "n", "ƞ": "n", "ŧ": "t", "ƭ": "t", "ʈ": "t", "ƀ": "b", "ɓ": "b",
    "ƃ": "b", "ƈ": "c", "ɛ": "e", "ƒ": "f", "ǥ": "g", "ɠ": "g", "ƙ": "k", "ƥ": "p", "ʋ": "v", "ƴ": "y", "ƶ": "z",
    **dict.fromkeys("ʹʺʻʼʽʾʿˈˊˋ", ""),
})  # fmt: skip
"""Letters that Unicode does not decompose, in the small, as its CLDR writes them in ASCII (Latin-ASCII); marks that stand as
letters, such as the ʻokina, are the apostrophes that they are typed as."""
_BREAKS: Final = re.compile(r"[\s,;/&+\-\u2010-\u2015\u00a0]+")


class ProviderType(StrEnum):
    """What kind of record the payer keeps."""

    PRACTITIONER = "practitioner"
    GROUP = "group"


class ProviderStatus(StrEnum):
    """As the payer's file says; `in_force` decides what it means on a day."""

    ACTIVE = "active"
    TERMINATED = "terminated"


class Program(StrEnum):
    """Which of the payer's programs a record takes part in."""

    MEDICAID = "medicaid"
    MEDICARE = "medicare"
    BOTH = "both"


NEIGHBOURS: Final = (Program.MEDICAID, Program.BOTH, Program.MEDICARE)
"""In this order the programs that a filter serves are neighbours, so that an index finds them between two places."""


@dataclass(frozen=True, slots=True)
class DirectoryFilter:
    """Which records a portal serves (ruling 9); `None`: whatever it is."""

    programs: frozenset[Program] | None = None
    """Values of a record's `programs`."""
    states: frozenset[str] | None = None

    @classmethod
    def of(cls, *, programs: Collection[str] = (), states: Collection[str] = ()) -> "DirectoryFilter":
        """A portal's filter: who takes part in any of these programs, in any of these states; empty means every one."""
        served = frozenset(value for name in programs for value in _TAKES_PART[Program(name)])
        return cls(served or None, frozenset(states) or None)

    def covering(self, program: str, state: str | None = None) -> "DirectoryFilter":
        """Within this one, the coverage that a person asks for (B2): `both` is met by records in both programs only."""
        asked = frozenset({Program.BOTH}) if program == Program.BOTH else _TAKES_PART[Program(program)]
        programs = asked if self.programs is None else self.programs & asked
        wanted = frozenset({state}) if state else None
        states = self.states if wanted is None else wanted if self.states is None else self.states & wanted
        return DirectoryFilter(programs, states)

    @property
    def places(self) -> tuple[int, int] | None:
        """The first and the last of `NEIGHBOURS` that it serves; `None`: every one, or none at all."""
        served = sorted(NEIGHBOURS.index(each) for each in self.programs or ())
        return (served[0], served[-1]) if served else None


EVERY_RECORD: Final = DirectoryFilter()


class Dated(Protocol):
    """Anything with the payer's status and dates."""

    @property
    def status(self) -> str: ...
    @property
    def effective_date(self) -> date: ...
    @property
    def end_date(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """One provider record as tokens and pages need it; the TIN's digits are the practice's and stay sealed there."""

    id: UUID
    registry: str
    provider_id: str
    npi: str
    provider_type: str
    name: str
    practice_id: UUID
    tin_last4: str
    """Of the practice, whose TIN a token carries (MODEL §2)."""
    tin_type: TinType
    status: str
    effective_date: date
    end_date: date | None
    state: str
    programs: str
    tin_changed_at: datetime | None = None
    """When the roster moved this record to another TIN: what was granted before reads `suspended` (MODEL §10)."""
    npi_deactivated_on: date | None = None
    """From when on NPPES calls its NPI deactivated: then it counts as ended."""

    @property
    def masked_tin(self) -> str:
        return f"**-***{self.tin_last4}"

    def in_force(self, on: date) -> bool:
        return in_force(self, on) and not self.npi_is_off(on)

    def npi_is_off(self, on: date) -> bool:
        return self.npi_deactivated_on is not None and self.npi_deactivated_on <= on


@dataclass(frozen=True, slots=True)
class PracticeFacts:
    """All that shares one TIN. `retired_at` is set when its number has passed to another owner."""

    id: UUID
    name: str
    tin_last4: str
    tin_type: TinType
    tin_sealed: bytes = field(repr=False)
    retired_at: datetime | None = None
    passes_on: date | None = None
    """From this day on its number is another owner's, though nothing has retired it yet."""

    def has_number(self, on: date) -> bool:
        """Whether its number is its own on the day: nobody acts for it otherwise (MODEL §10)."""
        return self.retired_at is None and (self.passes_on is None or on < self.passes_on)

    @property
    def masked_tin(self) -> str:
        return f"**-***{self.tin_last4}"


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    """One trading partner of one registry."""

    id: UUID
    registry: str
    trading_partner_id: str
    name: str
    zip_code: str
    kind: str
    status: str

    @property
    def in_force(self) -> bool:
        return self.status == ProviderStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class EngagementFacts:
    """A trading partner works for this practice now; `levels_cap` `None` means no cap."""

    id: UUID
    trading_partner_id: UUID
    practice: PracticeFacts
    source: str
    levels_cap: tuple[str, ...] | None


def serves(within: DirectoryFilter, record: ProviderFacts) -> bool:
    """Whether a portal's filter lets a record through."""
    return (within.programs is None or record.programs in within.programs) and (
        within.states is None or record.state in within.states
    )


def in_force(row: Dated, on: date) -> bool:
    """Whether a row counts on the day: from its first day up to, not including, its last.

    A terminated row without a last day never counts.
    """
    if row.effective_date > on:
        return False
    if row.end_date is None:
        return row.status == ProviderStatus.ACTIVE
    return on < row.end_date


def fold(name: str) -> str:
    """A name for comparison: NFKD without marks, strokes, blanks, punctuation and suffix, case-folded (C6)."""
    return "".join(name_words(name))


def name_words(name: str) -> tuple[str, ...]:
    """The folded words of a name without its suffixes; a name made of suffixes only keeps them."""
    words = [word for part in _BREAKS.split(name) if (word := _letters(part))]
    kept = list(words)
    while len(kept) > (2 if kept and kept[-1] in _SURNAMES_TOO else 1) and kept[-1] in _SUFFIXES:
        kept.pop()
    return tuple(kept)


def search_words(name: str) -> tuple[str, ...]:
    """What a name is found by: each of its folded words once, suffixes too."""
    words = (_letters(part)[:WORD_LENGTH] for part in _BREAKS.split(name))
    return tuple(dict.fromkeys(word for word in words if word))


def name_key(name: str) -> str:
    """A name as lists are sorted: its folded words with one blank between."""
    return " ".join(search_words(name))[:NAME_KEY_LENGTH]


def key_words(key: str) -> tuple[str, ...]:
    """The words of a `name_key` that searches go by; the last of a very long name may be cut short there."""
    return tuple(dict.fromkeys(word for word in key.split(" ") if word))


def zip_matches(entered: str, known: tuple[str, ...] | list[str]) -> bool:
    """Whether the first five digits entered are those of any of the row's ZIP codes."""
    try:
        zip5 = ZipCode.parse(entered.strip()).zip5
    except Malformed:
        return False
    return any(code[:5] == zip5 for code in known)


def is_registry_name(text: str) -> bool:
    """Lower-case letters, digits and hyphens, at most 32."""
    return REGISTRY_NAME.match(text) is not None


def formula_safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (CWE-1236)."""
    return f"'{cell}" if begins_as_formula(cell) else cell


def begins_as_formula(text: str) -> bool:
    """Whether a spreadsheet may take the text for a formula (OWASP, CSV injection); no name begins so."""
    return text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n")


def practice_tin_type(*, own_types: list[TinType]) -> TinType:
    """The kind of a practice's number: SSN as soon as one record holds it as such (ruling 19), else EIN."""
    return TinType.SSN if TinType.SSN in own_types else TinType.EIN


def masked(tin: str) -> str:
    """`**-***1234`."""
    return Tin(tin).masked()


_TAKES_PART: Final = {
    Program.MEDICAID: frozenset({Program.MEDICAID, Program.BOTH}),
    Program.MEDICARE: frozenset({Program.MEDICARE, Program.BOTH}),
    Program.BOTH: frozenset(Program),
}


def _letters(word: str) -> str:
    if word.isascii():  # nearly every word of a country's names
        plain = word.lower()
    else:
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
        plain = folded.translate(_LATIN)
    return plain if plain.isalnum() else "".join(character for character in plain if character.isalnum())
