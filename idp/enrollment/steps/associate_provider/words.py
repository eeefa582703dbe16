"""Labels as the portal words them (C6), and what is said beside a field."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

TYPES: Final[Mapping[str, LazyString]] = {"practitioner": _("Practitioner"), "group": _("Group")}
LABELS: Final[Mapping[str, LazyString]] = {
    "practitioner_first_name": _("Practitioner's First Name"),
    "practitioner_last_name": _("Practitioner's Last Name"),
    "practitioner_tin": _("Tax ID"),
    "practitioner_provider_id": _("Provider Number"),
    "practitioner_npi": _("NPI"),
    "practitioner_zip_code": _("ZIP Code"),
    "group_name": _("Group Name"),
    "group_tin": _("Tax ID"),
    "group_provider_id": _("Provider ID"),
    "group_npi": _("NPI"),
    "group_zip_code": _("ZIP Code"),
}
MISSING: Final[Mapping[str, LazyString]] = {
    "practitioner_first_name": _("Enter the practitioner's first name."),
    "practitioner_last_name": _("Enter the practitioner's last name."),
    "practitioner_tin": _("Enter the Tax ID."),
    "practitioner_provider_id": _("Enter the Provider Number."),
    "practitioner_npi": _("Enter the NPI."),
    "practitioner_zip_code": _("Enter a ZIP code of the practitioner."),
    "group_name": _("Enter the name of the group."),
    "group_tin": _("Enter the Tax ID."),
    "group_provider_id": _("Enter the Provider ID."),
    "group_npi": _("Enter the NPI."),
    "group_zip_code": _("Enter a ZIP code of the group."),
}
TIP: Final = _(
    "Not sure? Look at your welcome letter. If it shows you under the Group Payee ID, choose Group; otherwise choose Practitioner."
)
CHOOSE_TYPE: Final = _("Choose a provider type.")
CHOOSE: Final = _("Several of our records fit these details. Choose the one that you work for.")
SAY_WHY: Final = _("Say why you need access.")
TOO_LONG: Final = _("Use at most 500 characters.")
