"""Which states a portal serves."""

from collections.abc import Iterator
from typing import Final

from idp.enrollment.declared import Declared, StepOptions, Thing
from idp.relying_parties.manifest import Manifest

STATES: Final = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire",
    "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota",
    "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "PR": "Puerto Rico", "RI": "Rhode Island",
    "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip
"""Names as the Postal Service writes them, in every language."""


class Options(StepOptions):
    """`states` by their two letters; all of them unless it says otherwise."""

    states: tuple[str, ...] = tuple(STATES)


def _wrong_at(manifest: Manifest, options: Options) -> Iterator[tuple[str, str]]:
    for state in options.states:
        if state not in STATES:
            yield "states", f"{state!r} is not a state's two letters"
    if not options.states or len(set(options.states)) != len(options.states):
        yield "states", "names at least one state, and each of them once"


DECLARED = Declared("coverage", Options, gives=frozenset({Thing.COVERAGE}), wrong_at=_wrong_at)
