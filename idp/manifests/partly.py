"""What else is wrong with a manifest that does not parse: addresses and colours of the tables that do.

So that whoever writes one learns everything in one round. What tables say about each other waits for the whole.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from idp.relying_parties.faults import Fault, Ground
from idp.relying_parties.look import rules as look
from idp.relying_parties.manifest import Brand, Manifest
from idp.relying_parties.registration import rules as registration

_STAND_INS: Final[Mapping[str, Any]] = {
    "name": "-",
    "short_name": "-",
    "base_url": "https://manifest.invalid",
    "registration": {},
    "brand": dict.fromkeys(Brand.model_fields, "-") | {"tagline": None},
    "help": {"phone": "-"},
}
"""For what is wrong or missing; nothing is said of these."""


def faults(given: Mapping[str, Any], *, broken: Collection[str], ground: Ground) -> Iterator[Fault]:
    """What is wrong with the tables of `given` that parse; `broken` names those that do not."""
    sound = {name: value for name, value in given.items() if name not in broken}
    try:
        manifest = Manifest.model_validate({**_STAND_INS, **sound})
    except ValidationError:
        return
    every = (*registration.faults(manifest, ground=ground), *look.faults(manifest.brand))
    yield from (fault for fault in every if fault.path[0] in sound)
