"""What a page of the directory calls things."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

KINDS: Final = {"practitioner": _("Practitioner"), "group": _("Group")}
PROGRAMS: Final = {"medicaid": _("Medicaid"), "medicare": _("Medicare"), "both": _("Medicaid and Medicare")}
LOOKED_IN: Final = {"roster": _("Payer’s files"), "npi": _("NPI records")}
ENTITIES: Final = {"individual": _("Person"), "organization": _("Organization")}
SOURCES: Final = {"nppes": _("NPPES"), "fhir": _("FHIR directory")}


def source(text: str) -> str:
    """Who says so, and of a payer's directory whose it is."""
    kind, _colon, registry = text.partition(":")
    label = str(SOURCES.get(kind, kind))
    return f"{label}, {registry}" if registry else label


FORMATS: Final = {
    "provider-master": _("Provider master"),
    "trading-partners": _("Trading partners"),
    "pin-letters": _("PIN letters"),
    "nppes": _("NPPES"),
    "fhir": _("FHIR directory"),
}
ENDINGS: Final[Mapping[str, tuple[LazyString, str, str]]] = {
    "completed": (_("Done"), "ok", "check"),
    "bad_file": (_("Bad file"), "danger", "alert"),
    "declined": (_("Nothing ended"), "warn", "pause"),
    "interrupted": (_("Interrupted"), "warn", "pause"),
    "failed": (_("Failed"), "danger", "alert"),
}
"""How an import has ended, for a badge."""
ENDING_HINTS: Final = {
    "bad_file": _("The file could not be read to its end. What was taken before stays."),
    "declined": _("All rows were taken. What is no longer in the file has not ended, for nobody said yes."),
    "interrupted": _("Somebody stopped it. What was taken before stays; running it again does the rest."),
    "failed": _("It was not the file that failed. What was taken before stays; running it again does the rest."),
}
COUNTS: Final = (
    ("read", _("Rows read")),
    ("added", _("Rows added")),
    ("changed", _("Changed")),
    ("unchanged", _("Unchanged")),
    ("ended", _("Ended")),
    ("rejected", _("Refused")),
)
PROBLEM: Final = _("Type a name, a number or a whole Tax ID.")
EVENTS: Final = {
    "provider_changed": _("Record changed"),
    "practice_changed": _("Practice changed"),
    "pin_letter_issued": _("PIN letter issued"),
    "npi_record_changed": _("NPI record changed"),
    "practice_merged": _("its last record moved to another practice"),
    "practice_retired": _("its Tax ID passed to another owner"),
    "record_left": _("a record moved to another practice"),
}
"""Of a history, and how they came out."""
PARTS: Final = {
    "name": _("Name"),
    "type": _("Type"),
    "npi": _("NPI"),
    "npi_status": _("NPI status"),
    "npi_off_from": _("NPI deactivated"),
    "npi_deactivated": _("NPI deactivated"),
    "npi_reactivated": _("NPI reactivated"),
    "tin": _("Tax ID"),
    "tin_type": _("Kind of Tax ID"),
    "zip": _("ZIP Codes"),
    "state": _("State"),
    "programs": _("Programs"),
    "status": _("Status"),
    "dates": _("Dates"),
    "begins": _("In force from"),
    "ends": _("Ends"),
    "provider_ended": _("Not in force any more"),
    "provider_restored": _("In force again"),
}
_VALUES: Final[Mapping[str, LazyString | str]] = {
    **KINDS,
    **PROGRAMS,
    "none": _("none"),
    "active": _("active"),
    "terminated": _("terminated"),
    "deactivated": _("deactivated"),
    "inactive": _("not active"),
    "left": _("left the file"),
}
_WITHIN: Final = {"dates": ("begins", "ends"), "npi_status": ("npi_off_from",)}
"""Parts that are told by their days."""


def told(details: Mapping[str, Any]) -> Iterator[str]:
    """What changed, a part each, and from what to what where that is told; what we have no word for stands as it is."""
    for part in details.get("changed", ()):
        days = [name for name in _WITHIN.get(part, ()) if name in details]
        for name in days or [part]:
            values = str(details.get(name, ""))
            label = str(PARTS.get(name, name))
            yield f"{label}: {_from_to(values)}" if "→" in values else label


def _from_to(values: str) -> str:
    return " → ".join(str(_VALUES.get(each, each)) for each in values.split(" → "))
