"""Which of the typed words to look up first, and which word may have been meant by one that no name has."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from idp.directory.rules import ProviderFacts, name_key

COUNTED: Final = 2000
"""From so many on a word is common: a search counts no further, and how many there are it knows from the last import."""
NEAR_ENOUGH: Final = (0.29, 0.24, 0.19)
"""Trigrams shared of all trigrams, for words of up to three, of four and of more letters: more than a first letter has to be
shared. They lie between any two fractions of a dozen, so that rounding decides nothing."""
CONSIDERED: Final = 30
WEIGHED: Final = 3
WEIGHT: Final = 300
_SHORT: Final = 5
_OF_A_SLIP: Final = 3
_ROUNDING: Final = 0.01
_INITIAL: Final = 3
LENGTHS: Final = 2
"""A misspelling is at most so many letters longer or shorter."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some providers found, and where the next page begins (`None`: this is the last).

    `meant` are the words that were searched for, where one typed is in no name and its nearest was taken instead.
    """

    providers: tuple[ProviderFacts, ...]
    after: tuple[str, str] | None
    meant: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class NpiFacts:
    """What one source says of an NPI, and since when we have it."""

    npi: str
    source: str
    entity: str | None
    name: str
    state: str
    zip_code: str
    status: str
    enumerated_on: date | None
    updated_on: date | None
    deactivated_on: date | None
    reactivated_on: date | None
    imported_at: datetime
    also: tuple[str, ...] = ()
    """Further sources that tell of it by the same name in the same state, and of the same standing."""


@dataclass(frozen=True, slots=True)
class NpiPage:
    """Some NPI records found; see `Page`."""

    records: tuple[NpiFacts, ...]
    after: tuple[str, str] | None
    meant: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Names that begin with one typed word and have another: they stand together in an index and need no search."""

    begin: str
    having: str

    def holds(self, word: str, key: str) -> bool:
        """Whether a name that is shown for this word is shown here."""
        return word == self.having and key.startswith(self.begin)


def order(counts: Mapping[str, int]) -> tuple[str, ...]:
    """The words with the rarest first: it is looked up, the others are only compared.

    Of common ones that were not counted further the first typed, but no initial.
    """
    ranked = sorted(enumerate(counts.items()), key=lambda each: (each[1][1], len(each[1][0]) < _INITIAL, each[0]))
    return tuple(word for _at, (word, _count) in ranked)


def led(terms: Sequence[str], found: str) -> tuple[str, ...]:
    """The terms with the one first that a former page looked up, by a word that it found: it goes on as it began."""
    return tuple(sorted(terms, key=lambda term: not found.startswith(term)))


def stretches(counts: Mapping[str, int], *, begun: bool | None = None) -> tuple[Stretch, ...]:
    """What is shown first of several words that are all common: names that begin with the first typed, then with the next.

    A search goes on as it has `begun`, whatever was counted since.

    Names are kept as they are written, first name first. So among all of a surname those with one first name stand together,
    wherever they are, and are read at once; to read on until they come would cost as much as there are names.
    """
    common = min(counts.values()) >= COUNTED if begun is None else begun
    if len(counts) < 2 or not common:
        return ()
    longest = sorted(counts, key=lambda word: len(word) < _INITIAL)
    return tuple(Stretch(word, next(other for other in longest if other != word)) for word in counts)


def stretch_of(shown_first: Sequence[Stretch], word: str, key: str) -> int:
    """In which of them a name is shown; one more than the last where it is in none."""
    return next((at for at, each in enumerate(shown_first) if each.holds(word, key)), len(shown_first))


def is_first_of(word: str, *, start: str, key: str) -> bool:
    """Whether a name is shown for this word of its: the first that begins so, where several do."""
    return word == min((each for each in key.split(" ") if each.startswith(start)), default=word)


def near(word: str, words: Iterable[str], *, least: float) -> list[str]:
    """Those that share more of their trigrams with the word, the nearest first: as `pg_trgm` finds and sorts them."""
    mine = trigrams(word)
    shares = ((_share(mine, trigrams(each)), each) for each in words)
    return [each for share, each in sorted(shares, key=lambda pair: (-pair[0], pair[1])) if share > least]


def shares(word: str) -> tuple[float, ...]:
    """How much is to be shared at first, and how much where nothing is found so that is one slip away.

    A letter that is missing, added or another costs three of the word's trigrams at most; two that are `swapped` may cost four.
    Who asks for much looks through little: an index knows what is shared, and not how long the other word is.
    """
    number, enough = len(word) + 1, near_enough(word)
    much = (number - _OF_A_SLIP) / (number + _OF_A_SLIP) - _ROUNDING
    return (much, enough) if much > enough else (enough,)


def swapped(word: str) -> list[str]:
    """The words that it is with two neighbours exchanged; the first letter is trusted."""
    made = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(1, len(word) - 1)}
    return sorted(made - {word})


def near_enough(word: str) -> float:
    """How much of its trigrams a word must share with this one."""
    return NEAR_ENOUGH[min(max(len(word) - 3, 0), 2)]


def misspelt(word: str, candidates: Sequence[str]) -> list[str]:
    """Candidates that a slip or two away are the word, the likeliest first; in a short word one slip."""
    most = 1 if len(word) < _SHORT else 2
    reached = ((slips(word, each), at, each) for at, each in enumerate(candidates))
    close = sorted(each for each in reached if each[0] <= most)
    return [each for _slips, _at, each in close][:WEIGHED]


def likeliest(word: str, counts: Mapping[str, int]) -> str | None:
    """Of the misspelt, the one with fewest slips; of those the one that most names have."""
    ranked = sorted(enumerate(counts.items()), key=lambda each: (slips(word, each[1][0]), -each[1][1], each[0]))
    return next((each for _at, (each, count) in ranked if count), None)


def trigrams(word: str) -> frozenset[str]:
    """Every three letters that follow one another in `  word `."""
    padded = f"  {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def slips(one: str, other: str) -> int:
    """Letters missing, added, exchanged or swapped with their neighbour (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        line = [row]
        for column, against in enumerate(other, start=1):
            best = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                best = min(best, before[column - 2] + 1)
            line.append(best)
        before, last = last, line
    return last[-1]


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def folded(records: Iterable[NpiFacts]) -> tuple[NpiFacts, ...]:
    """Each NPI once for each name, place and standing that it is told by: as NPPES says where it is among those, else as the
    first. Where NPPES says otherwise than the rest, it comes first."""
    alike: dict[tuple[str, str, str], list[NpiFacts]] = {}
    for each in records:
        alike.setdefault((each.npi, name_key(each.name), each.state), []).append(each)
    return tuple(one for every in alike.values() for one in _by_standing(every))


def _by_standing(every: Iterable[NpiFacts]) -> Iterator[NpiFacts]:
    agreeing: dict[str, list[NpiFacts]] = {}
    for each in sorted(every, key=lambda each: each.source != "nppes"):
        agreeing.setdefault(each.status, []).append(each)
    for said, *others in agreeing.values():
        yield replace(said, also=tuple(other.source for other in others))
