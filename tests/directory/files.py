"""Files for import tests: the real ones beside the project, and small invented ones."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from idp.directory.imports import rules
from idp.directory.imports.npi.layout import NPPES_329, NPPES_330
from idp.directory.imports.run import Reject, Report
from idp.directory.imports.service import FORMATS, Confirm, run_import
from idp.directory.rules import NATIONAL
from idp.foundation.origin import Origin

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
COLUMNS = {
    "provider-master": rules.PROVIDER_COLUMNS,
    "trading-partners": rules.PARTNER_COLUMNS,
    "pin-letters": rules.LETTER_COLUMNS,
    "nppes": NPPES_329,
}
PRACTITIONER = {
    "provider_id": "123456789", "provider_type": "practitioner", "npi": "1234567893", "tin": "666025841",
    "tin_type": "SSN", "group_tin": "", "legal_name": "Inés Halvorsen", "first_name": "Inés",
    "last_name": "Halvorsen", "zip_codes": "06002;06095-1234", "state": "CT", "programs": "both", "status": "active",
    "effective_date": "2020-01-01", "end_date": "",
}  # fmt: skip
GROUP = PRACTITIONER | {
    "provider_id": "000042", "provider_type": "group", "tin": "079990001", "tin_type": "EIN",
    "legal_name": "Juniper Ridge Clinic", "first_name": "", "last_name": "",
}  # fmt: skip
MEMBER = PRACTITIONER | {"provider_id": "222222222", "group_tin": "079990001", "legal_name": "José Peña-Ríos Jr."}
PARTNER = {
    "trading_partner_id": "TP000001", "qualifier": "ZZ", "organization_name": "Lantern Billing",
    "zip_code": "65801", "email_domain": "lantern.example", "type": "billing company",
    "tins_represented": "666025841",
}  # fmt: skip
LETTER = {
    "provider_id": "123456789", "pin": "e28HKtSp", "issued_on": "2026-01-02", "expires_on": "2035-12-31", "used_on": "",
}  # fmt: skip
_PRACTICE = "Provider Business Practice Location Address"
PERSON_NPI = dict.fromkeys(NPPES_330, "") | {
    "NPI": "1234567893", "Entity Type Code": "1", "Provider First Name": "INÉS", "Provider Middle Name": "M",
    "Provider Last Name (Legal Name)": "HALVORSEN", f"{_PRACTICE} State Name": "CT",
    f"{_PRACTICE} Postal Code": "060021234", f"{_PRACTICE} Country Code (If outside U.S.)": "US",
    "Provider Enumeration Date": "05/23/2005", "Last Update Date": "07/08/2020",
}  # fmt: skip
CLINIC_NPI = PERSON_NPI | {
    "NPI": "1982607537", "Entity Type Code": "2", "Employer Identification Number (EIN)": "<UNAVAIL>",
    "Provider Organization Name (Legal Business Name)": "JUNIPER RIDGE CLINIC, INC.", "Provider First Name": "",
    "Provider Middle Name": "", "Provider Last Name (Legal Name)": "",
}  # fmt: skip
OFF = dict.fromkeys(NPPES_330, "") | {"NPI": "1234567893", "NPI Deactivation Date": "02/01/2026"}


def shared(name: str) -> Path:
    """One of the real files."""
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"needs ../shared/data/{name}")
    return path


def written(format_name: str, rows: Sequence[Mapping[str, str]]) -> bytes:
    """A file of that format."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS[format_name], lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def taken(
    content: bytes | Sequence[Mapping[str, str]],
    format_name: str = "provider-master",
    *,
    now: datetime,
    registry: str | None = None,
    dry_run: bool = False,
    full: Confirm | None = None,
    rejects: list[Reject] | None = None,
    progress: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Imports rows or bytes."""
    data = content if isinstance(content, bytes) else written(format_name, content)
    kept = rejects if rejects is not None else []
    return run_import(
        io.BytesIO(data), name="file.csv", format_name=format_name,
        registry=registry or (NATIONAL if FORMATS[format_name].national else "ozark"), now=now, actor="system",
        origin=Origin.local("test"), dry_run=dry_run, full=full, keep_reject=kept.append, progress=progress,
    )  # fmt: skip


def counted(report: Report) -> dict[str, Any]:
    return {name: value for name, value in report.as_dict().items() if value and name in _COUNTS}


_COUNTS = ("added", "changed", "unchanged", "ended", "rejected")
