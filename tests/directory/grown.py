"""A directory with many names in it, so that PostgreSQL has a reason to plan for an index and a count of rows says which."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert

from idp.directory.models import NameWord, NpiRecord, NpiWord, Practice, Provider, ProviderWord
from idp.directory.rules import NATIONAL
from idp.foundation.database import writing
from tests.conftest import Backend
from tests.plans import analyze

ROWS: Final = 600
RARE: Final = (103, 303, 503)
"""Who of them is in Medicare; all are in Medicaid."""
MOST: Final = 20
"""What is read of any table to answer with a page of a few."""
_TABLES: Final = [table.__table__ for table in (Practice, Provider, ProviderWord, NpiRecord, NpiWord, NameWord)]


def grow(backend: Backend, now: datetime) -> None:
    """`ROWS` more of registry `ozark` and of NPPES, each named John, a name of its own, Smith; forty of them in Wyoming,
    and `RARE` in a program."""
    made: list[list[dict[str, Any]]] = [[] for _table in _TABLES]
    for n in range(ROWS):
        for rows, new in zip(made, _one(n, now), strict=True):
            rows += new
    made[-1] += [{"scope": scope, "word": word} for scope in ("ozark", NATIONAL) for word in ("john", "smith")]
    with writing() as tx:
        for table, rows in zip(_TABLES, made, strict=True):
            tx.execute(insert(table), rows)
    if backend.name == "postgres":
        analyze(backend.settings, *(table.name for table in _TABLES))


def _one(n: int, now: datetime) -> tuple[list[dict[str, Any]], ...]:
    identity, npi, number = UUID(int=n + 1), f"{1_000_000_000 + n}", f"{500_000_000 + n}"
    its = {"name_key": f"john grown{n:04} smith", "state": "WY" if n % 15 == 14 else "KS"}
    words = ("john", f"grown{n:04}", "smith")
    tin = {"tin_sealed": b"", "tin_index": identity.bytes, "tin_type": "EIN"}
    return (
        [tin | {"id": identity, "tin_last4": "0001", "name": "Grown", "created_at": now}],
        [tin | its | {
            "id": identity, "registry": "ozark", "provider_id": number, "provider_type": "practitioner", "npi": npi,
            "practice_id": identity, "legal_name": "John Grown Smith", "zip_codes": ["65801"],
            "programs": "both" if n in RARE else "medicaid", "status": "active", "effective_date": date(2020, 1, 1), "updated_at": now,
        }],
        [its | {
            "registry": "ozark", "word": word, "provider_id": identity, "number": number, "program": 1 if n in RARE else 0,
        } for word in words],
        [its | {
            "npi": npi, "source": "nppes", "entity": "individual", "name": "JOHN GROWN SMITH", "zip_code": "65801",
            "status": "active", "digest": b"", "imported_at": now,
        }],
        [its | {"word": word, "npi": npi, "source": "nppes"} for word in words],
        [{"scope": scope, "word": f"grown{n:04}"} for scope in ("ozark", NATIONAL)],
    )  # fmt: skip
