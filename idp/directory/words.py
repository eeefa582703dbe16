"""The sentence for each reason that a line of an import is refused. Operators' words: English, as all commands are."""

from collections.abc import Mapping
from typing import Final

from idp.directory.imports.rules import Fault

FAULTS: Final[Mapping[Fault, str]] = {
    Fault.COLUMN_COUNT: "The row has not as many columns as the header.",
    Fault.PROVIDER_ID: "A provider ID has 6 or 9 digits, leading zeros included.",
    Fault.PROVIDER_TYPE: "The provider type is practitioner or group.",
    Fault.NPI: "An NPI has 10 digits and a right check digit.",
    Fault.TIN: "A TIN has 9 digits, leading zeros included.",
    Fault.TIN_TYPE: "The TIN type is EIN or SSN.",
    Fault.GROUP_TIN: "A group's TIN has 9 digits, leading zeros included, or is empty.",
    Fault.GROUP_IN_GROUP: "A group does not belong to another group's TIN.",
    Fault.NAME: "A name has 1 to 200 printable characters.",
    Fault.PERSON_NAME: "A practitioner has a last name, and a first name of at most 80 printable characters.",
    Fault.FORMULA: "A name does not begin with =, +, -, @ or a tab, which a spreadsheet would take for a formula.",
    Fault.ZIP: "A ZIP code is 12345 or 12345-6789.",
    Fault.ZIP_COUNT: "A provider has 1 to 3 ZIP codes, no two in the same five digits.",
    Fault.STATE: "The state is a two-letter postal code.",
    Fault.PROGRAMS: "The programs are medicaid, medicare or both.",
    Fault.STATUS: "The status is active or terminated.",
    Fault.DATE: "A date is a day of the calendar as YYYY-MM-DD.",
    Fault.DATE_ORDER: "A later date stands before an earlier one.",
    Fault.END_MISSING: "A terminated provider has an end date.",
    Fault.TRADING_PARTNER_ID: "A trading partner ID has 4 to 15 letters and digits.",
    Fault.QUALIFIER: "The qualifier is ZZ, 30 or 01 (X12 ISA05).",
    Fault.DOMAIN: "The e-mail domain is a host name or empty.",
    Fault.PARTNER_KIND: "The type is billing company, vendor or clearinghouse.",
    Fault.TINS: "Represented TINs have 9 digits each, with a semicolon between.",
    Fault.PIN: "A PIN has 6 to 16 letters and digits.",
    Fault.PROVIDER_UNKNOWN: "The registry has no provider with this ID; import the provider master first.",
    Fault.ENTITY: "The entity type is 1 (a person) or 2 (an organization); empty only for a deactivated NPI.",
    Fault.REPEATED: "The file names this NPI twice; the first time counts.",
    Fault.DELETES: "The entry deletes a resource; what a directory no longer has, a full one with --full ends.",
    Fault.US_DATE: "A date is a day of the calendar as MM/DD/YYYY.",
    Fault.LETTER_DIFFERS: "This letter is known with other dates.",
}
