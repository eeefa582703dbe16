"""Rows shaped like NPPES's, any number of them, the same on every run: `python -m bench.nppes 8000000 | idp directory import -`.

Names are invented, with frequencies like real ones: a few surnames that tens of thousands share, and many that hardly
anybody has. A row is as wide as a real one (329 columns, about 1.1 kB).
"""

import argparse
import io
import itertools
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

from idp.directory.imports.npi.layout import NPPES_329

ROWS: Final = 8_000_000
_STRIDE: Final = 61_803_399
_RANGE: Final = 200_000_000
"""NPIs without their check digit; the stride has no factor in common with it, so that none comes twice."""
_MASK: Final = (1 << 64) - 1


def _listed(text: str, between: str | None = None) -> list[str]:
    return text.split(between)


_FIRST: Final = _listed(
    "JAMES MARY JOHN PATRICIA ROBERT JENNIFER MICHAEL LINDA DAVID ELIZABETH WILLIAM BARBARA RICHARD SUSAN JOSEPH JESSICA "
    "THOMAS KAREN CHRISTOPHER SARAH CHARLES LISA DANIEL NANCY MATTHEW SANDRA ANTHONY BETTY MARK ASHLEY DONALD EMILY "
    "STEVEN KIMBERLY ANDREW MARGARET PAUL DONNA JOSHUA MICHELLE KENNETH CAROL KEVIN AMANDA BRIAN MELISSA GEORGE DEBORAH"
)
_LAST: Final = _listed(
    "SMITH JOHNSON WILLIAMS BROWN JONES GARCIA MILLER DAVIS RODRIGUEZ MARTINEZ HERNANDEZ LOPEZ GONZALEZ WILSON ANDERSON "
    "THOMAS TAYLOR MOORE JACKSON MARTIN LEE PEREZ THOMPSON WHITE HARRIS SANCHEZ CLARK RAMIREZ LEWIS ROBINSON WALKER YOUNG "
    "ALLEN KING WRIGHT SCOTT TORRES NGUYEN HILL FLORES GREEN ADAMS NELSON BAKER HALL RIVERA CAMPBELL MITCHELL CARTER"
)
_KINDS: Final = _listed(
    "CLINIC|MEDICAL GROUP|FAMILY PRACTICE|PHARMACY|DENTAL CARE|HOSPITAL|HOME HEALTH|PHYSICAL THERAPY|EYE CENTER|"
    "COUNSELING SERVICES|DIAGNOSTIC IMAGING|SURGERY CENTER|PEDIATRICS|NURSING HOME|LABORATORY|AMBULANCE SERVICE",
    between="|",
)
_ENDS: Final = ("", " INC", " LLC", " PC", ", P.A.", " CORPORATION", " ASSOCIATES", " OF {}")
_STATES: Final = _listed(
    "CA TX NY FL PA OH IL MI NC NJ GA MA VA WA TN IN MO WI MD AZ MN CO AL LA KY SC OR CT OK IA MS KS AR UT NV NM WV NE "
    "ID ME NH HI RI MT DE SD AK ND DC VT WY"
)
_SYLLABLES: Final = [
    start + vowel for start in _listed("B BR C D DR F G GR H J K L M N P R S ST T V W") for vowel in "AEIOU"
]
_TAILS: Final = ("", "N", "S", "TT", "CK", "R", "L", "SON", "MAN", "BERG")


