"""What a page of the directory calls things."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

KINDS: Final = {"practitioner": _("Practitioner"), "group": _("Group")}
PROGRAMS: Final = {"medicaid": _("Medicaid"), "medicare": _("Medicare"), "both": _("Medicaid and Medicare")}
LOOKED_IN: Final = {"roster": _("Payer’s files"), "npi": _("NPI records")}
ENTITIES: Final = {"individual": _("Person"), "organization": _("Organization")}
SOURCES: Final = {"nppes": _("NPPES"), "fhir": _("FHIR directory")}
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
