"""What a page of the directory calls things."""

from typing import Final

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
COUNTS: Final = (
    ("read", _("Rows read")),
    ("added", _("Rows added")),
    ("changed", _("Changed")),
    ("unchanged", _("Unchanged")),
    ("ended", _("Ended")),
    ("rejected", _("Refused")),
)
PROBLEM: Final = _("Type a name, a number or a whole Tax ID.")