class Generator:
    """Makes the row of each number; tables of names are drawn up once."""

    def __init__(self) -> None:
        self._first = _frequent([*_FIRST, *(_word(n, 2) for n in range(4_000))], offset=8)
        self._last = _frequent([*_LAST, *(_word(n, 2) for n in range(20_000))], offset=14)
        place = {name: at for at, name in enumerate(NPPES_329)}
        marks = {
            "NPI": "{0}", "Entity Type Code": "{1}", "Employer Identification Number (EIN)": "{2}",
            "Provider Organization Name (Legal Business Name)": "{3}", "Provider Last Name (Legal Name)": "{4}",
            "Provider First Name": "{5}", "Provider Middle Name": "{6}",
            "Provider First Line Business Mailing Address": "{7} MAIN STREET SUITE 100",
            "Provider First Line Business Practice Location Address": "{7} MAIN STREET SUITE 100",
            "Provider Business Practice Location Address City Name": "SPRINGFIELD",
            "Provider Business Practice Location Address State Name": "{8}",
            "Provider Business Practice Location Address Postal Code": "{9}",
            "Provider Business Practice Location Address Country Code (If outside U.S.)": "US",
            "Provider Business Practice Location Address Telephone Number": "5550100123",
            "Provider Enumeration Date": "{10}", "Last Update Date": "{11}", "NPI Deactivation Date": "{12}",
            "Healthcare Provider Taxonomy Code_1": "207Q00000X", "Healthcare Provider Primary Taxonomy Switch_1": "Y",
        }  # fmt: skip
        cells = [""] * len(NPPES_329)
        for name, mark in marks.items():
            cells[place[name]] = mark
        self._row = ",".join(f'"{cell}"' for cell in cells).replace('""', "|").format
        self._bare = ",".join(f'"{cell}"' if cell in ("{0}", "{12}") else '""' for cell in cells).format

    def line(self, number: int) -> str:
        """The row of a number: one in 600 is a deactivated NPI, one in five an organization."""
        npi = _npi(100_000_000 + number * _STRIDE % _RANGE)
        dice = _mix(number)
        if dice % 600 == 0:
            return self._bare(npi, *[""] * 11, _day(dice >> 40)) + "\n"
        state = _STATES[(dice >> 8 & 63) * (dice >> 14 & 63) * len(_STATES) // 4096]
        zip_code = f"{dice >> 20 & 65535:05}{dice >> 12 & 8191:04}"
        told = (dice >> 30 & 4095, state, zip_code, _day(dice >> 7), _day(dice >> 17), "")
        return self._row(npi, *self._name(dice), *told).replace("|", '""') + "\n"

    def _name(self, dice: int) -> tuple[str, str, str, str, str, str]:
        """Entity, EIN, organization, last, first, middle."""
        rare = _mix(dice)
        last = self._last[rare & 65535] if rare >> 16 & 3 else _word(rare >> 18 & 0x3FFFF, 3)
        if dice % 5:
            middle = chr(65 + (rare >> 36) % 26) if rare >> 41 & 1 else ""
            return "1", "", "", last, self._first[rare >> 44 & 65535], middle
        kind = _KINDS[rare >> 36 & 15]
        end = _ENDS[rare >> 40 & 7].format(_word(rare >> 43 & 0xFFF, 2))
        return "2", "<UNAVAIL>", f"{last} {kind}{end}", "", "", ""


def rows(count: int, *, first: int = 0) -> Iterator[bytes]:
    """The header and `count` rows, as a file has them, in pieces."""
    generator = Generator()
    yield (",".join(f'"{name}"' for name in NPPES_329) + "\n").encode()
    numbers = iter(range(first, first + count))
    while piece := list(itertools.islice(numbers, 500)):
        yield "".join(map(generator.line, piece)).encode()


class Stream(io.RawIOBase):
    """`rows` as a file that is read once."""

    def __init__(self, count: int) -> None:
        self._pieces, self._left = rows(count), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def stream(count: int) -> BinaryIO:
    """`count` rows as an open file."""
    return io.BufferedReader(Stream(count), buffer_size=1 << 20)


def _frequent(names: list[str], *, offset: int) -> list[str]:
    """65,536 draws, the n-th name about 1/n as often as the first (Zipf), the first less than it alone would say."""
    weights = [1 / (n + offset) for n in range(len(names))]
    whole = sum(weights)
    table: list[str] = []
    passed = 0.0
    for name, weight in zip(names, weights, strict=True):
        passed += weight
        table += [name] * (round(passed / whole * 65536) - len(table))
    return table


def _word(number: int, syllables: int) -> str:
    parts = []
    for _ in range(syllables):
        number, at = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[at])
    return "".join(parts) + _TAILS[number % len(_TAILS)]


def _npi(core: int) -> str:
    digits = f"{core:09}"
    total = 24
    for at, digit in enumerate(digits):
        value = int(digit)
        if at % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return f"{digits}{-total % 10}"


def _mix(number: int) -> int:
    """splitmix64: what looks like chance and is the same everywhere."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


def _day(dice: int) -> str:
    return f"{dice % 12 + 1:02}/{dice // 12 % 28 + 1:02}/{2006 + dice // 336 % 18}"


def main() -> None:
    """Write the file to standard output."""
    parser = argparse.ArgumentParser(prog="python -m bench.nppes", description=main.__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=ROWS)
    asked = parser.parse_args()
    for piece in rows(asked.rows):
        sys.stdout.buffer.write(piece)


if __name__ == "__main__":
    main()
