"""The columns of NPPES's dissemination file, in their order: 329 until 2019, then `Certification Date` beside them."""

from collections.abc import Iterator
from typing import Final

_OPENING: Final = (
    "NPI", "Entity Type Code", "Replacement NPI", "Employer Identification Number (EIN)",
    "Provider Organization Name (Legal Business Name)", "Provider Last Name (Legal Name)", "Provider First Name",
    "Provider Middle Name", "Provider Name Prefix Text", "Provider Name Suffix Text", "Provider Credential Text",
    "Provider Other Organization Name", "Provider Other Organization Name Type Code", "Provider Other Last Name",
    "Provider Other First Name", "Provider Other Middle Name", "Provider Other Name Prefix Text",
    "Provider Other Name Suffix Text", "Provider Other Credential Text", "Provider Other Last Name Type Code",
)  # fmt: skip
_ADDRESS: Final = (
    "Provider First Line Business {} Address", "Provider Second Line Business {} Address",
    "Provider Business {} Address City Name", "Provider Business {} Address State Name",
    "Provider Business {} Address Postal Code", "Provider Business {} Address Country Code (If outside U.S.)",
    "Provider Business {} Address Telephone Number", "Provider Business {} Address Fax Number",
)  # fmt: skip
_MIDDLE: Final = (
    "Provider Enumeration Date", "Last Update Date", "NPI Deactivation Reason Code", "NPI Deactivation Date",
    "NPI Reactivation Date", "Provider Gender Code", "Authorized Official Last Name",
    "Authorized Official First Name", "Authorized Official Middle Name", "Authorized Official Title or Position",
    "Authorized Official Telephone Number",
)  # fmt: skip
_TAXONOMY: Final = (
    "Healthcare Provider Taxonomy Code_{}", "Provider License Number_{}", "Provider License Number State Code_{}",
    "Healthcare Provider Primary Taxonomy Switch_{}",
)  # fmt: skip
_OTHER: Final = (
    "Other Provider Identifier_{}", "Other Provider Identifier Type Code_{}", "Other Provider Identifier State_{}",
    "Other Provider Identifier Issuer_{}",
)  # fmt: skip
_ENDING: Final = (
    "Is Sole Proprietor", "Is Organization Subpart", "Parent Organization LBN", "Parent Organization TIN",
    "Authorized Official Name Prefix Text", "Authorized Official Name Suffix Text",
    "Authorized Official Credential Text",
)  # fmt: skip
_GENDER, _SEX = "Provider Gender Code", "Provider Sex Code"


def _columns() -> Iterator[str]:
    yield from _OPENING
    for place in ("Mailing", "Practice Location"):
        yield from (column.format(place) for column in _ADDRESS)
    yield from _MIDDLE
    for number in range(1, 16):
        yield from (column.format(number) for column in _TAXONOMY)
    for number in range(1, 51):
        yield from (column.format(number) for column in _OTHER)
    yield from _ENDING
    yield from (f"Healthcare Provider Taxonomy Group_{number}" for number in range(1, 16))


NPPES_329: Final = tuple(_columns())
NPPES_330: Final = (*NPPES_329, "Certification Date")
LAYOUTS: Final = tuple(
    tuple(_SEX if column == _GENDER and renamed else column for column in layout)
    for layout in (NPPES_329, NPPES_330)
    for renamed in (False, True)
)
"""Later releases call the gender code a sex code."""
_PRACTICE: Final = "Provider Business Practice Location Address"
READ: Final = (
    "NPI", "Entity Type Code", "Employer Identification Number (EIN)",
    "Provider Organization Name (Legal Business Name)", "Provider First Name", "Provider Middle Name",
    "Provider Last Name (Legal Name)", "Provider Name Suffix Text", f"{_PRACTICE} State Name",
    f"{_PRACTICE} Postal Code", f"{_PRACTICE} Country Code (If outside U.S.)", "Provider Enumeration Date",
    "Last Update Date", "NPI Deactivation Date", "NPI Reactivation Date",
)  # fmt: skip
"""What is taken of them: their places are the same in every layout."""
