"""A portal's ceremonies by name; and each one's evidence alone, for somebody who lost every factor (RC-22). Pure."""

from collections.abc import Iterator
from typing import Final

from idp.enrollment.catalogue import CATALOGUE
from idp.enrollment.declared import Thing
from idp.enrollment.rules import pages_of
from idp.relying_parties.manifest import Ceremony, Localized, Manifest
from idp.vocabulary.evidence import Evidence

_AGAIN: Final = ".again"
"""No ceremony of a manifest has a dot in its name."""
_TITLE: Final = Localized(en="Show that it is you", es="Demuestre que es usted")
EVIDENCE: Final = {
    "pin_letter": Evidence.LETTER,
    "identify_trading_partner": Evidence.DIRECTORY,
    "associate_provider": Evidence.DIRECTORY,
    "claim_practice": Evidence.DIRECTORY,
}
"""What each step that proves access is worth; an invitation is a manager's word, and is not given again by its holder."""
_LEADS_THERE: Final = frozenset({Thing.COVERAGE, Thing.PROVIDER})


_OF_REGISTERING: Final = frozenset({"title", "button", "back_to_sign_in"})
"""Words that would say that an account is set up."""


def again(name: str) -> str:
    """The name of a ceremony's evidence alone."""
    return name + _AGAIN


def is_again(name: str) -> bool:
    """Whether it is the evidence alone: nothing is made by it, and nobody signs in for it."""
    return name.endswith(_AGAIN)


def ceremony_of(manifest: Manifest, name: str) -> Ceremony | None:
    """The ceremony of this name, if the portal has it."""
    found = manifest.enrollment.get(name.removesuffix(_AGAIN))
    return found if found is None or not is_again(name) else _evidence_alone(found)


def evidence_of(ceremony: Ceremony) -> Evidence | None:
    """What passing its evidence step is worth."""
    return next((EVIDENCE[use] for use in _names(ceremony) if use in EVIDENCE), None)


def _evidence_alone(ceremony: Ceremony) -> Ceremony | None:
    if evidence_of(ceremony) is None:
        return None
    steps = [
        " + ".join(kept)
        for page in pages_of(ceremony)
        if (kept := [use.name for use in page.uses if use.name in EVIDENCE or use.declared.gives & _LEADS_THERE])
    ]
    kept_names = {name.strip() for step in steps for name in step.split("+")}
    options = {
        name: {key: value for key, value in told.items() if key not in _OF_REGISTERING}
        for name, told in ceremony.options.items()
        if name in kept_names
    }
    return Ceremony(title=_TITLE, steps=tuple(steps), options=options)


def _names(ceremony: Ceremony) -> Iterator[str]:
    for written in ceremony.steps:
        yield from (part.strip() for part in written.split("+") if part.strip() in CATALOGUE)
