"""The same letters as a table, for a print house that sets them itself."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from idp.affiliations.letters.content import Printing, reference
from idp.affiliations.letters.rules import Asked
from idp.directory.letters.rules import NewLetter
from idp.directory.rules import formula_safe

COLUMNS: Final = (
    "login_id", "pin", "provider_name", "street", "city", "state", "zip_code", "portal", "enrollment_url",
    "help_phone", "issued_on", "expires_on", "expires_at", "language", "reference",
)  # fmt: skip


def table(printing: Printing, letters: Sequence[tuple[Asked, NewLetter]]) -> bytes:
    """CSV in UTF-8; no cell is taken for a formula, and numbers keep their leading zeros as text (CWE-1236)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for asked, letter in letters:
        writer.writerow([formula_safe(cell) for cell in _cells(printing, asked, letter)])
    return text.getvalue().encode()


def _cells(printing: Printing, asked: Asked, letter: NewLetter) -> tuple[str, ...]:
    found, span = letter.addressee, printing.span
    return (
        found.provider_id,
        letter.pin.reveal(),
        found.name,
        asked.street,
        asked.city,
        found.state,
        next(iter(found.zip_codes), ""),
        printing.brand.name,
        printing.url,
        printing.brand.help_phone or "",
        span.issued_on.isoformat(),
        span.expires_on.isoformat(),
        span.ends_at.isoformat(),
        printing.language,
        reference(letter),
    )
