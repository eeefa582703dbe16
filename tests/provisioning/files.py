"""Portals' user tables for tests."""

import csv
import io
from typing import Final

from idp.provisioning.people.rules import COLUMNS

PASSLIB: Final = "$pbkdf2-sha256$6400$13oPQcjZOydECOHcmxNibA$9QPcog0joq62re8sO2B7cT52cQh/RPzL7IxOcbqrSs8"
WREN: Final = "wren harbour 7"
ROSA: Final = {
    "portal": "ozark-exchange",
    "user_id": "RDelgado",
    "email": "Rosa@Clinic.example",
    "email_proven": "yes",
    "first_name": "Rosa",
    "last_name": "Delgado",
    "phone": "(573) 555-0142",
    "password_hash": PASSLIB,
    "target_kind": "trading_partner",
    "target_number": "TP123456",
    "status": "active",
    "levels": "claims",
    "account_manager": "no",
    "evidence": "directory",
}
NO_ACCESS: Final = dict.fromkeys(
    ("target_kind", "target_number", "status", "levels", "account_manager", "evidence"), ""
)


def row(**changed: str) -> dict[str, str]:
    """Rosa's line, changed."""
    return {**ROSA, **changed}


def table(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    """A file of these rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
