"""What is said of a provider record that changed: which parts of it, and of the public ones from what to what."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

_PARTS: Final = {
    "provider_type": "type", "npi": "npi", "practice_id": "tin", "tin_index": "tin", "tin_type": "tin_type",
    "legal_name": "name", "first_name": "name", "last_name": "name", "name_key": "name", "zip_codes": "zip",
    "state": "state", "programs": "programs", "status": "status", "effective_date": "dates", "end_date": "dates",
    "npi_deactivated_on": "npi_status",
}  # fmt: skip
_TOLD: Final = {
    "npi": "npi", "provider_type": "type", "zip_codes": "zip", "state": "state", "programs": "programs",
    "effective_date": "begins", "end_date": "ends", "npi_deactivated_on": "npi_off_from",
}  # fmt: skip
"""Of a TIN and of names only that they changed: the audit is exported, and kept for years."""


def parts(differing: Iterable[str]) -> set[str]:
    """All that is compared is a part of something: nothing of a record changes without trace."""
    return {_PARTS[name] for name in differing}


def told(before: Mapping[str, Any], values: Mapping[str, Any], differing: Iterable[str]) -> dict[str, str]:
    """`from → to` of each public value that differs, and the status, changed or not."""
    was, status = before["status"], values["status"]
    both = {_TOLD[name]: f"{_text(before[name])} → {_text(values[name])}" for name in differing if name in _TOLD}
    return both | {"status": was if was == status else f"{was} → {status}"}


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else "none" if value is None else str(value)
